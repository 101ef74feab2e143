import type {
  ConnectionId,
  Dialect,
  MessageId,
  RoomChange,
  RoomId,
  SentMessage,
  UserJoined,
  UserLeft,
} from '@parley/protocol';
import type { Follower } from '../connection/deliveries.ts';
import { eventFrames } from '../connection/event-frames.ts';
import { countDeliveries, fanOutConnections, fanOutMessages, observeDelivery, repairs } from '../metrics.ts';
import { noteDelivery } from './delivery-spans.ts';

/**
 * - `starting`: the room's last id is being read; messages wait.
 * - `live`: the next message goes out as it comes.
 * - `repairing`: an id was skipped; history is read before anything later goes out.
 */
type State = 'starting' | 'live' | 'repairing';

/** Whoever is in a room: what a channel needs to know of a connection. */
export interface Receiver {
  readonly id: ConnectionId;
  readonly dialect: Dialect;
  /** Takes one or more finished frames. */
  write(frames: Buffer): void;
  /** Whether so little waits to be read that more of history may be written. */
  isKeepingUp(): boolean;
}

export interface RoomChannelOptions<R extends Receiver> {
  /** What follows a message, oldest first, as much as fits a page, for one of those it is read for. May fail for a while. */
  readAfter(
    roomId: RoomId,
    after: MessageId,
    reader: R,
  ): Promise<{ messages: readonly SentMessage[]; hasMore: boolean }>;
  /** Called once nobody is left in the channel. */
  emptied(): void;
  /** Called when history can't be read; the channel tries again by itself. */
  repairFailed(roomId: RoomId, error: unknown): void;
}

/** Messages in one dialect. */
interface Frames {
  each: Buffer[];
  joined: Buffer;
  /** Messages written so far, to all connections. */
  written: number;
}

interface CatchUp<R> {
  connection: R;
  /** The last message that the connection has. */
  position: MessageId;
  /** It has more than the channel has delivered yet, and waits for it. */
  isAhead: boolean;
}

/** Services that write at once may be heard in another order: so long a skipped id is waited for, in ms. */
const reorderMs = 30;
const retryMs = 250;
/** How soon a reader that is behind is looked at again, in ms. */
const paceMs = 20;
/** How soon somebody has been heard of what a connection says it has, in ms; or it never was. */
const aheadMs = 1_000;
/** Messages kept while an earlier one is missing; more are read from history. */
const maxEarly = 1_000;
/**
 * After everybody in a room was written to, what comes is gathered for a while and then written together: for each connection so
 * long, in ms, that writing takes a tenth of the time at most, as one write takes 0.01 to 0.03. In a room of 200 on two gateways, with 16
 * messages in flight, a delivery costs half as much as with 0.04 and comes 8 ms later, while sends are confirmed in half the time: fewer
 * writes leave more of it for everything else (`npm run bench -- fanout`).
 */
const gatherMsPerConnection = 0.3;
/** Rooms with fewer connections do not wait at all: gathering would cost them more than it gives. */
const minGatheringConnections = 25;
/** No room waits longer, in ms. */
const maxGatherMs = 30;
/** Gathered messages that wait no longer. */
const maxGathered = 500;

/**
 * One room as one gateway sees it: takes the room's messages as the bus brings them and delivers them to the local
 * connections in the order of their ids, each once, without a hole.
 */
export class RoomChannel<R extends Receiver> {
  readonly roomId: RoomId;
  /** As the room is called now; undefined until it is known. */
  name: string | undefined;
  readonly #options: RoomChannelOptions<R>;
  #state: State = 'starting';
  /** The last message that went out. */
  #position: MessageId = 0;
  /** The last message known to exist. */
  #lastSeen: MessageId = 0;
  #early = new Map<MessageId, SentMessage>();
  #repairTimer: NodeJS.Timeout | undefined;
  /** Runs while messages are gathered. */
  #gatherTimer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** Messages that have to go out to a connection before something else. */
  #awaited: { connection: R; id: MessageId; resolve: () => void }[] = [];

  readonly #members = new Set<R>();
  readonly #followers = new Map<R, Follower>();
  /** Those who are behind the channel, each with the run that brings it up. */
  readonly #catchingUp = new Map<R, CatchUp<R>>();

  constructor(roomId: RoomId, options: RoomChannelOptions<R>) {
    this.roomId = roomId;
    this.#options = options;
  }

  /** Resolves when the message has gone out to the connection, or nothing does here any more; undefined where it is so already. */
  whenDelivered(connection: R, id: MessageId): Promise<void> | undefined {
    if (!this.#isDue(connection, id)) return undefined;
    return new Promise((resolve) => this.#awaited.push({ connection, id, resolve }));
  }

  /** Whether the message is still to go out to the connection. */
  #isDue(connection: R, id: MessageId): boolean {
    if (this.#isClosed || !this.has(connection)) return false;
    const run = this.#catchingUp.get(connection);
    if (run) return run.isAhead || run.position < id;
    return this.#position < id;
  }

  #settleAwaited(): void {
    if (this.#awaited.length === 0) return;
    const isDue = ({ connection, id }: { connection: R; id: MessageId }): boolean =>
      this.#isDue(connection, id);
    const settled = this.#awaited.filter((awaited) => !isDue(awaited));
    this.#awaited = this.#awaited.filter(isDue);
    for (const { resolve } of settled) resolve();
  }

  /** From here on messages go out. Called once, with the last id read after the subscription was in place. */
  start(lastId: MessageId): void {
    this.#position = lastId;
    this.#state = 'live';
    this.noticeLastId(lastId);
    for (const follower of this.#followers.values()) follower.began(this.roomId, lastId);
    for (const run of this.#catchingUp.values()) void this.#catchUp(run);
    this.#deliverEarly();
    this.#settleAwaited();
  }

  has(connection: R): boolean {
    return (
      this.#members.has(connection) || this.#followers.has(connection) || this.#catchingUp.has(connection)
    );
  }

  /** The last message that went out; 0 while the channel is starting. */
  get position(): MessageId {
    return this.#position;
  }

  /** From now on the follower is told of the room's messages; everything else is written to its connection. */
  follow(connection: R, follower: Follower): void {
    if (this.has(connection)) return;
    this.#followers.set(connection, follower);
    if (this.#state !== 'starting') follower.began(this.roomId, this.#position);
  }

  /** @param after What follows this message is delivered to the connection; by default what is sent from now on. */
  attach(connection: R, after?: MessageId): void {
    if (this.has(connection)) return;
    const isLevel = this.#state !== 'starting' && after === this.#position;
    if (after === undefined || isLevel) {
      this.#members.add(connection);
      return;
    }
    const run = { connection, position: after, isAhead: false };
    this.#catchingUp.set(connection, run);
    if (this.#state !== 'starting') void this.#catchUp(run);
  }

  /**
   * What came while it was here is delivered to it first: its own messages are confirmed by that in some dialects.
   * @returns The last message that it got; 0 where there is none, or it has them from a follower.
   */
  detach(connection: R): MessageId {
    if (this.#gatherTimer && this.#members.has(connection)) this.#endGathering();
    const run = this.#catchingUp.get(connection);
    const lastId = this.#followers.has(connection) ? 0 : (run?.position ?? this.#position);
    this.#members.delete(connection);
    this.#followers.delete(connection);
    this.#catchingUp.delete(connection);
    this.#settleAwaited();
    if (this.#members.size + this.#followers.size + this.#catchingUp.size === 0) this.#options.emptied();
    return lastId;
  }

  /** Delivers to one connection what it missed, until it is where all others are. */
  async #catchUp(run: CatchUp<R>): Promise<void> {
    const { connection } = run;
    if (run.position > this.#position) {
      this.#waitFor(run);
      return;
    }
    while (run.position < this.#position) {
      const page = await this.#read(run.position, () => (this.#isOver(run) ? undefined : connection));
      if (this.#isOver(run)) return;
      // What is beyond the channel's own position comes with everybody else's.
      const messages = page.filter(({ id }) => id <= this.#position);
      if (messages.length > 0) this.#deliver(messages, [connection]);
      run.position = messages.at(-1)?.id ?? this.#position;
      this.#settleAwaited();
      // At the reader's pace: the rest stays in history, not in memory.
      while (!connection.isKeepingUp()) {
        await new Promise((resolve) => setTimeout(resolve, paceMs));
        if (this.#isOver(run)) return;
      }
    }
    this.#catchingUp.delete(connection);
    this.#members.add(connection);
    this.#settleAwaited();
  }

  /** It has read in history what is still on its way to us: nothing of that is delivered to it again. */
  #waitFor(run: CatchUp<R>): void {
    const { position } = this;
    run.isAhead = true;
    setTimeout(() => {
      const isUnheardOf = this.#state === 'live' && this.#lastSeen < run.position;
      if (this.#isOver(run) || !run.isAhead || !isUnheardOf) return;
      // No message has that id: what was sent since it came is delivered.
      run.position = position;
      this.#follow(run);
    }, aheadMs).unref();
  }

  #follow(run: CatchUp<R>): void {
    run.isAhead = false;
    void this.#catchUp(run);
  }

  /** Its connection went meanwhile, perhaps to come back with a run of its own. */
  #isOver(run: CatchUp<R>): boolean {
    return this.#isClosed || this.#catchingUp.get(run.connection) !== run;
  }

  /** Takes messages from the bus: in the order of their ids, without a hole between them. */
  hear(messages: readonly SentMessage[]): void {
    const last = messages.at(-1)!.id;
    this.#lastSeen = Math.max(this.#lastSeen, last);
    const fresh = messages.filter(({ id }) => id > this.#position);
    if (this.#state === 'live' && !this.#gatherTimer && fresh[0]?.id === this.#position + 1) {
      this.#advance(fresh);
      this.#deliverEarly();
    } else {
      for (const message of fresh) if (this.#early.size < maxEarly) this.#early.set(message.id, message);
      if (this.#early.size >= maxGathered) this.#endGathering();
      this.#expectRepair();
    }
  }

  #gather(): void {
    if (this.#members.size < minGatheringConnections || this.#isClosed) return;
    const ms = Math.min(this.#members.size * gatherMsPerConnection, maxGatherMs);
    this.#gatherTimer ??= setTimeout(() => {
      this.#endGathering();
    }, ms);
  }

  #endGathering(): void {
    clearTimeout(this.#gatherTimer);
    this.#gatherTimer = undefined;
    if (this.#state === 'live') this.#deliverEarly();
  }

  /** Takes word of the room's last id, whose event may never have come. */
  noticeLastId(lastId: MessageId): void {
    this.#lastSeen = Math.max(this.#lastSeen, lastId);
    this.#expectRepair();
  }

  #advance(messages: readonly SentMessage[]): void {
    this.#position = messages.at(-1)!.id;
    this.#deliver(messages, this.#members);
    fanOutConnections.observe(this.#members.size);
    fanOutMessages.observe(messages.length);
    observeDelivery(messages[0]!.sentAt);
    for (const follower of this.#followers.values()) follower.advanced(this.roomId, messages);
    noteDelivery(messages, this.#members.size + this.#followers.size);
    this.#settleAwaited();
    for (const run of this.#catchingUp.values()) {
      if (run.isAhead && run.position <= this.#position) this.#follow(run);
    }
    this.#gather();
  }

  #deliverEarly(): void {
    const run: SentMessage[] = [];
    for (let id = this.#position + 1; this.#early.has(id); id += 1) run.push(this.#early.get(id)!);
    if (run.length > 0) this.#advance(run);
    for (const id of this.#early.keys()) if (id <= this.#position) this.#early.delete(id);
    this.#expectRepair();
  }

  #expectRepair(): void {
    const isDue = this.#state === 'live' && this.#lastSeen > this.#position && !this.#gatherTimer;
    if (!isDue || this.#repairTimer) return;
    this.#repairTimer = setTimeout(() => {
      this.#repairTimer = undefined;
      // What is gathered meanwhile is not missing.
      if (this.#gatherTimer) this.#endGathering();
      else if (this.#lastSeen > this.#position) void this.#repair();
    }, reorderMs);
  }

  async #repair(): Promise<void> {
    this.#state = 'repairing';
    repairs.inc();
    while (this.#position < this.#lastSeen) {
      const messages = await this.#read(this.#position, () => this.someone);
      if (this.#isClosed) return;
      if (messages.length === 0) break;
      this.#advance(messages);
    }
    this.#state = 'live';
    this.#deliverEarly();
  }

  /** Reads on in history, as often as it takes: each time for whoever is there to be read for. */
  async #read(after: MessageId, findReader: () => R | undefined): Promise<readonly SentMessage[]> {
    for (let reader = findReader(); reader && !this.#isClosed; reader = findReader()) {
      try {
        return (await this.#options.readAfter(this.roomId, after, reader)).messages;
      } catch (error) {
        this.#options.repairFailed(this.roomId, error);
        await new Promise((resolve) => setTimeout(resolve, retryMs * (1 + Math.random())));
      }
    }
    return [];
  }

  /** Each dialect's frames are made once and joined; the same bytes go to all but senders that are confirmed otherwise. */
  #deliver(messages: readonly SentMessage[], connections: Iterable<R>): void {
    const origins = new Set(messages.map(({ origin }) => origin));
    const framesOf = new Map<Dialect, Frames>();
    for (const connection of connections) {
      const { dialect } = connection;
      const isSender = !dialect.tellsSenders && origins.has(connection.id);
      if (isSender && origins.size === 1) continue;
      const frames = framesOf.get(dialect) ?? this.#encode(dialect, messages);
      framesOf.set(dialect, frames);
      const due = isSender
        ? frames.each.filter((_frame, index) => messages[index]!.origin !== connection.id)
        : [];
      connection.write(isSender ? Buffer.concat(due) : frames.joined);
      frames.written += isSender ? due.length : messages.length;
    }
    for (const [dialect, { written }] of framesOf) countDeliveries(dialect, written);
  }

  #encode(dialect: Dialect, messages: readonly SentMessage[]): Frames {
    const room = { roomId: this.roomId, ...(this.name === undefined ? {} : { roomName: this.name }) };
    const each = messages.map((message) => eventFrames(dialect, [{ type: 'message', ...room, ...message }]));
    return { each, joined: Buffer.concat(each), written: 0 };
  }

  /** Tells all in the channel of a change, except those that learn of it otherwise. */
  tell(change: RoomChange, isToldOtherwise: (connection: R) => boolean): void {
    const framesOf = new Map<Dialect, Buffer>();
    for (const connection of this.connections) {
      if (isToldOtherwise(connection)) continue;
      const { dialect } = connection;
      const frames = framesOf.get(dialect) ?? eventFrames(dialect, [change]);
      framesOf.set(dialect, frames);
      if (frames.length > 0) connection.write(frames);
    }
  }

  /** Tells who came into sight and who went: each connection of others than its own user. */
  tellPresence(
    events: readonly (UserJoined | UserLeft)[],
    userOf: (connection: R) => string | undefined,
  ): void {
    const concerned = new Set<string | undefined>(events.map(({ user }) => user));
    const framesOf = new Map<Dialect, Buffer>();
    for (const connection of this.connections) {
      const { dialect } = connection;
      const frames = framesOf.get(dialect) ?? eventFrames(dialect, events);
      framesOf.set(dialect, frames);
      if (frames.length === 0) continue;
      const own = userOf(connection);
      if (!concerned.has(own)) connection.write(frames);
      else {
        const others = eventFrames(
          dialect,
          events.filter(({ user }) => user !== own),
        );
        if (others.length > 0) connection.write(others);
      }
    }
  }

  /** One of those in the channel. */
  get someone(): R | undefined {
    for (const some of [this.#members, this.#followers, this.#catchingUp]) {
      for (const connection of some.keys()) return connection;
    }
    return undefined;
  }

  /** Everybody in the channel. */
  get connections(): R[] {
    return [...this.#members, ...this.#followers.keys(), ...this.#catchingUp.keys()];
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#repairTimer);
    clearTimeout(this.#gatherTimer);
    this.#settleAwaited();
  }
}
