import type { Contender, ContenderName, ContenderOptions } from './contender.ts';
import { startParleyContender } from './parley.ts';
import { startPeer } from './peers.ts';

/** Starts one of those that can be measured. */
export function startContender(name: ContenderName, options: ContenderOptions): Promise<Contender> {
  return name === 'parley' ? startParleyContender(options) : startPeer(name, options);
}

export { contenderNames, contenderTitles } from './contender.ts';
export type { Contender, ContenderName, ContenderOptions, SeatsPlan } from './contender.ts';
export { startParleyContender } from './parley.ts';
