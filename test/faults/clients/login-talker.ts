import { setTimeout as delay } from 'node:timers/promises';
import type { ClientOptions } from 'ws';
import type { SeenMessage, Sent, Stream } from '../journal.ts';
import type { StreamManner } from './account.ts';
import { membershipBegins, membershipEnded, seen } from './account.ts';
import { HandshakePart } from './handshake-part.ts';
import { answersRequest, clientMessageId, messagesOf } from './login-frames.ts';
import { HostPart } from './host-part.ts';
import { RefusedError, Talker, type Room, type TalkerParts } from './talker.ts';
import { tolerant } from './tolerant.ts';
import { UploadPart } from './upload-part.ts';
import type { Frame } from './wire.ts';

const password = 'password123';
const retryMs = 300;
/** Who left stays away so long at least, so that what was on its way has come. */
const awayMs = 1_500;

export interface LoginTalkerOptions {
  handshake?: boolean;
  /** Whether it wants to be told of receipts for its messages. */
  receipts?: boolean;
  /** Whether it leaves rooms and comes back, and uploads files. */
  isMoving?: boolean;
}

/** A client of the login dialect: an account, with or without the integrity handshake. */
export class LoginTalker extends Talker {
  protected readonly manner: StreamManner;
  protected readonly hasMembership = true;
  protected readonly keepsName = true;
  readonly options: LoginTalkerOptions;
  /** Rooms that it is in, as far as it knows. */
  readonly #rooms = new Map<string, Room>();
  /** Public rooms to be in that it is not in, and since when. */
  readonly #away = new Map<Room, number>();
  readonly #uploads: UploadPart;
  /** Private rooms that are not its business, to try. */
  forbidden: readonly Room[] = [];
  /** What it does as the owner of private rooms. */
  readonly host: HostPart;
  #handshake: HandshakePart | undefined;
  #isRegistered = false;
  readonly #catchingUp = new WeakMap<Stream, Promise<void>>();
  #sessionKey: string | undefined;

  constructor(parts: TalkerParts, options: LoginTalkerOptions = {}) {
    super(parts);
    this.options = options;
    this.manner = { catchUp: options.handshake ? 'receipts' : 'pages', tellsSenders: false };
    const { journal, random } = parts;
    const ask = (action: string, data: object) => this.ask(action, data);
    this.#uploads = new UploadPart({ user: this.name, journal, random, ask });
    this.host = new HostPart({ journal, random, ask });
  }

  get places(): Room[] {
    return [...this.#rooms.values()];
  }

  override get state(): string {
    return `${super.state}, away from ${this.#away.size}, ${this.#uploads.state}, ${this.host.state}`;
  }

  /** What opens the HTTP API to it; absent while it is not logged in. */
  get sessionKey(): string | undefined {
    return this.#sessionKey;
  }

  /** The whole history of a room that it is in, oldest first. @throws RefusedError, LostError */
  async readHistory(room: string): Promise<SeenMessage[]> {
    const history: SeenMessage[] = [];
    for (;;) {
      const after_id = history.at(-1)?.id ?? 0;
      const page = await this.insist('get_messages', { room_id: room, after_id });
      history.push(...messagesOf(page));
      if (!page.has_more) return history;
    }
  }

  /** Makes a room whose members are in it from its first message on. @throws RefusedError, LostError */
  async createRoom(
    name: string,
    members: readonly LoginTalker[],
    visibility: Room['visibility'],
  ): Promise<Room> {
    const participants = members.map((member) => member.name);
    const { room_id } = await this.ask('create_room', { room_name: name, participants, visibility });
    const room = { id: room_id as string, name, visibility };
    for (const member of [this, ...members]) {
      membershipBegins(this.parts.journal, member.name, room.id);
      member.enter(room);
    }
    return room;
  }

  /** Lets it be a member of the public room from now on. */
  goTo(room: Room): void {
    this.#away.set(room, 0);
  }

  /** It was made a member of the room before anything was said there. */
  enter(room: Room): void {
    this.#rooms.set(room.id, room);
    if (this.account && !this.account.stream(room.id)) this.account.begin(room.id, 0).isCaughtUp = true;
  }

  /** @throws RefusedError with the code, where it is refused. */
  ask(action: string, data: object = {}): Promise<Record<string, any>> {
    return this.inTurn(async () => {
      const { wire } = this;
      if (!wire) throw new RefusedError('unavailable');
      const text = JSON.stringify({ action, data });
      this.#handshake?.sending(action, text);
      const frame = await wire.request(action, text, (candidate) =>
        answersRequest(candidate, action, data, this.name),
      );
      if (frame.action !== 'error' && frame.action !== 'login_fail') return frame.data as Record<string, any>;
      this.account?.refused(action, frame.code as string);
      throw new RefusedError(frame.code as string);
    });
  }

  /** As {@link ask}, again as long as it is `unavailable`. */
  async insist(action: string, data: object = {}): Promise<Record<string, any>> {
    for (;;) {
      try {
        return await this.ask(action, data);
      } catch (error) {
        if (!(error instanceof RefusedError && error.code === 'unavailable') || !this.wire) throw error;
        await delay(retryMs);
      }
    }
  }

  pauseReading(): void {
    this.wire?.pause();
  }

  resumeReading(): void {
    this.wire?.resume();
  }

  protected address(gateway: string): Promise<{ url: string; options: ClientOptions }> {
    return Promise.resolve({ url: `ws://${gateway}/ws`, options: {} });
  }

  protected nextUser(): string {
    return this.name;
  }

  protected async greet(): Promise<void> {
    const { handshake, receipts } = this.options;
    await this.#register();
    const { wire, account } = this;
    if (handshake) this.#handshake = new HandshakePart((text) => wire?.send(text));
    // What is live may come before the reply to the login does.
    for (const room of this.#rooms.keys()) account!.begin(room, handshake ? 0 : this.lastOf(room));
    const proof = this.#sessionKey === undefined ? { password } : { session_key: this.#sessionKey };
    try {
      const session = await this.ask('login', { chatid: this.name, ...proof, handshake, receipts });
      this.#sessionKey = session.session_key as string;
    } catch (error) {
      if (error instanceof RefusedError && error.code !== 'unavailable') this.#sessionKey = undefined;
      throw error;
    }
    const { rooms } = await this.insist('get_rooms');
    for (const { id, name, visibility } of rooms as Room[]) {
      if (!this.#rooms.has(id)) account!.begin(id, this.lastOf(id));
      this.#rooms.set(id, { id, name, visibility });
    }
    const listed = new Set((rooms as Room[]).map(({ id }) => id));
    for (const id of [...this.#rooms.keys()].filter((known) => !listed.has(known))) this.#out(id);
    for (const id of this.#rooms.keys()) await this.#catchUp(id);
  }

  protected onFrame(frame: Frame, text: string): void {
    const { data } = frame;
    this.#handshake?.take(frame, text, (room, id) => this.account?.acknowledged(room, id));
    if (frame.action === 'receive_message' || frame.action === 'receive_file') {
      const content = (data.content ?? data.file_path) as string;
      this.account?.delivered(
        data.room_id,
        seen(data.message_id, data.sender_chatid, content, data.timestamp),
      );
      this.position(data.room_id).add(data.message_id as number);
    } else if (frame.action === 'user_added' && data.user_added === this.name) {
      this.#added({ id: data.room_id, name: data.room_name, visibility: 'private' });
    } else if (frame.action === 'user_removed' && data.user_removed === this.name) {
      this.#out(data.room_id);
    } else if (frame.action === 'message_delivered') {
      const { room_id: room, message_id: id, chatid: reader } = data;
      this.parts.journal.receipts.push({ at: performance.now(), reader, room, id, kind: 'message' });
    }
  }

  /** All at once; now and then one of them twice. */
  protected transmit(messages: readonly Sent[]): Promise<void> {
    const twice = this.parts.random.isTrue(0.05) ? messages.slice(0, 1) : [];
    const tries = [...messages, ...twice].map((sent) => ({ sent, attempt: this.attempt(sent) }));
    return this.inTurn(async () => {
      const { wire } = this;
      if (!wire) return;
      let answered = 0;
      const all = wire.next('send_message', (frame) => {
        if (frame.action === 'ack' && frame.data.message_id !== undefined) {
          const { client_message_id, message_id: id, timestamp, room_id } = frame.data;
          const confirmed = tries.find(
            ({ sent, attempt }) => clientMessageId(sent) === client_message_id && !attempt.outcome,
          );
          if (!confirmed) return false;
          confirmed.attempt.outcome = { at: performance.now(), id, timestamp };
          this.position(room_id).add(id as number);
        } else if (frame.action === 'error' && frame.original_action === 'send_message') {
          this.account?.refused('send_message', frame.code as string);
        } else return false;
        answered += 1;
        return answered === tries.length;
      });
      for (const { sent } of tries) {
        const data = {
          room_id: sent.room,
          content: this.contentOf(sent),
          client_message_id: clientMessageId(sent),
        };
        const text = JSON.stringify({ action: 'send_message', data });
        this.#handshake?.sending('send_message', text);
        wire.send(text);
      }
      await all;
    });
  }

  protected async act(): Promise<void> {
    const { random } = this.parts;
    const acts = [() => this.#read(), () => this.#trespass(), () => this.#burst()];
    if (this.options.isMoving)
      acts.push(
        () => this.#leave(),
        () => this.#upload(),
        () => this.#upload(),
      );
    if (this.host.isHost) acts.push(() => this.host.remove());
    await tolerant(random.pick(acts)());
  }

  protected async finish(): Promise<void> {
    const now = performance.now();
    for (const [room, since] of this.#away) {
      if (now - since > awayMs) await tolerant(this.#join(room));
    }
    await tolerant(this.host.step());
    await tolerant(this.#uploads.step());
  }

  protected hasUnfinished(): boolean {
    return this.#away.size > 0 || this.host.isWaiting || this.#uploads.isBusy;
  }

  protected refusedToOpen(): void {
    // Nothing that it brings along could be the reason.
  }

  protected onClosed(code: number): void {
    if (code === 4003) this.#sessionKey = undefined;
    this.#handshake = undefined;
  }

  async #register(): Promise<void> {
    if (this.#isRegistered) return;
    try {
      await this.ask('register', { chatid: this.name, password });
    } catch (error) {
      // Ours, of a try whose answer was lost.
      if (!(error instanceof RefusedError && error.code === 'username_taken')) throw error;
    }
    this.#isRegistered = true;
  }

  /** Reads what it has missed, once, unless the server tells it by itself. */
  #catchUp(room: string): Promise<void> {
    const stream = this.account?.stream(room);
    if (!stream || stream.isCaughtUp) return Promise.resolve();
    // A room that it is added to while it greets is due for both reasons.
    const underWay = this.#catchingUp.get(stream) ?? this.#readMissed(room, stream);
    this.#catchingUp.set(stream, underWay);
    return underWay;
  }

  async #readMissed(room: string, stream: Stream): Promise<void> {
    for (let after = stream.after; ;) {
      const page = await this.insist('get_messages', { room_id: room, after_id: after }).catch(
        (error: unknown) => {
          if (error instanceof RefusedError && error.code === 'not_in_room') return undefined;
          throw error;
        },
      );
      if (!page) {
        this.#out(room);
        return;
      }
      const messages = messagesOf(page);
      stream.pages.push(...messages);
      for (const { id } of messages) this.position(room).add(id);
      after = messages.at(-1)?.id ?? after;
      if (!page.has_more) break;
    }
    stream.isCaughtUp = true;
  }

  #added(room: Room): void {
    if (this.#rooms.has(room.id)) return;
    this.#rooms.set(room.id, room);
    this.account?.begin(room.id, this.lastOf(room.id));
    // What the connection's end cuts off, the next one begins anew.
    void this.#catchUp(room.id).catch(() => undefined);
  }

  #out(room: string): void {
    this.#rooms.delete(room);
    this.account?.end(room);
  }

  async #join(room: Room): Promise<void> {
    const { account } = this;
    membershipBegins(this.parts.journal, this.name, room.id);
    account?.begin(room.id, this.lastOf(room.id));
    try {
      await this.ask('join_room', { room_id: room.id });
    } catch (error) {
      account?.end(room.id);
      throw error;
    }
    this.#rooms.set(room.id, room);
    this.#away.delete(room);
    await this.#catchUp(room.id);
  }

  async #leave(): Promise<void> {
    const rooms = this.places.filter(({ visibility }) => visibility === 'public');
    if (rooms.length === 0) return;
    const room = this.parts.random.pick(rooms);
    this.#out(room.id);
    this.#away.set(room, performance.now());
    await this.ask('leave_room', { room_id: room.id });
    membershipEnded(this.parts.journal, this.name, room.id);
  }

  async #read(): Promise<void> {
    if (this.places.length === 0) return;
    const { random, journal } = this.parts;
    const room = random.pick(this.places).id;
    const after = random.below(this.lastOf(room) + 1);
    const page = await this.ask('get_messages', { room_id: room, after_id: after, limit: 50 });
    journal.pages.push({ at: performance.now(), user: this.name, room, after, messages: messagesOf(page) });
  }

  async #trespass(): Promise<void> {
    if (this.forbidden.length === 0) return;
    const { random, journal } = this.parts;
    const room = random.pick(this.forbidden).id;
    const action = random.pick(['get_messages', 'get_room_users', 'get_receipts']);
    await this.ask(action, { room_id: room });
    journal.trespasses.push({ at: performance.now(), user: this.name, room, action });
  }

  #burst(): Promise<void> {
    if (this.places.length > 0) {
      const room = this.parts.random.pick(this.places);
      for (let count = this.parts.random.below(6); count > 0; count -= 1) this.say(room);
    }
    return Promise.resolve();
  }

  #upload(): Promise<void> {
    if (this.places.length > 0) this.#uploads.begin(this.parts.random.pick(this.places).id);
    return Promise.resolve();
  }
}
