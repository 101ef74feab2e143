import { digest, type Journal, type SeenMessage, type Sent, type Stream } from '../journal.ts';

/** What of a stream its dialect decides. */
export type StreamManner = Pick<Stream, 'catchUp' | 'tellsSenders'>;

/** One connection of a client, as it is noted in the journal: its streams by room, open while it is present. */
export class ConnectionAccount {
  readonly connection: number;
  readonly user: string;
  readonly member: string;
  readonly #journal: Journal;
  readonly #manner: StreamManner;
  readonly #streams = new Map<string, Stream>();

  /** @param member Whose membership counts: the user, or this connection. */
  constructor(
    journal: Journal,
    connection: number,
    user: string,
    member: 'user' | 'connection',
    manner: StreamManner,
  ) {
    this.#journal = journal;
    this.connection = connection;
    this.user = user;
    this.member = member === 'user' ? user : `${user}/${connection}`;
    this.#manner = manner;
  }

  get rooms(): string[] {
    return [...this.#streams.keys()];
  }

  stream(room: string): Stream | undefined {
    return this.#streams.get(room);
  }

  /** Begins to be present in the room, knowing all up to `after`. */
  begin(room: string, after: number): Stream {
    this.end(room);
    const stream: Stream = {
      user: this.user,
      member: this.member,
      connection: this.connection,
      room,
      ...this.#manner,
      after,
      beganAt: performance.now(),
      isCaughtUp: this.#manner.catchUp !== 'pages',
      pages: [],
      live: [],
      acknowledged: [],
    };
    this.#streams.set(room, stream);
    this.#journal.streams.push(stream);
    return stream;
  }

  end(room: string): void {
    const stream = this.#streams.get(room);
    if (stream) stream.endedAt = performance.now();
    this.#streams.delete(room);
  }

  endAll(): void {
    for (const room of this.rooms) this.end(room);
  }

  delivered(room: string, message: SeenMessage): void {
    const stream = this.#streams.get(room);
    const delivery = { ...message, at: performance.now() };
    if (stream) stream.live.push(delivery);
    else {
      const { user, member, connection } = this;
      this.#journal.strays.push({ ...delivery, user, member, connection, room });
    }
  }

  acknowledged(room: string, id: number): void {
    this.#streams.get(room)?.acknowledged.push({ id, at: performance.now() });
  }

  refused(action: string, code: string): void {
    const { user, connection } = this;
    this.#journal.refusals.push({ at: performance.now(), user, connection, action, code });
  }

  silent(action: string): void {
    const { user, connection } = this;
    this.#journal.silences.push({ at: performance.now(), user, connection, action });
  }

  /** Notes a try to send; what comes of it is put into the attempt. */
  attempt(sent: Sent): Sent['attempts'][number] {
    const attempt = { connection: this.connection, at: performance.now() };
    sent.attempts.push(attempt);
    return attempt;
  }
}

/** Asked for, it may begin at any time; the end of an earlier one no longer counts. */
export function membershipBegins(journal: Journal, member: string, room: string): void {
  journal.memberships.push({ member, room, from: performance.now() });
}

/** Somebody was told that it is over. */
export function membershipEnded(journal: Journal, member: string, room: string): void {
  const latest = journal.memberships.findLast((one) => one.member === member && one.room === room);
  if (latest) latest.until ??= performance.now();
}

export function seen(id: number, sender: string, content: string, timestamp: string): SeenMessage {
  return { id, sender, text: digest(content), timestamp };
}
