import { setTimeout as delay } from 'node:timers/promises';
import type { ClientOptions } from 'ws';
import { digest, type Journal, type Sent } from '../journal.ts';
import type { SeededRandom } from '../random.ts';
import { ConnectionAccount, type StreamManner } from './account.ts';
import { Position } from './position.ts';
import { LostError, SilentError, Wire, type Frame } from './wire.ts';

/** A room as its clients know it. */
export interface Room {
  id: string;
  name: string;
  visibility: 'private' | 'public';
}

export interface TalkerParts {
  name: string;
  journal: Journal;
  random: SeededRandom;
  /** `host:port` of each; one is chosen for each connection. */
  gateways: readonly string[];
}

/** Why a connection is given up and another one tried, where the connection itself is sound. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const shortestBackoffMs = 100;
const longestBackoffMs = 1_200;
const shortestPauseMs = 150;
const longestPauseMs = 1_200;
const retryMs = 250;

/**
 * A client of good manners that talks until it is closed: it reconnects, goes on after the last message that it knows, and sends again
 * what was not confirmed. What its dialect decides is left to the classes derived from it.
 */
export abstract class Talker {
  readonly name: string;
  /** While resting it only brings to an end what it has begun, and listens. */
  isResting = true;
  protected readonly parts: TalkerParts;
  protected readonly positions = new Map<string, Position>();
  /** Present while the connection is open and the client is somebody. */
  protected wire: Wire | undefined;
  protected account: ConnectionAccount | undefined;
  #isClosed = false;
  #isSettled = false;
  #sendCount = 0;
  #lane: Promise<unknown> = Promise.resolve();
  readonly #unconfirmed = new Set<Sent>();

  constructor(parts: TalkerParts) {
    this.parts = parts;
    this.name = parts.name;
  }

  /** Whether it is connected, where it wants to be, knows all it missed, and all it sent is confirmed. */
  get isQuiet(): boolean {
    return this.#isSettled && this.#unconfirmed.size === 0 && !this.hasUnfinished();
  }

  /** For a person: what keeps it from being quiet. */
  get state(): string {
    const connected = this.wire ? (this.#isSettled ? 'settled' : 'connected') : 'not connected';
    return `${this.name} is ${connected}, with ${this.#unconfirmed.size} unconfirmed`;
  }

  /** The rooms it may send to now. */
  abstract get places(): readonly Room[];

  /** The last id of the room up to which it has everything. */
  lastOf(room: string): number {
    return this.position(room).last;
  }

  /** The last id of the room that it knows of. */
  newestOf(room: string): number {
    return this.position(room).newest;
  }

  /** Talks until {@link close}. */
  async run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#live();
      } catch (error) {
        if (!isExpected(error)) throw error;
      }
      await delay(this.parts.random.between(shortestBackoffMs, longestBackoffMs));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.wire?.close();
  }

  /** Sends a message with a text like no other's, and goes on until it is confirmed or can't be any more. */
  say(room: Room, more = ''): void {
    this.#sendCount += 1;
    const text = `${this.name} says ${this.#sendCount}${more}`;
    this.compose(room, text);
  }

  protected abstract readonly manner: StreamManner;
  /** Whether memberships are the user's, and outlive the connection. */
  protected abstract readonly hasMembership: boolean;
  /** Whether it is the same user on its next connection, so that it may send again what was not confirmed. */
  protected abstract readonly keepsName: boolean;
  /** What the connection is opened with. @throws LostError, RefusedError where it can't be found out now. */
  protected abstract address(gateway: string): Promise<{ url: string; options: ClientOptions }>;
  /** Who it is on this connection. */
  protected abstract nextUser(connection: number): string;
  /** Becomes somebody and enters its rooms, catching up. */
  protected abstract greet(): Promise<void>;
  protected abstract onFrame(frame: Frame, text: string): void;
  /** One try; several messages at once where the dialect tells their confirmations apart. */
  protected abstract transmit(messages: readonly Sent[]): Promise<void>;
  /** One of the other things that it does, by chance. */
  protected abstract act(): Promise<void>;
  /** Goes on with what was begun; called again and again. */
  protected abstract finish(): Promise<void>;
  protected abstract hasUnfinished(): boolean;
  protected abstract onClosed(code: number): void;

  /** The upgrade was refused with this HTTP status. */
  protected abstract refusedToOpen(status: number): void;

  protected position(room: string): Position {
    let position = this.positions.get(room);
    if (!position) this.positions.set(room, (position = new Position()));
    return position;
  }

  /** Requests of one client go one after the other, so that each knows its answer. */
  protected inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#lane.then(work);
    this.#lane = done.catch(() => undefined);
    return done;
  }

  /** The text as the journal knows it stands for the one that is sent. */
  protected contentOf(sent: Sent): string {
    return this.#contents.get(sent) ?? sent.text;
  }

  protected compose(room: Room, content: string): Sent {
    const sent: Sent = {
      sender: this.account?.user ?? this.name,
      room: room.id,
      text: digest(content),
      attempts: [],
    };
    if (sent.text !== content) this.#contents.set(sent, content);
    this.#unconfirmed.add(sent);
    return sent;
  }

  readonly #contents = new WeakMap<Sent, string>();

  async #live(): Promise<void> {
    const { journal, gateways, random } = this.parts;
    const { url, options } = await this.address(random.pick(gateways));
    journal.connections += 1;
    const number = journal.connections;
    const user = this.nextUser(number);
    const account = new ConnectionAccount(
      journal,
      number,
      user,
      this.hasMembership ? 'user' : 'connection',
      this.manner,
    );
    this.account = account;
    using wire = await this.#open(number, url, options);
    this.wire = wire;
    void wire.closed.then((code) => {
      journal.closes.set(code, (journal.closes.get(code) ?? 0) + 1);
      if (!this.#isClosed) account.endAll();
      this.onClosed(code);
    });
    try {
      await this.greet();
      this.#isSettled = true;
      while (wire.isOpen && !this.#isClosed) await this.#step(wire);
    } catch (error) {
      if (error instanceof SilentError) account.silent(error.message);
      throw error;
    } finally {
      this.#isSettled = false;
      this.wire = undefined;
      if (!this.keepsName) this.#unconfirmed.clear();
    }
  }

  async #open(number: number, url: string, options: ClientOptions): Promise<Wire> {
    try {
      return await Wire.open(number, url, options, (frame, text) => {
        this.onFrame(frame, text);
      });
    } catch (error) {
      if (error instanceof LostError && error.status !== undefined) this.refusedToOpen(error.status);
      throw error;
    }
  }

  async #step(wire: Wire): Promise<void> {
    const { random } = this.parts;
    const pause = this.isResting ? shortestPauseMs : random.between(shortestPauseMs, longestPauseMs);
    await Promise.race([delay(pause), wire.closed]);
    if (!wire.isOpen) return;
    await this.finish();
    if (!this.isResting) await this.#actOrTalk();
    const waiting = [...this.#unconfirmed].filter(({ room }) => this.places.some(({ id }) => id === room));
    this.#forgetUnreachable(waiting);
    if (waiting.length === 0) return;
    await this.transmit(waiting);
    for (const sent of waiting) if (sent.attempts.some(isConfirmed)) this.#unconfirmed.delete(sent);
    if (waiting.some((sent) => this.#unconfirmed.has(sent))) await delay(retryMs);
  }

  async #actOrTalk(): Promise<void> {
    const { random } = this.parts;
    if (random.isTrue(0.2)) {
      await this.act();
    } else if (this.places.length > 0) {
      this.say(random.pick(this.places));
    }
  }

  /** Messages for rooms that it is not in any more. */
  #forgetUnreachable(reachable: readonly Sent[]): void {
    for (const sent of this.#unconfirmed) if (!reachable.includes(sent)) this.#unconfirmed.delete(sent);
  }

  /** Notes a try in the journal; its first makes the message one that was sent. */
  protected attempt(sent: Sent): Sent['attempts'][number] {
    if (sent.attempts.length === 0) this.parts.journal.sent.push(sent);
    return this.account!.attempt(sent);
  }
}

export function isConfirmed({ outcome }: Sent['attempts'][number]): boolean {
  return outcome !== undefined && 'id' in outcome;
}

function isExpected(error: unknown): boolean {
  return error instanceof LostError || error instanceof RefusedError || error instanceof SilentError;
}
