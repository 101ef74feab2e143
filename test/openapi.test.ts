import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { password, startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';

let parley: Parley;
let url: string;
let document: any;
beforeAll(async () => {
  parley = await startParley({ restart: false, environment: { MAX_FILE_BYTES: '1000' } });
  url = parley.stack.gateways[0]!.url;
  document = await (await fetch(`${url}/api/openapi.json`)).json();
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  expect(await validator.validate(document)).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  expect(document.openapi).toBe('3.1.0');
});

test('the document describes what there is, and who needs a token', () => {
  const operations = Object.entries<any>(document.paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods).map(([method, { security }]) => [
      `${method.toUpperCase()} ${path}`,
      security !== undefined,
    ]),
  );
  expect(Object.fromEntries(operations)).toEqual({
    'POST /api/register': false,
    'POST /api/login': false,
    'POST /api/logout': true,
    'POST /api/create-room': true,
    'GET /api/rooms': true,
    'POST /api/join-room': true,
    'GET /api/chat-history/{roomId}': true,
    'POST /api/rooms/{roomId}/files': true,
    'GET /api/rooms/{roomId}/files': true,
    'GET /api/rooms/{roomId}/files/{name}': true,
  });
});

test('docs/http.md has every request of the document', async () => {
  const page = await readFile(new URL('../docs/http.md', import.meta.url), 'utf8');
  for (const [path, methods] of Object.entries<any>(document.paths)) {
    for (const method of Object.keys(methods))
      expect(page).toContain(`| \`${method.toUpperCase()} ${path}\``);
  }
});

describe('answers are as the document says:', () => {
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': fullFormats['date-time'] } });
  let token: string | undefined;
  let roomId: string;
  let privateId: string;

  beforeAll(async () => {
    const owner = await parley.logIn('owner');
    privateId = (await owner.ask('create_room', { room_name: 'Secret', participants: [] })).room_id;
    await post('/api/register', { username: 'john_doe', password });
    token = (await post('/api/login', { username: 'john_doe', password })).body.token;
    roomId = (await post('/api/create-room', { roomName: 'TechTalk', creator: 'john_doe' })).body.roomId;
    await owner.ask('join_room', { room_id: roomId });
    await owner.ask('send_message', { room_id: roomId, content: 'Hello!' });
  });

  async function ask(method: string, path: string, headers: Record<string, string>, body?: string) {
    const response = await fetch(`${url}${path}`, { method, headers, ...(body !== undefined && { body }) });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
    const content = isJson ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, isJson, body: content };
  }

  function post(path: string, body: unknown, headers: Record<string, string> = {}) {
    const authorization = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return ask(
      'POST',
      path,
      { 'Content-Type': 'application/json', ...authorization, ...headers },
      typeof body === 'string' ? body : JSON.stringify(body),
    );
  }

  function get(path: string, authorization = `Bearer ${token}`) {
    return ask('GET', path, { Authorization: authorization });
  }

  type Answer = Awaited<ReturnType<typeof ask>>;

  const toldHeaders = ['link', 'set-cookie', 'retry-after', 'www-authenticate', 'allow'].concat([
    'etag',
    'last-modified',
    'accept-ranges',
    'content-range',
    'content-disposition',
  ]);

  /** Fails unless the operation documents such an answer: its status, its body and its headers. */
  function expectDocumented(operation: string, { status, headers, isJson, body }: Answer): void {
    const [method, path] = operation.split(' ') as [string, string];
    const documented = document.paths[path][method.toLowerCase()].responses[status];
    expect({ operation, status, isDocumented: documented !== undefined }).toMatchObject({
      isDocumented: true,
    });
    const types = isJson ? ['application/json'] : status === 304 ? [] : ['*/*'];
    expect({ operation, status, types: Object.keys(documented.content ?? {}) }).toMatchObject({ types });
    if (isJson) {
      const { schema } = documented.content['application/json'];
      expect({ valid: ajv.validate(schema, body), errors: ajv.errors, body }).toMatchObject({ valid: true });
    }
    for (const name of toldHeaders) {
      const isKnown = Object.keys(documented.headers ?? {}).some((known) => known.toLowerCase() === name);
      if (headers.has(name)) expect({ operation, status, name, isKnown }).toMatchObject({ isKnown: true });
    }
  }

  const chatHistory = 'GET /api/chat-history/{roomId}';
  const storeFile = 'POST /api/rooms/{roomId}/files';
  const listFiles = 'GET /api/rooms/{roomId}/files';
  const readFile = 'GET /api/rooms/{roomId}/files/{name}';

  function store(query: string, { room = roomId, headers = {}, body = 'the bytes' } = {}) {
    return post(`/api/rooms/${room}/files${query}`, body, { 'Content-Type': 'text/plain', ...headers });
  }

  function read(name: string, headers: Record<string, string> = {}, room = roomId) {
    return ask('GET', `/api/rooms/${room}/files/${name}`, { Authorization: `Bearer ${token}`, ...headers });
  }

  const cases: [operation: string, status: number, ask: () => Promise<Answer>][] = [
    ['POST /api/register', 201, () => post('/api/register', { username: 'jane_doe', password })],
    ['POST /api/register', 400, () => post('/api/register', '{')],
    ['POST /api/register', 400, () => post('/api/register', { password })],
    ['POST /api/register', 400, () => post('/api/register', { username: '', password })],
    ['POST /api/register', 409, () => post('/api/register', { username: 'john_doe', password })],
    ['POST /api/register', 413, () => post('/api/register', ' '.repeat(65_537))],
    ['POST /api/login', 200, () => post('/api/login', { username: 'john_doe', password })],
    ['POST /api/login', 400, () => post('/api/login', [])],
    ['POST /api/login', 401, () => post('/api/login', { username: 'john_doe', password: 'no' })],
    ['POST /api/login', 413, () => post('/api/login', ' '.repeat(65_537))],
    ['POST /api/create-room', 200, () => post('/api/create-room', { roomName: 'New', creator: 'john_doe' })],
    ['POST /api/create-room', 400, () => post('/api/create-room', { roomName: 'New' })],
    ['POST /api/create-room', 401, () => post('/api/create-room', {}, { Authorization: 'Bearer no' })],
    ['POST /api/create-room', 403, () => post('/api/create-room', { roomName: 'New', creator: 'owner' })],
    [
      'POST /api/create-room',
      409,
      () => post('/api/create-room', { roomName: 'TechTalk', creator: 'john_doe' }),
    ],
    ['GET /api/rooms', 200, () => get('/api/rooms')],
    ['GET /api/rooms', 200, () => get('/api/rooms?limit=1')],
    ['GET /api/rooms', 400, () => get('/api/rooms?limit=0')],
    ['GET /api/rooms', 401, () => get('/api/rooms', '')],
    ['POST /api/join-room', 200, () => post('/api/join-room', { roomId, username: 'john_doe' })],
    ['POST /api/join-room', 400, () => post('/api/join-room', 'null')],
    ['POST /api/join-room', 401, () => post('/api/join-room', {}, { Authorization: '' })],
    ['POST /api/join-room', 403, () => post('/api/join-room', { roomId: privateId, username: 'john_doe' })],
    [
      'POST /api/join-room',
      404,
      () => post('/api/join-room', { roomId: 'room_12345', username: 'john_doe' }),
    ],
    [chatHistory, 200, () => get(`/api/chat-history/${roomId}`)],
    [chatHistory, 400, () => get(`/api/chat-history/${roomId}?from=then`)],
    [chatHistory, 401, () => get(`/api/chat-history/${roomId}`, 'Bearer no')],
    [chatHistory, 403, () => get(`/api/chat-history/${privateId}`)],
    [chatHistory, 404, () => get('/api/chat-history/room_12345')],
    [storeFile, 201, () => store('?name=notes.txt')],
    [storeFile, 201, () => store('?name=empty', { body: '' })],
    [storeFile, 400, () => store('')],
    [storeFile, 400, () => store('?name=a%2Fb')],
    [storeFile, 400, () => store('?name=x', { headers: { 'Content-Type': 'nonsense' } })],
    [storeFile, 401, () => store('?name=x', { headers: { Authorization: 'Bearer no' } })],
    [storeFile, 403, () => store('?name=x', { room: privateId })],
    [storeFile, 404, () => store('?name=x', { room: 'room_12345' })],
    [storeFile, 413, () => store('?name=x', { body: 'x'.repeat(1_001) })],
    [listFiles, 200, () => get(`/api/rooms/${roomId}/files`)],
    [listFiles, 400, () => get(`/api/rooms/${roomId}/files?after=`)],
    [listFiles, 401, () => get(`/api/rooms/${roomId}/files`, '')],
    [listFiles, 403, () => get(`/api/rooms/${privateId}/files`)],
    [listFiles, 404, () => get('/api/rooms/room_12345/files')],
    [readFile, 200, () => read('notes.txt')],
    [readFile, 200, () => read('empty')],
    [readFile, 206, () => read('notes.txt', { Range: 'bytes=4-' })],
    [readFile, 304, () => read('notes.txt', { 'If-None-Match': '*' })],
    [readFile, 400, () => read('a%2Fb')],
    [readFile, 401, () => read('notes.txt', { Authorization: 'Bearer no' })],
    [readFile, 403, () => read('notes.txt', {}, privateId)],
    [readFile, 404, () => read('nothing')],
    [readFile, 416, () => read('notes.txt', { Range: 'bytes=100-' })],
    ['POST /api/logout', 401, () => post('/api/logout', {}, { Authorization: 'Bearer no' })],
    ['POST /api/logout', 200, () => post('/api/logout', {})],
  ];

  test.each(cases)('%s, %d', async (operation, status, asked) => {
    const answer = await asked();
    expect(answer.status).toBe(status);
    expectDocumented(operation, answer);
  });

  test('a service that is away', async () => {
    const { body } = await post('/api/login', { username: 'john_doe', password });
    await parley.stack.services.messages[0]!.kill('SIGKILL');
    const answer = await get(`/api/chat-history/${roomId}`, `Bearer ${body.token}`);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expectDocumented(chatHistory, answer);
  });
});

describe('the page that shows the document', () => {
  test('loads only what its policy allows, and finds the document', async () => {
    const page = await fetch(`${url}/api/docs`);
    expect(page.headers.get('content-type')).toContain('text/html');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self';");
    const html = await page.text();
    expect(html).not.toMatch(/<script[^>]*>\s*\S+[^<]*<\/script>|\son\w+=|javascript:/);
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link!);
    expect(links.length).toBeGreaterThan(4);
    for (const link of links) {
      const { pathname, origin } = new URL(link, `${url}/api/docs`);
      expect(origin).toBe(url);
      expect({ pathname, status: (await fetch(`${url}${pathname}`)).status }).toMatchObject({ status: 200 });
    }
    expect(await (await fetch(`${url}/api/docs/json`)).json()).toEqual(document);
  });

  test('has nothing more below it', async () => {
    const missing = await fetch(`${url}/api/docs/static/nothing.js`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ status: 'error', code: 'unknown_action' });
  });
});
