import { createHash } from 'node:crypto';

/*
 * What every client sent, got confirmed and received. All times are of one clock, `performance.now()` of the process in which
 * all clients live, so that what came before what is certain.
 */

/** A message as a client saw it, live or in history. */
export interface SeenMessage {
  id: number;
  sender: string;
  /** As {@link digest} makes it; of a file its name. */
  text: string;
  timestamp: string;
}

export interface Delivery extends SeenMessage {
  at: number;
}

/** One try to send a message; without an outcome nobody knows what became of it. */
export interface Attempt {
  connection: number;
  at: number;
  outcome?: { at: number; id: number; timestamp: string } | { at: number; code: string };
}

/** A message that was sent, as often as it took. Its text is like no other's. */
export interface Sent {
  sender: string;
  room: string;
  text: string;
  attempts: Attempt[];
}

/**
 * How a client gets what it has missed:
 * `pages` it reads history after the last it knows; `server` it names the last it knows and is sent the rest;
 * `receipts` it is sent what it has not acknowledged.
 */
export type CatchUp = 'pages' | 'server' | 'receipts';

/** One connection's time in one room: what came, in the order it came. */
export interface Stream {
  user: string;
  /** Whose membership counts: the user's where it is an account's that outlives connections, else the connection's. */
  member: string;
  connection: number;
  room: string;
  catchUp: CatchUp;
  /** Whether senders are told their own messages. */
  tellsSenders: boolean;
  /** The last message that the client knew before. */
  after: number;
  beganAt: number;
  /** Whether all that was missed has been asked for and answered; only then is a gap behind it a loss. */
  isCaughtUp: boolean;
  pages: SeenMessage[];
  live: Delivery[];
  /** Ids of which a receipt was sent, with the time. */
  acknowledged: { id: number; at: number }[];
  /** When the client asked to leave, or the connection was lost; it is open to the end otherwise. */
  endedAt?: number;
}

/** A message that came to a connection that knows of no presence in its room. */
export interface Stray extends Delivery {
  user: string;
  member: string;
  connection: number;
  room: string;
}

/** A time in which somebody may get what is said in a room. */
export interface Membership {
  member: string;
  room: string;
  /** When it was asked for. */
  from: number;
  /** When somebody was told that it is over; unknown while a request for it is unanswered. */
  until?: number;
}

export interface Uploaded {
  user: string;
  room: string;
  name: string;
  sha256: string;
  /** When it was confirmed; a file that never was may be there or not. */
  confirmedAt?: number;
}

/** A reply or a sender's notification about somebody's receipts. */
export interface ToldReceipt {
  at: number;
  /** Whose. */
  reader: string;
  room: string;
  id: number;
  /** `position`: up to there all of others'; `message`: this one. */
  kind: 'position' | 'message';
}

export interface RefusedRequest {
  at: number;
  user: string;
  connection: number;
  action: string;
  code: string;
}

/** A request that had neither a reply nor an error though its connection lived. */
export interface Silence {
  at: number;
  user: string;
  connection: number;
  action: string;
}

/** A page of history as somebody read it in between. */
export interface ReadPage {
  at: number;
  user: string;
  room: string;
  after: number;
  messages: SeenMessage[];
}

/** A room, a file or the like that was answered to somebody who may not see it. */
export interface Trespass {
  at: number;
  user: string;
  room: string;
  action: string;
}

/** The accounts of all clients. */
export class Journal {
  readonly sent: Sent[] = [];
  readonly streams: Stream[] = [];
  readonly strays: Stray[] = [];
  readonly memberships: Membership[] = [];
  readonly uploads: Uploaded[] = [];
  readonly receipts: ToldReceipt[] = [];
  readonly refusals: RefusedRequest[] = [];
  readonly silences: Silence[] = [];
  readonly pages: ReadPage[] = [];
  readonly trespasses: Trespass[] = [];
  /** How connections ended, by close code. */
  readonly closes = new Map<number, number>();
  connections = 0;
}

/** How the journal ended: what the system says of itself when all is over. */
export interface FinalState {
  /** Of each room, oldest first. */
  histories: ReadonlyMap<string, readonly SeenMessage[]>;
  /** The hash of the bytes of each file that could be downloaded, by room and name. */
  files: ReadonlyMap<string, string>;
  /** What did not work, or was not right, within the time after the last fault. */
  unrecovered: readonly Unrecovered[];
}

/** What did not work, and for whom. */
export interface Unrecovered {
  what: string;
  user?: string;
}

export function fileKey(room: string, name: string): string {
  return `${room}/${name}`;
}

/** In code units, and in code points of one that is longer: none is cut in half. */
const keptWhole = 80;
const keptOfLong = 24;

/** A text as the journal keeps it: a long one as its beginning, its length and its hash. */
export function digest(text: string): string {
  if (text.length <= keptWhole) return text;
  const hash = createHash('sha256').update(text).digest('base64url').slice(0, 16);
  const beginning = Array.from(text.slice(0, keptWhole)).slice(0, keptOfLong).join('');
  return `${beginning}... (${text.length}, ${hash})`;
}
