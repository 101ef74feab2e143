/**
 * `confirmation`: of a send. `refusal`: an error that answers a send. `delivery`: somebody's message. `ping`: to be answered with
 * the wire's `pong`.
 */
export type FrameKind = 'confirmation' | 'refusal' | 'delivery' | 'ping' | 'other';

/** One connection of a load: who connects where, and talks in which room. */
export interface Seat {
  /** Tells it apart from all others of the run. */
  number: number;
  /** As `ws://127.0.0.1:20200`. */
  url: string;
  user: string;
  /** Opens the user's session. */
  key: string;
  roomId: string;
}

/** Something to say, and how what is waited for then begins. */
export interface Step {
  send?: string;
  until: string;
}

/** How a load speaks to a server: what it writes, and how it knows what came without parsing it. */
export interface Wire {
  /** Path and query to connect to. */
  readonly path: string;
  /** From the open socket to being in the room. */
  steps(seat: Seat): readonly Step[];
  /** The frame that sends a message of that content; see `SendFrames`. @param clientMessageId Absent: the message has none. */
  sendText(seat: Seat, content: string, clientMessageId?: string): string;
  /** What the server's frame is that lies there, by how it begins. */
  kindOf(bytes: Buffer, from: number, end: number): FrameKind;
  /** The number of the send that is confirmed; undefined on a wire that confirms in the order of the sends. */
  confirmedSequence?(bytes: Buffer, from: number, end: number): number;
  /** The message id in a confirmation, above 0. */
  confirmedId(bytes: Buffer, from: number, end: number): number;
  /** What stands before the content in a delivery. */
  readonly contentKey: Buffer;
  /** The message id in a delivery, where all in a room get the messages in the order of the ids. */
  deliveredId?(bytes: Buffer, from: number, end: number): number;
  /** What answers a ping; where the protocol's own pings do, there is none. */
  readonly pong?: string;
}
