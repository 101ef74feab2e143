import type { Attacker } from './attacker.ts';

/** Where an attack is aimed, and from where it comes. */
export interface Target {
  /** Of a gateway, as `ws://127.0.0.1:20200`. */
  webSocketUrl: string;
  /** The attacker's own, taken in turn: `127.0.0.2` and so on, which on Linux all are this machine's. */
  addresses: readonly string[];
}

export interface Force {
  /** As many at once; {@link connectionFlood} tries so many in all. */
  connections: number;
  /** Between two acts of one connection, in ms: at least. */
  everyMs: number;
}

/** Goes on until the attacker is stopped, or there is nothing more to do but to stay. */
export type Attack = (attacker: Attacker, force: Force) => Promise<void>;
