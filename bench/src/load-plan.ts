/** What is asked of a load generator, and what it answers: all of it travels between processes. */
import type { Outcomes } from './audit.ts';
import type { HistogramSnapshot } from './histogram.ts';
import type { Seat, WireName } from './wires/index.ts';

/** Who connects, and what they will send. */
export interface OpenPlan {
  wire: WireName;
  seats: readonly Seat[];
  /** Length of a message's content, in bytes. */
  contentBytes: number;
  /** Whether messages have a `client_message_id`, on the wires that know it. */
  clientIds: boolean;
}

/**
 * - `closed`: each sender keeps `window` sends in flight, a confirmation sets off the next send.
 * - `paced`: `perSecond` sends over all senders in turn, however long confirmations take; a send's latency counts from
 *   when it was due, so that a stall is seen in all sends it held up.
 */
export type LoadPlan = ({ kind: 'closed'; window: number } | { kind: 'paced'; perSecond: number }) & {
  /** Those whose number is below it send, the others listen only. */
  senders: number;
  /** Whether deliveries are also counted second by second. */
  timeline?: boolean;
};

/** What one process measured. Times are in microseconds. */
export interface LoadCounts {
  elapsed: number;
  /** Confirmations, and errors in their place, that came within the measured time. */
  confirmed: number;
  refused: number;
  /** Messages of others that came within the measured time, over all connections. */
  delivered: number;
  /** Pieces of bytes that brought them: the fewer, the more was joined on the way. */
  reads: number;
  /** From the beginning of a send to its confirmation, for the sends that began within the measured time. */
  latency: HistogramSnapshot;
  /** The same to each of its deliveries. */
  delivery: HistogramSnapshot;
  /** The same for the sends of each second since measuring began, as far as there were any; empty without a timeline. */
  deliveryBySecond: readonly HistogramSnapshot[];
  /** By how much paced sends went out later than due: what the generator itself adds. Empty in a closed loop. */
  lateness: HistogramSnapshot;
}

/** What one connection sent and saw. */
export interface ConnectionAccount {
  number: number;
  outcomes: Outcomes;
  deliveries: { count: number; misordered: number; misnumbered: number };
  /** The first few error frames, and why the connection was lost. */
  errors: readonly string[];
}

/** Connections that come and go. */
export interface ChurnPlan {
  wire: WireName;
  seats: readonly Seat[];
  /** Connections that are being opened at any time. */
  atOnce: number;
  /** How long new ones are begun, in ms. */
  durationMs: number;
  /** Least time from the beginning of one to that of the next, in ms. Default: none. */
  everyMs?: number;
}

export interface ChurnCounts {
  /** In microseconds. */
  elapsed: number;
  opened: number;
  failed: number;
  /** What the first of those that failed were told. */
  errors: readonly string[];
  /** From the beginning of the connection to being in the room, in microseconds. */
  latency: HistogramSnapshot;
}

/** Clients that say nothing, and come back whenever they lose their connection. */
export interface StayPlan {
  wire: WireName;
  /** Where they are at first. */
  seats: readonly Seat[];
  /** The other gateways: a client comes back to one of them, goes on to the next when that fails, and tries its first one last. */
  elsewhere: readonly string[];
  /** Before the first try it waits up to so long at random, in ms; before each further one up to twice as long. */
  firstWaitMs: number;
  /** Longest of these bounds, in ms. */
  longestWaitMs: number;
}

/** What became of one of these clients. Times are in microseconds. */
export interface ReturnAccount {
  number: number;
  /** Why it lost its connections: the server's close codes, or what broke. */
  losses: readonly string[];
  /** When it lost the first one; 0 where it lost none. */
  lostAt: number;
  /** When its session was resumed after the last loss; 0 while it is not. */
  backAt: number;
  /** Tries to come back that failed. */
  failures: number;
  /** Why the first of them did. */
  failure: string | undefined;
}

/** Who of the clients is not where it seems to be. */
export interface Greeting {
  /** Those who heard nothing of what was said in their room, or heard it more than once. */
  deaf: number;
  /** Those who spoke and were not confirmed. */
  unconfirmed: number;
}

/** What the load generator does when asked. */
export interface LoadMethods {
  /** Connects and is in the rooms. */
  open: (plan: OpenPlan) => Promise<void>;
  /** Starts a load; it runs until `finish`. */
  start: (plan: LoadPlan) => Promise<void>;
  /** Begins to measure. */
  begin: () => Promise<void>;
  /** Ends measuring; the load goes on. */
  end: () => Promise<void>;
  /** Ends the load; resolves when all is answered, or nothing more comes. */
  finish: () => Promise<LoadCounts>;
  /** Waits until each connection got as many messages as its number says in the map, or no more come. */
  settle: (expected: ReadonlyMap<number, number>) => Promise<void>;
  /** What was sent and seen since `open`. */
  accounts: () => Promise<ConnectionAccount[]>;
  /** Opens connections and closes them again, each seat in turn. */
  churn: (plan: ChurnPlan) => Promise<ChurnCounts>;
  /** Connects clients that stay. */
  stay: (plan: StayPlan) => Promise<void>;
  /** Waits until all of them have lost their connection and are back, or the time (in ms) is over. */
  awaitReturns: (patienceMs: number) => Promise<ReturnAccount[]>;
  /** Those whose number is below `speakers` say something in their rooms: one in each, so that all others hear it once. */
  greet: (speakers: number) => Promise<Greeting>;
  close: () => Promise<void>;
}
