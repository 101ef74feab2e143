import type { Attack, Force, Target } from './attack.ts';
import { Attacker } from './attacker.ts';
import { compressedFrames, deepFrames, hugeFrames } from './bad-frames.ts';
import { connectionFlood } from './connection-flood.ts';
import { guestFlood, lobbyCrowd, passwordGuessing, roomFlood } from './floods.ts';
import { pingFlood } from './ping-flood.ts';
import type { Sightings } from './sightings.ts';
import { slowRequests } from './slow-requests.ts';
import { unreadHistory } from './unread-history.ts';

export type { Force, Target } from './attack.ts';
export { guessedNames } from './floods.ts';
export type { Sightings } from './sightings.ts';

/** What can be done to a gateway from outside, by whoever reaches its port. */
export const attacks = {
  slowRequests,
  connectionFlood,
  hugeFrames,
  deepFrames,
  compressedFrames,
  pingFlood,
  unreadHistory,
  passwordGuessing,
  guestFlood,
  roomFlood,
  lobbyCrowd,
} as const satisfies Record<string, Attack>;

export type AttackName = keyof typeof attacks;

export interface RunningAttack extends AsyncDisposable {
  /** What it saw so far. */
  readonly seen: Sightings;
}

/** Begins at once and goes on until it is disposed of. */
export function startAttack(name: AttackName, target: Target, force: Force): RunningAttack {
  const attacker = new Attacker(target);
  const attacking = attacks[name](attacker, force);
  return {
    seen: attacker.seen,
    async [Symbol.asyncDispose]() {
      attacker.stop();
      await attacking;
    },
  };
}
