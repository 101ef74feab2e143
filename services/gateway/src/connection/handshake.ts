import {
  acknowledgeEvent,
  confirmRequest,
  countEvent,
  letterFrequencies,
  messageOfTransaction,
  ParleyError,
  sameFrequencies,
} from '@parley/protocol';
import type {
  Command,
  IdRange,
  LetterFrequencies,
  MessageId,
  Method,
  RequestOf,
  RoomId,
  SentMessage,
  User,
} from '@parley/protocol';
import type { Connection } from './connection.ts';
import { Deliveries } from './deliveries.ts';
import { Exchanges, unknownTransaction } from './exchanges.ts';
import type { Exchange } from './exchanges.ts';
import type { HandshakeClock } from './handshake-clock.ts';

/** What the handshakes of all connections have in common. */
export interface HandshakeParts {
  /** `HANDSHAKE=required`: every request is under it, on every connection whose dialect has it. */
  isRequired: boolean;
  timeoutMs: number;
  /** What the frames of one connection's requests that wait for their confirmation may take, in UTF-16 units. */
  maxWaitingSize: number;
  resendMs: number;
  clock: HandshakeClock;
  /** What follows a message of a room that the connection is in, oldest first; by default as much as fits a page. */
  readAfter: (
    connection: Connection,
    roomId: RoomId,
    after: MessageId,
    limit?: number,
  ) => Promise<readonly SentMessage[]>;
  /** Whether the message has been delivered to the connection in the usual way. */
  wasDelivered: (connection: Connection, roomId: RoomId, messageId: MessageId) => boolean;
  acknowledged: (user: User, roomId: RoomId, range: IdRange) => void;
}

/** Counts that may be owed at most: of each frame in flight, and of one more time that it went out. */
const maxUncounted = 64;

const steps: readonly Method[] = [confirmRequest, countEvent, acknowledgeEvent];

/** The integrity handshake of one connection, both ways (protocol.md, "Integrity handshake"). */
export class Handshake {
  readonly #connection: Connection;
  readonly #parts: HandshakeParts;
  readonly #exchanges: Exchanges;
  /** Frames that went out to be acknowledged and may be counted still. */
  #uncounted = 0;
  /** The messages on their way to the client: once it has logged in under the handshake. */
  deliveries: Deliveries | undefined;

  constructor(connection: Connection, parts: HandshakeParts) {
    this.#connection = connection;
    this.#parts = parts;
    this.#exchanges = new Exchanges(parts.maxWaitingSize);
  }

  /** What the requests that wait for their confirmation take in memory, in UTF-16 units. */
  get waitingSize(): number {
    return this.#exchanges.size;
  }

  /** Whether the command is the client's part in a handshake, rather than a request. */
  static isStep({ method }: Command): boolean {
    return steps.includes(method);
  }

  /**
   * Whether the step answers something that waits for it. Each time that a frame went out it may be counted once; a count
   * more of what is not acknowledged yet is a request like any other.
   */
  expects({ method, request }: Command): boolean {
    const { transactionId } = request as { transactionId: string };
    if (method === confirmRequest) return this.#exchanges.has(transactionId);
    if (!this.deliveries?.has(transactionId)) return false;
    if (method !== countEvent) return true;
    if (this.#uncounted === 0) return false;
    this.#uncounted -= 1;
    return true;
  }

  /** Sends the count of a request; it waits for its confirmation. */
  begin(command: Command, text: string): void {
    const { transactionId } = this.#exchanges.begin(command, text.length, this.#parts.timeoutMs);
    this.#parts.clock.add(this);
    const { handshake } = this.#connection.dialect;
    this.#connection.send(handshake!.count(transactionId, letterFrequencies(text), command.action));
  }

  /**
   * Takes a step of the client.
   * @returns The exchange whose request may be processed now.
   * @throws ParleyError `invalid_field` where nothing waits for the step; nothing changes.
   */
  async take({ method, request }: Command): Promise<Exchange | undefined> {
    if (method === confirmRequest) return this.#confirm(request as RequestOf<typeof confirmRequest>);
    if (!this.#connection.session) throw new ParleyError('not_authenticated');
    if (method === countEvent) await this.#count(request as RequestOf<typeof countEvent>);
    else this.#acknowledge(request as RequestOf<typeof acknowledgeEvent>);
    return undefined;
  }

  #confirm({ transactionId, confirm }: RequestOf<typeof confirmRequest>): Exchange | undefined {
    const exchange = this.#exchanges.take(transactionId);
    if (confirm) return exchange;
    this.#connection.send(this.#connection.dialect.handshake!.mismatch(transactionId));
    return undefined;
  }

  async #count({ transactionId, letterFrequencies: counted }: RequestOf<typeof countEvent>): Promise<void> {
    const confirm =
      this.deliveries?.isCount(transactionId, counted) ??
      (await this.#isCountOfDelivered(transactionId, counted));
    const { dialect } = this.#connection;
    const reply = dialect.encodeReply(
      { method: countEvent, request: undefined, action: 'character_count', claimedName: undefined },
      { transactionId, confirm },
    );
    if (reply !== undefined) this.#connection.send(reply);
    if (!confirm) this.deliveries?.resend(transactionId);
  }

  /** For frames that nothing waits for any more, or never did. */
  async #isCountOfDelivered(transactionId: string, counted: LetterFrequencies): Promise<boolean> {
    const { roomId, messageId } = this.#delivered(transactionId);
    const [message] = await this.#parts.readAfter(this.#connection, roomId, messageId - 1, 1);
    if (!message) throw unknownTransaction();
    const [text] = this.#connection.dialect.encodeEvent({ type: 'message', roomId, ...message });
    if (text === undefined) throw unknownTransaction();
    return sameFrequencies(letterFrequencies(text), counted);
  }

  #acknowledge({ transactionId }: RequestOf<typeof acknowledgeEvent>): void {
    if (this.deliveries?.acknowledge(transactionId)) return;
    const { roomId, messageId } = this.#delivered(transactionId);
    this.#parts.acknowledged(this.#connection.session!, roomId, [messageId, messageId]);
  }

  #delivered(transactionId: string): { roomId: RoomId; messageId: MessageId } {
    const message = messageOfTransaction(transactionId);
    if (!message) throw unknownTransaction();
    const { roomId, messageId } = message;
    const wasDelivered =
      this.deliveries?.wasDelivered(roomId, messageId) ??
      this.#parts.wasDelivered(this.#connection, roomId, messageId);
    if (!wasDelivered) throw unknownTransaction();
    return message;
  }

  /** From now on messages are delivered until they are acknowledged. */
  startDeliveries(): Deliveries {
    const { resendMs, readAfter, acknowledged, clock } = this.#parts;
    const user = this.#connection.session!;
    this.deliveries = new Deliveries({
      recipient: {
        id: this.#connection.id,
        dialect: this.#connection.dialect,
        send: (text) => {
          this.#uncounted = Math.min(this.#uncounted + 1, maxUncounted);
          this.#connection.send(text);
        },
      },
      userId: user.userId,
      resendMs,
      readAfter: (roomId, after) => readAfter(this.#connection, roomId, after),
      acknowledged: (roomId, range) => {
        // Under the name of now: a guest may have been renamed.
        acknowledged(this.#connection.session ?? user, roomId, range);
      },
    });
    clock.add(this);
    return this.deliveries;
  }

  stopDeliveries(): void {
    this.deliveries?.close();
    this.deliveries = undefined;
  }

  tick(now: number): void {
    for (const { command, transactionId } of this.#exchanges.takeExpired(now)) {
      const error = new ParleyError('handshake_timeout', { transactionId });
      this.#connection.send(this.#connection.dialect.encodeError(error, command.action));
    }
    this.deliveries?.tick(now);
  }

  close(): void {
    this.#parts.clock.delete(this);
    this.stopDeliveries();
  }
}
