import { letterFrequencies, ParleyError, sameFrequencies, transactionIdOf } from '@parley/protocol';
import type {
  ConnectionId,
  Dialect,
  IdRange,
  LetterFrequencies,
  MessageId,
  RoomId,
  SentMessage,
  UserId,
} from '@parley/protocol';
import { countDeliveries, resendsAfterCount, resendsAfterSilence } from '../metrics.ts';

/** Takes a room's messages at a pace of its own, instead of having them written as they come. */
export interface Follower {
  /** The channel is at this message; what comes later is new. */
  began(roomId: RoomId, position: MessageId): void;
  /** The channel has got these: in order, without a hole. */
  advanced(roomId: RoomId, messages: readonly SentMessage[]): void;
}

/** What deliveries need to know of their connection. */
export interface Recipient {
  readonly id: ConnectionId;
  readonly dialect: Dialect;
  send(text: string): void;
}

export interface DeliveriesOptions {
  recipient: Recipient;
  userId: UserId;
  /** How long silence lasts before a frame goes out again; then twice as long, and so on, in ms. */
  resendMs: number;
  /** What follows a message, oldest first. Rejects when history is away; then it is tried again with the next `tick`. */
  readAfter(roomId: RoomId, after: MessageId): Promise<readonly SentMessage[]>;
  /** The ids have been acknowledged, or need no acknowledgement. */
  acknowledged(roomId: RoomId, range: IdRange): void;
}

/** Unacknowledged frames of one connection (protocol.md, "Integrity handshake"). */
const maxInFlight = 32;
/** How often a frame goes out again because its count was wrong. */
const maxResends = 5;
/** Silence never lasts longer before a frame goes out again, in ms. */
const maxSilenceMs = 300_000;
/** Messages of a room that wait in memory; what is beyond is read from history when its turn comes. */
const maxReady = 64;

interface FollowedRoom {
  roomId: RoomId;
  /** The last message that was put in flight, or needs not be. */
  position: MessageId;
  /** The last message known to exist. */
  latest: MessageId;
  /** Where the backlog ends: own messages up to here do not come again. */
  backlogEnd: MessageId;
  /** Begins where the room's channel is. */
  isNewOnly: boolean;
  /** Acknowledged earlier, behind holes. */
  acknowledged: readonly IdRange[];
  /** What follows `position`, without a hole. */
  ready: SentMessage[];
}

interface InFlight {
  roomId: RoomId;
  messageId: MessageId;
  text: string;
  frequencies: LetterFrequencies | undefined;
  resends: number;
  silenceMs: number;
  /** In ms since 1970. */
  dueAt: number;
}

/**
 * The messages on their way to one connection that acknowledges them: at most 32 unacknowledged, in the order of each
 * room, first the backlog of all rooms, then what is new. Reads at the pace of the acknowledgements: beyond a few messages
 * a room nothing is held in memory.
 */
export class Deliveries implements Follower {
  readonly #options: DeliveriesOptions;
  readonly #rooms = new Map<RoomId, FollowedRoom>();
  /** In this order they are caught up: a room is in here while it may have something to deliver. */
  readonly #behind = new Set<FollowedRoom>();
  /** Rooms whose backlog is not known yet, because their channels have not begun. */
  readonly #starting = new Set<FollowedRoom>();
  readonly #inFlight = new Map<string, InFlight>();
  #isReading = false;
  #isClosed = false;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  /**
   * Delivers a room's messages from now on, unless they are already.
   * @param acknowledged What needs not be delivered: sorted ranges, the first from 0. By default everything up to where the
   *   room's channel is.
   * @param isBacklog Whether what is already there was sent before the login.
   */
  follow(roomId: RoomId, acknowledged: readonly IdRange[] | undefined, isBacklog: boolean): void {
    if (this.#rooms.has(roomId)) return;
    const position = acknowledged?.[0]?.[1] ?? 0;
    const backlogEnd = isBacklog ? Number.MAX_SAFE_INTEGER : position;
    const isNewOnly = acknowledged === undefined;
    const room = {
      roomId,
      position,
      latest: position,
      backlogEnd,
      isNewOnly,
      acknowledged: acknowledged ?? [],
      ready: [],
    };
    this.#rooms.set(roomId, room);
    if (isBacklog) this.#starting.add(room);
  }

  unfollow(roomId: RoomId): void {
    const room = this.#rooms.get(roomId);
    if (!room) return;
    this.#rooms.delete(roomId);
    this.#behind.delete(room);
    this.#starting.delete(room);
    void this.#fill();
  }

  /** The room's channel is where it says; what comes later is new. */
  began(roomId: RoomId, latest: MessageId): void {
    const room = this.#rooms.get(roomId);
    if (!room) return;
    this.#starting.delete(room);
    room.backlogEnd = Math.min(room.backlogEnd, latest);
    if (room.isNewOnly) room.position = latest;
    this.#advance(room, latest);
  }

  /** The room's channel has got messages, in order and without a hole. */
  advanced(roomId: RoomId, messages: readonly SentMessage[]): void {
    const room = this.#rooms.get(roomId);
    if (!room) return;
    const next = (room.ready.at(-1)?.id ?? room.position) + 1;
    if (messages[0]!.id === next && room.ready.length < maxReady) room.ready.push(...messages);
    this.#advance(room, messages.at(-1)!.id);
  }

  #advance(room: FollowedRoom, latest: MessageId): void {
    room.latest = Math.max(room.latest, latest);
    if (room.latest > room.position) this.#behind.add(room);
    void this.#fill();
  }

  /** Puts in flight what may be, reading history where it is needed. One run at a time. */
  async #fill(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      for (let room = this.#nextRoom(); room; room = this.#nextRoom()) {
        if (room.ready.length === 0) {
          const page = await this.#options.readAfter(room.roomId, room.position);
          if (this.#isClosed) return;
          // Left meanwhile, perhaps to be entered anew.
          if (this.#rooms.get(room.roomId) !== room) continue;
          // Beyond the channel's position a message is not due yet. An empty page: history was taken away.
          room.ready = page.filter(({ id }) => id <= room.latest);
          if (room.ready.length === 0) room.position = room.latest;
        }
        this.#takeReady(room);
        if (room.position >= room.latest) this.#behind.delete(room);
      }
    } catch (error) {
      // History is away: `tick` tries again.
      if (!(error instanceof ParleyError)) throw error;
    } finally {
      this.#isReading = false;
    }
  }

  /** Rooms with a backlog come first, also those yet to begin. Nothing while as many are in flight as may be. */
  #nextRoom(): FollowedRoom | undefined {
    if (this.#isClosed || this.#inFlight.size >= maxInFlight) return undefined;
    const rooms = [...this.#behind];
    const inBacklog = rooms.find(({ position, backlogEnd }) => position < backlogEnd);
    return inBacklog ?? (this.#starting.size === 0 ? rooms[0] : undefined);
  }

  #takeReady(room: FollowedRoom): void {
    let taken = 0;
    let skippedFrom: MessageId | undefined;
    const isInBacklog = room.position < room.backlogEnd;
    for (const message of room.ready) {
      if (this.#inFlight.size >= maxInFlight || (isInBacklog && message.id > room.backlogEnd)) break;
      taken += 1;
      if (this.#needsNone(room, message)) {
        skippedFrom ??= message.id;
      } else {
        this.#reportSkipped(room, skippedFrom, message.id - 1);
        skippedFrom = undefined;
        this.#launch(room.roomId, message);
      }
      room.position = message.id;
    }
    this.#reportSkipped(room, skippedFrom, room.position);
    room.ready.splice(0, taken);
  }

  /** Acknowledged before, or one's own: the sending connection got a confirmation, and in a backlog they never come again. */
  #needsNone(room: FollowedRoom, { id, senderId, origin }: SentMessage): boolean {
    if (origin === this.#options.recipient.id) return true;
    if (senderId === this.#options.userId && id <= room.backlogEnd) return true;
    return room.acknowledged.some(([from, to]) => from <= id && id <= to);
  }

  #reportSkipped({ roomId }: FollowedRoom, from: MessageId | undefined, to: MessageId): void {
    if (from !== undefined) this.#options.acknowledged(roomId, [from, to]);
  }

  #launch(roomId: RoomId, message: SentMessage): void {
    const { recipient, resendMs } = this.#options;
    const [text] = recipient.dialect.encodeEvent({ type: 'message', roomId, ...message });
    if (text === undefined) return;
    const inFlight = {
      roomId,
      messageId: message.id,
      text,
      frequencies: undefined,
      resends: 0,
      silenceMs: resendMs,
      dueAt: Date.now() + resendMs,
    };
    this.#inFlight.set(transactionIdOf(roomId, message.id), inFlight);
    countDeliveries(recipient.dialect, 1);
    recipient.send(text);
  }

  /** Whether the frame is unacknowledged. */
  has(transactionId: string): boolean {
    return this.#inFlight.has(transactionId);
  }

  /** Whether an id was put in flight on this connection, or needed not be. */
  wasDelivered(roomId: RoomId, messageId: MessageId): boolean {
    return messageId <= (this.#rooms.get(roomId)?.position ?? 0);
  }

  /** Compares the client's count with what was sent; undefined where nothing is in flight. */
  isCount(transactionId: string, frequencies: LetterFrequencies): boolean | undefined {
    const inFlight = this.#inFlight.get(transactionId);
    if (!inFlight) return undefined;
    inFlight.frequencies ??= letterFrequencies(inFlight.text);
    return sameFrequencies(inFlight.frequencies, frequencies);
  }

  /** The client got something else: the same frame goes out again, or is given up and stays unacknowledged. */
  resend(transactionId: string): void {
    const inFlight = this.#inFlight.get(transactionId);
    if (!inFlight) return;
    if (inFlight.resends === maxResends) {
      this.#inFlight.delete(transactionId);
      void this.#fill();
    } else {
      inFlight.resends += 1;
      resendsAfterCount.inc();
      this.#options.recipient.send(inFlight.text);
    }
  }

  /** False where nothing was in flight. */
  acknowledge(transactionId: string): boolean {
    const inFlight = this.#inFlight.get(transactionId);
    if (!inFlight) return false;
    this.#inFlight.delete(transactionId);
    this.#options.acknowledged(inFlight.roomId, [inFlight.messageId, inFlight.messageId]);
    void this.#fill();
    return true;
  }

  /** Called regularly: what met silence goes out again, what could not be read is read again. */
  tick(now: number): void {
    for (const [transactionId, inFlight] of this.#inFlight) {
      if (!this.#rooms.has(inFlight.roomId)) {
        this.#inFlight.delete(transactionId);
      } else if (inFlight.dueAt <= now) {
        inFlight.silenceMs = Math.min(2 * inFlight.silenceMs, maxSilenceMs);
        inFlight.dueAt = now + inFlight.silenceMs;
        resendsAfterSilence.inc();
        this.#options.recipient.send(inFlight.text);
      }
    }
    void this.#fill();
  }

  close(): void {
    this.#isClosed = true;
    this.#inFlight.clear();
  }
}
