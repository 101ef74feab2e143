import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commitSends, createId, createRoom, findUsers } from '@parley/protocol';
import type { RoomId, User } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import { answerMs, contextOf, inTime, password, startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { WebSocket } from 'ws';

const app = 'https://app.example.org';

let parley: Parley;
let url: string;
beforeAll(async () => {
  parley = await startParley({ environment: { ALLOWED_ORIGINS: app } });
  url = parley.stack.gateways[0]!.url;
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

interface Answer {
  status: number;
  headers: Headers;
  body: any;
}

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${url}${path}`, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  };
}

function withToken(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

function get(path: string, token?: string): Promise<Answer> {
  return ask(path, { headers: withToken(token) });
}

/** @param body A string goes out as it is. */
function post(path: string, body: unknown, token?: string): Promise<Answer> {
  return ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...withToken(token) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** A new account's token. */
async function logIn(username: string): Promise<string> {
  expect(await post('/api/register', { username, password })).toMatchObject({ status: 201 });
  return (await post('/api/login', { username, password })).body.token;
}

async function makeRoom(creator: string, token: string, roomName: string): Promise<RoomId> {
  const { status, body } = await post('/api/create-room', { roomName, creator }, token);
  expect({ status, body }).toMatchObject({ status: 200 });
  return body.roomId;
}

/** Sends `1`, `2`, `3` ... in the user's name, past the gateway. */
async function say(roomId: RoomId, sender: User, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 500) {
    const sends = Array.from({ length: Math.min(500, count - sent) }, (_, index) => ({
      content: String(sent + index + 1),
    }));
    const { results } = await parley.bus.call(commitSends, { roomId, sends }, contextOf(sender));
    expect(results.filter((result) => 'error' in result)).toEqual([]);
  }
}

/** The next page's path, as a client reads it from the `Link` header. */
function nextOf({ headers }: Answer): string | undefined {
  return /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
}

describe('the conversation of the seed, body by body', () => {
  let token: string;
  let roomId: string;

  test('POST /api/login', async () => {
    await post('/api/register', { username: 'john_doe', password: 'securepassword' });
    const { status, body } = await post('/api/login', { username: 'john_doe', password: 'securepassword' });
    expect({ status, body }).toEqual({ status: 200, body: { status: 'success', token: expect.any(String) } });
    token = body.token;
  });

  test('POST /api/create-room', async () => {
    const { status, body } = await post(
      '/api/create-room',
      { roomName: 'TechTalk', creator: 'john_doe' },
      token,
    );
    expect({ status, body }).toEqual({
      status: 200,
      body: { status: 'success', roomId: expect.any(String) },
    });
    roomId = body.roomId;
  });

  test('GET /api/rooms', async () => {
    const { status, body } = await get('/api/rooms', token);
    expect(status).toBe(200);
    expect(body).toContainEqual({ roomId, roomName: 'TechTalk' });
    expect(body).toContainEqual({ roomId: expect.any(String), roomName: 'default' });
  });

  test('POST /api/join-room', async () => {
    const jane = await logIn('jane_doe');
    const { status, body } = await post('/api/join-room', { roomId, username: 'jane_doe' }, jane);
    expect({ status, body }).toEqual({
      status: 200,
      body: { status: 'success', message: 'Joined room TechTalk' },
    });
    expect(await post('/api/join-room', { roomId, username: 'jane_doe' }, jane)).toMatchObject({
      status: 200,
    });
  });

  test('GET /api/chat-history/:roomId', async () => {
    const jane = await parley.logIn('jane.of.login');
    await jane.ask('join_room', { room_id: roomId });
    await jane.ask('send_message', { room_id: roomId, content: 'Hello!' });
    const { status, body } = await get(`/api/chat-history/${roomId}`, token);
    expect(status).toBe(200);
    const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const hello = { sender: 'jane.of.login', message: 'Hello!', timestamp, id: 1 };
    expect(body).toEqual({ roomId, messages: [hello] });
  });
});

describe('accounts', () => {
  test('are registered once, under a name in its stored form', async () => {
    const { status, body } = await post('/api/register', { username: '  re\u0301mi ', password });
    expect({ status, body }).toEqual({ status: 201, body: { status: 'success', username: 'r\u00e9mi' } });
    expect(await post('/api/register', { username: 'r\u00e9mi', password })).toMatchObject({
      status: 409,
      body: { status: 'error', code: 'username_taken' },
    });
    expect(await post('/api/login', { username: 'r\u00e9mi ', password })).toMatchObject({ status: 200 });
  });

  test('a wrong password and an unknown user are one answer', async () => {
    await logIn('guarded');
    const wrong = await post('/api/login', { username: 'guarded', password: 'not this one' });
    const unknown = await post('/api/login', { username: 'nobody', password: 'not this one' });
    expect(wrong).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
    expect(unknown.body).toEqual(wrong.body);
    expect(wrong.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('a login may be repeated: every token is good', async () => {
    const first = await logIn('twice');
    const second = (await post('/api/login', { username: 'twice', password })).body.token;
    expect(second).not.toBe(first);
    expect(await get('/api/rooms', first)).toMatchObject({ status: 200 });
    expect(await get('/api/rooms', second)).toMatchObject({ status: 200 });
  });

  test('a login leaves a cookie that only upgrades honour; a logout ends the token and takes the cookie back', async () => {
    await post('/api/register', { username: 'leaver', password });
    const login = await post('/api/login', { username: 'leaver', password });
    const { token } = login.body;
    expect(login.headers.getSetCookie()).toEqual([
      `parley_token=${token}; HttpOnly; SameSite=Strict; Path=/`,
    ]);
    expect(login.headers.get('cache-control')).toBe('no-store');
    const Cookie = `parley_token=${token}`;
    expect(await ask('/api/rooms', { headers: { Cookie } })).toMatchObject({ status: 401 });
    const logout = await ask('/api/logout', { method: 'POST', headers: withToken(token) });
    expect(logout).toMatchObject({ status: 200, body: { status: 'success' } });
    expect(logout.headers.getSetCookie()).toEqual([
      'parley_token=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0',
    ]);
    expect(await get('/api/rooms', token)).toMatchObject({
      status: 401,
      body: { code: 'not_authenticated' },
    });
  });

  test('a logout ends the connections that were opened with the token', async () => {
    const token = await logIn('connected');
    const roomId = await makeRoom('connected', token, 'Connected');
    const socket = new WebSocket(`${parley.stack.gateways[0]!.webSocketUrl}/chat?token=${token}`);
    await once(socket, 'open');
    socket.send(JSON.stringify({ action: 'join', username: 'connected', roomId }));
    await inTime('joined', once(socket, 'message'));
    const closed = once(socket, 'close');
    await post('/api/logout', {}, token);
    expect((await inTime('close', closed))[0]).toBe(4003);
  });
});

describe('tokens', () => {
  test.each([
    ['GET', '/api/rooms'],
    ['GET', '/api/chat-history/room_5f0c2b7d9e1a4c3f8b6d7e90'],
    ['POST', '/api/create-room'],
    ['POST', '/api/join-room'],
    ['POST', '/api/logout'],
  ])('%s %s wants one', async (method, path) => {
    for (const authorization of [
      undefined,
      'Bearer wrong',
      'Bearer',
      `Bearer ${'x'.repeat(300)}`,
      'Basic dTpw',
    ]) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await ask(path, { method, headers });
      expect(answer).toMatchObject({ status: 401, body: { status: 'error', code: 'not_authenticated' } });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test('a session key of another dialect is one', async () => {
    const { sessionKey } = await parley.logIn('of.login');
    expect(await get('/api/rooms', sessionKey)).toMatchObject({ status: 200 });
  });

  test('nobody acts for another', async () => {
    const token = await logIn('mallory');
    await logIn('victim');
    const roomId = await makeRoom('mallory', token, 'Mallory’s');
    const forbidden = { status: 403, body: { status: 'error', code: 'forbidden' } };
    expect(await post('/api/create-room', { roomName: 'Trap', creator: 'victim' }, token)).toMatchObject(
      forbidden,
    );
    expect(await post('/api/join-room', { roomId, username: 'victim' }, token)).toMatchObject(forbidden);
    const { body } = await get('/api/rooms', token);
    expect(body).not.toContainEqual(expect.objectContaining({ roomName: 'Trap' }));
  });
});

describe('rooms', () => {
  test('have unique names', async () => {
    const token = await logIn('namer');
    await makeRoom('namer', token, 'Only one');
    const again = await post('/api/create-room', { roomName: ' Only one ', creator: 'namer' }, token);
    expect(again).toMatchObject({ status: 409, body: { code: 'room_exists' } });
  });

  test('that are private are listed for their members, and closed to others', async () => {
    const owner = await parley.logIn('owner');
    const { room_id } = await owner.ask('create_room', { room_name: 'Secret', participants: [] });
    const outside = await logIn('outsider');
    const secret = { roomId: room_id, roomName: 'Secret' };
    expect((await get('/api/rooms', owner.sessionKey)).body).toContainEqual(secret);
    expect((await get('/api/rooms', outside)).body).not.toContainEqual(secret);
    const closed = { status: 403, body: { code: 'not_in_room' } };
    const join = { roomId: room_id, username: 'outsider' };
    expect(await post('/api/join-room', join, outside)).toMatchObject(closed);
    expect(await get(`/api/chat-history/${room_id}`, outside)).toMatchObject(closed);
    expect(await get(`/api/chat-history/${room_id}`, owner.sessionKey)).toMatchObject({ status: 200 });
  });

  test.each(['room_5f0c2b7d9e1a4c3f8b6d7e90', 'room_12345', 'räum', '%2e%2e%2fetc'])(
    'that do not exist are not found: %s',
    async (roomId) => {
      const token = await tokenOfAnybody();
      const missing = { status: 404, body: { code: 'room_not_found' } };
      expect(await get(`/api/chat-history/${roomId}`, token)).toMatchObject(missing);
      expect(await post('/api/join-room', { roomId, username: 'anybody' }, token)).toMatchObject(missing);
    },
  );

  test('beyond a page are behind its link, each once', async () => {
    const token = await tokenOfAnybody();
    const made = await Promise.all(
      range(1, 8).map(async (maker) => {
        const user = { userId: createId('user'), name: `maker ${maker}` };
        const ids = [];
        for (let n = 0; n < 128; n += 1) {
          const name = `Room ${n} of ${user.name}`;
          const room = { name, visibility: 'public' as const, participants: [], address: '192.0.2.1' };
          ids.push((await parley.bus.call(createRoom, room, contextOf(user))).roomId);
        }
        return ids;
      }),
    );
    const pages: Answer[] = [];
    for (let path: string | undefined = '/api/rooms'; path !== undefined; path = nextOf(pages.at(-1)!)) {
      pages.push(await get(path, token));
    }
    expect(pages.map(({ status }) => status)).toEqual([200, 200]);
    expect(pages[0]!.body).toHaveLength(1_000);
    const ids = pages.flatMap(({ body }) => body.map(({ roomId }: { roomId: string }) => roomId));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(made.flat()));
  });
});

describe('history', () => {
  let token: string;
  let roomId: RoomId;
  const total = 1_205;

  beforeAll(async () => {
    const reader = await parley.logIn('reader');
    token = reader.sessionKey;
    roomId = (await reader.ask('create_room', { room_name: 'Long', participants: [] })).room_id;
    const { users } = await parley.bus.call(findUsers, { names: ['reader'] }, createContext(answerMs));
    await say(roomId, users[0]!, total);
  });

  /** Of the whole answer only the ids. */
  async function read(query: string): Promise<{ ids: number[]; next: string | undefined }> {
    const answer = await get(query.startsWith('/') ? query : `/api/chat-history/${roomId}${query}`, token);
    expect(answer.status).toBe(200);
    return { ids: answer.body.messages.map(({ id }: { id: number }) => id), next: nextOf(answer) };
  }

  test('is the newest 100 in order, unless one asks for others', async () => {
    const { ids } = await read('');
    expect(ids).toEqual(range(total - 99, total));
  });

  test('without a direction goes on with what came before', async () => {
    const first = await read('?limit=1000');
    expect(first.ids).toEqual(range(total - 999, total));
    const second = await read(first.next!);
    expect(second).toEqual({ ids: range(1, total - 1_000), next: undefined });
  });

  test('after a message goes on with what follows', async () => {
    const first = await read('?after=0&limit=1000');
    expect(first.ids).toEqual(range(1, 1_000));
    const second = await read(first.next!);
    expect(second).toEqual({ ids: range(1_001, total), next: undefined });
  });

  test('before a message is the newest before it', async () => {
    const first = await read('?before=8&limit=5');
    expect(first.ids).toEqual([3, 4, 5, 6, 7]);
    expect(await read(first.next!)).toEqual({ ids: [1, 2], next: undefined });
  });

  test('from a time on begins there, in any zone, and goes on with what follows', async () => {
    const { ids, next } = await read('?from=2020-01-01T01:00:00%2B01:00&limit=2');
    expect(ids).toEqual([1, 2]);
    expect((await read(next!)).ids).toEqual([3, 4]);
    expect(await read('?from=2999-01-01T00:00:00Z')).toEqual({ ids: [], next: undefined });
  });

  test('of more than a page is a page', async () => {
    expect((await read('?limit=100000000000000000000')).ids).toHaveLength(1_000);
  });

  test.each([
    ['limit', '0'],
    ['limit', '-1'],
    ['limit', '1.5'],
    ['limit', 'ten'],
    ['limit', ''],
    ['limit', '1&limit=2'],
    ['after', '-1'],
    ['after', '1e3'],
    ['before', '99999999999999999999'],
    ['from', 'yesterday'],
    ['from', '2024-01-01'],
  ])('of which %s is %s is not given', async (field, value) => {
    expect(await get(`/api/chat-history/${roomId}?${field}=${value}`, token)).toMatchObject({
      status: 400,
      body: { status: 'error', code: 'invalid_field', field },
    });
  });

  test('of a public room may be read without joining', async () => {
    const owner = await logIn('host');
    const open = await makeRoom('host', owner, 'Open');
    expect(await get(`/api/chat-history/${open}`, await tokenOfAnybody())).toMatchObject({
      status: 200,
      body: { roomId: open, messages: [] },
    });
  });
});

describe('what is no proper request', () => {
  const good = JSON.stringify({ username: 'somebody', password });
  const noJson = { status: 400, body: { status: 'error', code: 'invalid_json' } };

  test.each([
    ['broken', '{"username":'],
    ['empty', ''],
    ['an array', '[1]'],
    ['a string', '"text"'],
    ['null', 'null'],
    ['nested without end', '['.repeat(60_000)],
  ])('a body that is %s is invalid_json', async (_what, body) => {
    const answer = await post('/api/login', body);
    expect(answer).toMatchObject(noJson);
    expect(answer.body.message).toContain('application/json');
  });

  test('a body that is not UTF-8 is invalid_json', async () => {
    const headers = { 'Content-Type': 'application/json' };
    const body = Buffer.from(good.replace('somebody', 'z\u00e9'), 'latin1');
    expect(await ask('/api/login', { method: 'POST', headers, body })).toMatchObject(noJson);
  });

  test.each(['application/x-www-form-urlencoded', 'text/plain', 'nonsense', undefined])(
    'a body of type %s is invalid_json, whatever is in it',
    async (type) => {
      const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type };
      const answer = await ask('/api/login', { method: 'POST', headers, body: Buffer.from(good) });
      expect(answer).toMatchObject(noJson);
    },
  );

  test('no body at all is invalid_json', async () => {
    expect(await ask('/api/login', { method: 'POST' })).toMatchObject(noJson);
  });

  test.each([
    ['/api/register', {}, 'missing_field', 'username'],
    ['/api/register', { username: 'new' }, 'missing_field', 'password'],
    ['/api/register', { username: 1, password }, 'invalid_field', 'username'],
    ['/api/register', { username: ' ', password }, 'invalid_field', 'username'],
    ['/api/register', { username: 'x'.repeat(65), password }, 'invalid_field', 'username'],
    ['/api/register', { username: 'a\nb', password }, 'invalid_field', 'username'],
    ['/api/register', { username: '\ud800', password }, 'invalid_field', 'username'],
    ['/api/register', { username: 'new', password: 'short' }, 'invalid_field', 'password'],
    ['/api/register', { username: 'new', password: 'x'.repeat(257) }, 'invalid_field', 'password'],
    ['/api/login', { username: 'new', password: null }, 'invalid_field', 'password'],
    ['/api/create-room', { roomName: 'x' }, 'missing_field', 'creator'],
    ['/api/create-room', { roomName: {}, creator: 'anybody' }, 'invalid_field', 'roomName'],
    ['/api/join-room', { username: 'anybody' }, 'missing_field', 'roomId'],
    ['/api/join-room', { roomId: ['x'], username: 'anybody' }, 'invalid_field', 'roomId'],
  ])('%s with %j is %s of %s', async (path, body, code, field) => {
    const answer = await post(path, body, await tokenOfAnybody());
    expect(answer).toMatchObject({ status: 400, body: { status: 'error', code, field } });
    expect(answer.body.message).toContain(`\`${field}\``);
  });

  test('fields that nobody knows are ignored', async () => {
    const body = `{"username":"extra","password":"${password}","__proto__":{"x":1},"more":[]}`;
    expect(await post('/api/register', body)).toMatchObject({ status: 201 });
  });

  const tooLarge = { status: 413, body: { status: 'error', code: 'too_large' } };

  test('a body above 64 KiB is too_large, one of 64 KiB is read', async () => {
    const fill = (bytes: number) => good.padEnd(bytes);
    expect(await post('/api/login', fill(65_536))).toMatchObject({ status: 401 });
    expect(await post('/api/login', fill(65_537))).toMatchObject(tooLarge);
    // Who sends much more than that gets the answer too, though nobody reads all of it.
    expect(await post('/api/login', fill(16_777_216))).toMatchObject(tooLarge);
  });

  test('a body that does not end is answered while it is still coming', async () => {
    const request = httpRequest(`${url}/api/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
    });
    const flow = setInterval(() => request.write(Buffer.alloc(16_384, ' ')), 1);
    try {
      const [response] = await inTime('an answer', once(request, 'response'));
      expect(response.statusCode).toBe(413);
      const [body] = await once(response, 'data');
      expect(JSON.parse(body)).toMatchObject(tooLarge.body);
    } finally {
      clearInterval(flow);
      request.on('error', () => {
        // It was ours to break.
      });
      request.destroy();
    }
  });

  test.each([
    ['what is no HTTP', 'GARBAGE\r\n\r\n', 400, 'invalid_field'],
    ['a long header', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 413, 'too_large'],
  ])('%s is answered in our form, and its connection closed', async (_what, text, status, code) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const received: Buffer[] = [];
    socket.on('data', (data) => received.push(data));
    socket.write(text);
    await inTime('close', once(socket, 'close'));
    const [head, body] = Buffer.concat(received).toString().split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(body!)).toMatchObject({ status: 'error', code });
  });
});

describe('paths and methods', () => {
  test.each([
    '/api',
    '/api/',
    '/api/nothing',
    '/api/rooms/',
    '/API/rooms',
    '/ws',
    '/%ff',
    '/api/chat-history/%zz',
  ])('there is nothing at %s', async (path) => {
    expect(await get(path)).toMatchObject({
      status: 404,
      body: { status: 'error', code: 'unknown_action', message: expect.any(String) },
    });
    // Whatever the body is, nobody is there to read it.
    expect(await post(path, '{"broken')).toMatchObject({ status: 404 });
  });

  test.each([
    ['GET', '/api/login', 'POST'],
    ['PUT', '/api/register', 'POST'],
    ['GET', '/api/logout', 'POST'],
    ['DELETE', '/api/create-room', 'POST'],
    ['PATCH', '/api/join-room', 'POST'],
    ['POST', '/api/rooms', 'GET, HEAD'],
    ['OPTIONS', '/api/rooms', 'GET, HEAD'],
    ['PROPFIND', '/api/rooms', 'GET, HEAD'],
    ['DELETE', '/api/chat-history/room_12345', 'GET, HEAD'],
    ['POST', '/api/openapi.json', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
  ])('%s %s is told what is allowed', async (method, path, allow) => {
    const answer = await ask(path, { method });
    expect(answer).toMatchObject({ status: 405, body: { status: 'error', code: 'unknown_action' } });
    expect(answer.headers.get('allow')).toBe(allow);
  });

  test('HEAD is GET without the body', async () => {
    const token = await tokenOfAnybody();
    const full = await get('/api/rooms?limit=1', token);
    const head = await ask('/api/rooms?limit=1', { method: 'HEAD', headers: withToken(token) });
    expect(head).toMatchObject({ status: 200, body: '' });
    for (const name of ['content-type', 'content-length', 'link']) {
      expect(head.headers.get(name)).toBe(full.headers.get(name));
    }
    expect(await ask('/api/rooms', { method: 'HEAD' })).toMatchObject({ status: 401, body: '' });
  });

  test('GET / tells who we are', async () => {
    expect((await get('/')).body).toEqual({ name: 'Parley', webSocket: ['/', '/ws', '/chat'] });
  });
});

describe('pages in browsers', () => {
  test('of allowed origins may read answers, errors too', async () => {
    for (const origin of [app, url]) {
      const { headers } = await ask('/api/rooms', { headers: { Origin: origin } });
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-expose-headers')).toBe(
        'Content-Disposition, Content-Range, ETag, Link, Retry-After',
      );
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      expect(headers.get('vary')).toContain('Origin');
    }
  });

  test('of allowed origins may ask first', async () => {
    const headers = {
      Origin: app,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type',
    };
    const preflight = await ask('/api/create-room', { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(app);
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST');
    expect(preflight.headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type, If-None-Match, If-Range, Range',
    );
  });

  test.each(['https://evil.example', 'null', `${app}.evil.example`])('of %s may not', async (origin) => {
    const simple = await ask('/api/rooms', { headers: { Origin: origin } });
    const headers = { Origin: origin, 'Access-Control-Request-Method': 'POST' };
    const preflight = await ask('/api/create-room', { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(405);
    for (const answer of [simple, preflight]) {
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(answer.headers.get('vary')).toContain('Origin');
    }
  });

  test('find nothing to run, to frame or to guess types of', async () => {
    for (const path of ['/', '/api/rooms', '/api/nothing']) {
      const { headers } = await get(path);
      expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('server')).toBeNull();
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });
});

let anybody: Promise<string> | undefined;
function tokenOfAnybody(): Promise<string> {
  return (anybody ??= logIn('anybody'));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
