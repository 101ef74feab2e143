import { randomBytes } from 'node:crypto';
import { NotApplicable } from './failure.ts';
import { isFields, text } from './fields.ts';
import type { Fields } from './fields.ts';
import { Transcript } from './transcript.ts';
import { IdentifyWire } from './wires/identify-wire.ts';
import { JoinWire } from './wires/join-wire.ts';
import { dataOf, LoginWire } from './wires/login-wire.ts';
import { afterRateLimit } from './wires/rate-limit.ts';
import { Wire } from './wires/wire.ts';
import type { WireOptions } from './wires/wire.ts';

export interface StageOptions {
  /** The server, as `ws://localhost:20200`. */
  url: string;
  /** Longest wait for anything, in ms. */
  patienceMs: number;
  /** Largest frame that the server takes, in bytes. */
  maxFrameBytes: number;
}

export interface Account {
  name: string;
  password: string;
}

export interface HttpAnswer {
  status: number;
  headers: Headers;
  /** What the JSON says; undefined where it is none. */
  body: unknown;
}

const password = 'conformance-1';

/** What one check plays on: connections, accounts with names that nobody has, and the record of what passed. */
export class Stage implements Disposable {
  readonly options: StageOptions;
  readonly transcript = new Transcript();
  readonly #opened: Wire[] = [];

  constructor(options: StageOptions) {
    this.options = options;
  }

  /** A name that nobody has. */
  newName(what: string): string {
    return `${what}-${randomBytes(5).toString('hex')}`;
  }

  /** A connection of no dialect yet. @param path As `/ws`. */
  async connect(path = '/ws'): Promise<Wire> {
    return this.#keep(new Wire(this.#wire('client', path))).opened();
  }

  /** A connection of the login dialect on which nobody is logged in. */
  async connectLogin(who = 'client'): Promise<LoginWire> {
    return this.#keep(new LoginWire(this.#wire(who, '/ws'))).opened();
  }

  async connectIdentify(who = 'client'): Promise<IdentifyWire> {
    return this.#keep(new IdentifyWire(this.#wire(who, '/'))).opened();
  }

  /** @param path With a query, where there is one. */
  async connectJoin(who = 'client', { token = '', path = '/chat' } = {}): Promise<JoinWire> {
    return this.#keep(new JoinWire(this.#wire(who, path, token))).opened();
  }

  /** The HTTP status with which an upgrade is refused; undefined where it is not. */
  upgradeRefusal(path: string, token = ''): Promise<number | undefined> {
    return this.#keep(new Wire(this.#wire('client', path, token))).upgradeRefusal();
  }

  async newAccount(who: string): Promise<Account> {
    const name = this.newName(who);
    const wire = await this.connectLogin(who);
    await wire.ask('register', { chatid: name, password });
    await wire.close();
    return { name, password };
  }

  /** Makes an account and logs in with it. @param more What else the login asks for. */
  async logIn(who: string, more: object = {}): Promise<LoginWire> {
    const account = { name: this.newName(who), password };
    const wire = await this.connectLogin(who);
    await wire.ask('register', { chatid: account.name, password });
    await wire.logIn(account.name, { password, ...more });
    return wire;
  }

  /** Logs in again, who was away. */
  async logInAgain({ who, name, sessionKey }: LoginWire): Promise<LoginWire> {
    const wire = await this.connectLogin(who);
    await wire.logIn(name, { session_key: sessionKey });
    return wire;
  }

  /** A guest of the login dialect. @throws NotApplicable where there are none. */
  async logInAsGuest(who: string): Promise<LoginWire> {
    const wire = await this.connectLogin(who);
    const name = this.newName(who);
    const { frame } = await wire.request('login_as_guest', { chatid: name });
    if (frame['code'] === 'forbidden' || frame['code'] === 'unknown_action') {
      throw new NotApplicable('there are no guests of the login dialect here');
    }
    wire.name = name;
    wire.sessionKey = text(dataOf(frame), 'session_key');
    return wire;
  }

  /** A guest of the identify dialect. @throws NotApplicable where there are none. */
  async identify(who: string): Promise<IdentifyWire> {
    const wire = await this.connectIdentify(who);
    await wire.identify(this.newName(who));
    await wire.event('roomsList');
    return wire;
  }

  /** A room of the first with the others in it, who have been told. */
  async room(owner: LoginWire, ...others: LoginWire[]): Promise<string> {
    const participants = others.map(({ name }) => name);
    const room_name = this.newName('room');
    const roomId = text(await owner.ask('create_room', { participants, room_name }), 'room_id');
    await Promise.all(others.map((other) => other.event('user_added')));
    return roomId;
  }

  /** Asks the HTTP API, again where the rate is limited. @throws Error where it does not answer. */
  http(method: 'GET' | 'POST', path: string, { token = '', body = {} } = {}): Promise<HttpAnswer> {
    const url = `${this.options.url.replace(/^ws/, 'http')}${path}`;
    return afterRateLimit(
      async () => {
        this.transcript.add(
          'http',
          '->',
          `${method} ${path} ${method === 'POST' ? JSON.stringify(body) : ''}`,
        );
        const response = await fetch(url, {
          method,
          headers: {
            ...(method === 'POST' && { 'content-type': 'application/json' }),
            ...(token !== '' && { authorization: `Bearer ${token}` }),
          },
          ...(method === 'POST' && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(this.options.patienceMs),
        });
        const { status, headers } = response;
        const answer = await response.text();
        this.transcript.add('http', '<-', `${status} ${answer}`);
        return { status, headers, body: parse(answer) };
      },
      ({ body: answer }) =>
        isFields(answer) && answer['code'] === 'rate_limited' ? answer['retry_after_ms'] : undefined,
    );
  }

  /** Makes an account and gets a token for it over HTTP. */
  async token(who: string): Promise<{ name: string; token: string }> {
    const name = this.newName(who);
    const credentials = { username: name, password };
    await this.http('POST', '/api/register', { body: credentials });
    const { body } = await this.http('POST', '/api/login', { body: credentials });
    return { name, token: text(asFields(body), 'token') };
  }

  /** A public room, made over HTTP. */
  async publicRoom({ name, token }: { name: string; token: string }): Promise<{ id: string; name: string }> {
    const roomName = this.newName('room');
    const { body } = await this.http('POST', '/api/create-room', {
      token,
      body: { roomName, creator: name },
    });
    return { id: text(asFields(body), 'roomId'), name: roomName };
  }

  /** Somebody with an account in a room over the join dialect. */
  async join(who: string, roomId: string, more: Fields = {}): Promise<JoinWire & { username: string }> {
    const { name, token } = await this.token(who);
    const wire = await this.connectJoin(who, { token });
    await wire.ask('join', { username: name, roomId, ...more });
    return Object.assign(wire, { username: name });
  }

  [Symbol.dispose](): void {
    for (const wire of this.#opened) wire.terminate();
  }

  #wire(who: string, path: string, token = ''): WireOptions {
    const { url, patienceMs } = this.options;
    return {
      url: `${url}${path}`,
      who,
      transcript: this.transcript,
      patienceMs,
      ...(token !== '' && { headers: { authorization: `Bearer ${token}` } }),
    };
  }

  #keep<Kind extends Wire>(wire: Kind): Kind {
    this.#opened.push(wire);
    return wire;
  }
}

/** Nothing, where it is no object: what is asked of it then fails. */
export function asFields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function parse(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}
