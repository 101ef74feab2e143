import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '@parley/local-stack';
import type { Stack, StackOptions } from '@parley/local-stack';
import type { Caller, ConnectionId, SessionId, UserId } from '@parley/protocol';
import { createId } from '@parley/protocol';
import { createContext, createLog, openBus } from '@parley/service-kit';
import type { Bus, RequestContext } from '@parley/service-kit';
import { IdentifyClient } from './identify-client.ts';
import { JoinClient } from './join-client.ts';
import { LoginClient } from './login-client.ts';
import { takeServers } from './servers/take-servers.ts';
import { answerMs } from './wait.ts';

export const password = 'password123';

/** A whole Parley of real processes on real servers, for one test file. */
export interface Parley extends AsyncDisposable {
  stack: Stack;
  /** A connection of our own to its bus. */
  bus: Bus;
  /** Opens a connection to one of the gateways (default: the first). */
  connect(gateway?: number): Promise<LoginClient>;
  /** The same for the other dialects. */
  connectIdentify(gateway?: number): Promise<IdentifyClient>;
  connectJoin(options?: JoinOptions): Promise<JoinClient>;
  /** Makes an account, if it is not there yet, and gets a token for it over HTTP. */
  getToken(name: string, gateway?: number): Promise<string>;
  /** Makes a public room over HTTP; answers its id. Its owner is an account, made if need be. */
  createPublicRoom(roomName: string, owner: string): Promise<string>;
  /** Makes an account, if it is not there yet, and logs in. */
  logIn(name: string, gateway?: number): Promise<LoginClient>;
}

export interface JoinOptions {
  gateway?: number;
  /** For the `Authorization` header of the upgrade. */
  token?: string;
  /** As `?token=...`. */
  query?: string;
}

export type ParleyOptions = Partial<StackOptions>;

/**
 * Starts a Parley of its own on free ports, without rate limits and with more patience than usual, on servers of the test run. With `dataDir`, as for a restart with the
 * same data, its servers are of its own, by local-stack; so they are where the run has no more of them.
 */
export async function startParley(options: ParleyOptions = {}): Promise<Parley> {
  await using opened = new AsyncDisposableStack();
  const ownsServers = options.dataDir !== undefined || options.given !== undefined;
  const taken = ownsServers ? undefined : await takeServers();
  if (taken) opened.use(taken);
  const dataDir = options.dataDir ?? (await temporaryFolder(opened));
  const environment = {
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'warn',
    REQUEST_TIMEOUT_MS: String(answerMs),
    ...taken?.s3,
    ...options.environment,
  };
  const given = taken && { given: taken.addresses };
  const started = opened.use(await startStack({ port: 0, ...options, ...given, dataDir, environment }));
  const stack = taken ? { ...started, servers: { ...started.servers, ...taken.processes } } : started;
  const bus = opened.use(await openTestBus(stack.servers.addresses.natsUrl));
  const clients = opened.use(new DisposableStack());

  function urlOf(gateway = 0): string {
    return stack.gateways[gateway]!.webSocketUrl;
  }

  function connect(gateway?: number): Promise<LoginClient> {
    return clients.use(new LoginClient(urlOf(gateway))).opened();
  }

  function connectIdentify(gateway?: number): Promise<IdentifyClient> {
    return clients.use(new IdentifyClient(urlOf(gateway))).opened();
  }

  function connectJoin({ gateway, token, query = '' }: JoinOptions = {}): Promise<JoinClient> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return clients.use(new JoinClient(`${urlOf(gateway)}/chat${query}`, { headers })).opened();
  }

  async function post(path: string, body: object, { gateway = 0, token = '' } = {}): Promise<any> {
    const response = await fetch(`${stack.gateways[gateway]!.url}/api/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
    return response.json();
  }

  async function getToken(name: string, gateway = 0): Promise<string> {
    await post('register', { username: name, password }, { gateway });
    const { token } = await post('login', { username: name, password }, { gateway });
    return token as string;
  }

  async function createPublicRoom(roomName: string, owner: string): Promise<string> {
    const token = await getToken(owner);
    const { roomId, message } = await post('create-room', { roomName, creator: owner }, { token });
    if (!roomId) throw new Error(`no room ${roomName}: ${message as string}`);
    return roomId as string;
  }

  async function logIn(name: string, gateway = 0): Promise<LoginClient> {
    const client = await connect(gateway);
    const registered = await client.request('register', { chatid: name, password });
    if (registered.status === 'error' && registered.code !== 'username_taken') {
      throw new Error(`${name} could not register: ${registered.message ?? ''}`);
    }
    await client.logIn(name, { password });
    return client;
  }

  const open = opened.move();
  return {
    stack,
    bus,
    connect,
    connectIdentify,
    connectJoin,
    getToken,
    createPublicRoom,
    logIn,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function temporaryFolder(opened: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-test-'));
  return opened.adopt(folder, () => rm(folder, { recursive: true, force: true }));
}

/** A connection to the bus, as a service has one. */
export function openTestBus(natsUrl: string): Promise<Bus> {
  return openBus({
    natsUrl,
    name: 'parley-test',
    requestTimeoutMs: answerMs,
    log: createLog('test', 'silent'),
  });
}

/** The context of a request that is made for this user. */
export function contextOf(user: { userId: UserId; name: string }, timeoutMs = answerMs): RequestContext {
  const caller: Caller = {
    ...user,
    sessionId: 'test-session' as SessionId,
    connectionId: createId('connection') satisfies ConnectionId,
  };
  return createContext(timeoutMs, caller);
}
