import type { ClientOptions } from 'ws';
import type { Sent } from '../journal.ts';
import { membershipBegins, membershipEnded, seen, type StreamManner } from './account.ts';
import { RefusedError, Talker, type Room, type TalkerParts } from './talker.ts';
import { tolerant } from './tolerant.ts';
import { LostError, type Frame } from './wire.ts';

const password = 'password123';
const awayMs = 1_500;
const httpMs = 20_000;

const replies: Record<string, string> = { join: 'joined', leave: 'left' };

/** A client of the join dialect, which names the last message it knows when it joins: an account by its token, or a guest. */
export class JoinTalker extends Talker {
  protected readonly manner: StreamManner = { catchUp: 'server', tellsSenders: true };
  protected readonly hasMembership = false;
  protected readonly keepsName: boolean;
  readonly #rooms: ReadonlyMap<string, Room>;
  readonly #present = new Set<Room>();
  readonly #leftAt = new Map<Room, number>();
  #isRegistered = false;
  #token: string | undefined;

  /** @param isAccount Else it is on each connection a guest of another name. */
  constructor(parts: TalkerParts, rooms: readonly Room[], isAccount: boolean) {
    super(parts);
    this.keepsName = isAccount;
    this.#rooms = new Map(rooms.map((room) => [room.id, room]));
  }

  get places(): Room[] {
    return [...this.#present];
  }

  protected async address(gateway: string): Promise<{ url: string; options: ClientOptions }> {
    if (!this.keepsName) return { url: `ws://${gateway}/chat`, options: {} };
    this.#token ??= await this.#getToken(gateway);
    return { url: `ws://${gateway}/chat`, options: { headers: { authorization: `Bearer ${this.#token}` } } };
  }

  protected nextUser(connection: number): string {
    return this.keepsName ? this.name : `${this.name}-${connection}`;
  }

  protected async greet(): Promise<void> {
    for (const room of this.#rooms.values()) await this.#join(room);
  }

  protected refusedToOpen(status: number): void {
    if (status === 401) this.#token = undefined;
  }

  protected onFrame(frame: Frame): void {
    if (!['new-message', 'file'].includes(frame.action)) return;
    // The answer to a repeat is for us alone and no delivery.
    if (frame['clientMessageId'] !== undefined) return;
    const content = (frame['message'] ?? frame['file']?.name) as string;
    const { roomId, id, sender, timestamp } = frame;
    this.account?.delivered(roomId, seen(id, sender, content, timestamp));
    this.position(roomId).add(id as number);
  }

  /** One at a time: what confirms a message is the message. */
  protected async transmit(messages: readonly Sent[]): Promise<void> {
    for (const sent of messages) await this.inTurn(() => this.#send(sent));
  }

  protected async act(): Promise<void> {
    const { random } = this.parts;
    if (this.#present.size > 0) await this.#leave(random.pick([...this.#present]));
  }

  protected async finish(): Promise<void> {
    for (const [room, at] of this.#leftAt) {
      if (performance.now() - at > awayMs) await tolerant(this.#join(room));
    }
  }

  protected hasUnfinished(): boolean {
    return this.#leftAt.size > 0;
  }

  protected onClosed(code: number): void {
    if (code === 4003) this.#token = undefined;
    this.#present.clear();
    this.#leftAt.clear();
  }

  async #join(room: Room): Promise<void> {
    const { account } = this;
    membershipBegins(this.parts.journal, account!.member, room.id);
    const lastId = this.lastOf(room.id);
    const stream = account!.begin(room.id, lastId);
    stream.isCaughtUp = false;
    await this.#ask('join', { username: account!.user, roomId: room.id, lastId });
    stream.isCaughtUp = true;
    this.#present.add(room);
    this.#leftAt.delete(room);
  }

  async #leave(room: Room): Promise<void> {
    const { account } = this;
    this.#present.delete(room);
    account!.end(room.id);
    this.#leftAt.set(room, performance.now());
    await this.#ask('leave', { username: account!.user, roomId: room.id });
    membershipEnded(this.parts.journal, account!.member, room.id);
  }

  async #send(sent: Sent): Promise<void> {
    const { wire, account } = this;
    if (!wire || !account) return;
    const attempt = this.attempt(sent);
    const request = { roomId: sent.room, message: this.contentOf(sent), clientMessageId: sent.text };
    const answer = await wire.request(
      'send-message',
      JSON.stringify({ action: 'send-message', ...request }),
      (frame) =>
        (frame.action === 'new-message' &&
          frame['message'] === request.message &&
          frame['sender'] === account.user) ||
        (frame.action === 'error' && frame['originalAction'] === 'send-message'),
    );
    if (answer.action === 'error') account.refused('send-message', answer['code'] as string);
    else attempt.outcome = { at: performance.now(), id: answer['id'], timestamp: answer['timestamp'] };
  }

  #ask(action: string, fields: object): Promise<Frame> {
    return this.inTurn(async () => {
      const { wire, account } = this;
      if (!wire || !account) throw new RefusedError('unavailable');
      const answer = await wire.request(action, JSON.stringify({ action, ...fields }), (frame) =>
        frame.action === 'error' ? frame['originalAction'] === action : frame.action === replies[action],
      );
      if (answer.action !== 'error') return answer;
      account.refused(action, answer['code'] as string);
      throw new RefusedError(answer['code'] as string);
    });
  }

  async #getToken(gateway: string): Promise<string> {
    if (!this.#isRegistered) {
      await this.#post(gateway, 'register').catch((error: unknown) => {
        // Ours, of a try whose answer was lost.
        if (!(error instanceof RefusedError && error.code === 'username_taken')) throw error;
      });
      this.#isRegistered = true;
    }
    const { token } = await this.#post(gateway, 'login');
    return token as string;
  }

  async #post(gateway: string, path: string): Promise<Record<string, any>> {
    let response: Response;
    let body: Record<string, any>;
    try {
      response = await fetch(`http://${gateway}/api/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ username: this.name, password }),
        signal: AbortSignal.timeout(httpMs),
      });
      body = (await response.json()) as Record<string, any>;
    } catch (cause) {
      throw new LostError((cause as Error).message);
    }
    if (response.ok) return body;
    const code = String(body['code']);
    const { journal } = this.parts;
    journal.refusals.push({ at: performance.now(), user: this.name, connection: 0, action: path, code });
    throw new RefusedError(code);
  }
}
