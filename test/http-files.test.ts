import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLog, Database } from '@parley/service-kit';
import { download, FileSender, inTime, sha256, startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';

const mebibyte = 2 ** 20;
const maxFileBytes = 24 * mebibyte;
/** More than the gateway and the kernel keep for a reader who pauses. */
const largeBytes = 20 * mebibyte;

let parley: Parley;
let url: string;
let bob: LoginClient;
let token: string;
let roomId: string;

beforeAll(async () => {
  const environment = { LOGIN_POLICY: 'multi', MAX_FILE_BYTES: String(maxFileBytes) };
  parley = await startParley({ environment });
  ({ url } = parley.stack.gateways[0]!);
  token = await parley.getToken('anna');
  bob = await parley.logIn('bob');
  const anna = await parley.logIn('anna');
  roomId = (await anna.ask('create_room', { room_name: 'files', participants: ['bob'] })).room_id;
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

interface Asked {
  headers?: Record<string, string>;
  as?: string;
  room?: string;
}

interface Answer {
  status: number;
  headers: Headers;
  bytes: Buffer;
  /** Of JSON. */
  body: any;
}

async function ask(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(`${url}${path}`, init);
  const bytes = Buffer.from(await response.arrayBuffer());
  const isFile = response.headers.has('content-disposition');
  const body = isFile || bytes.length === 0 ? undefined : JSON.parse(bytes.toString());
  return { status: response.status, headers: response.headers, bytes, body };
}

function filePath(name: string, room = roomId): string {
  return `/api/rooms/${room}/files/${encodeURIComponent(name)}`;
}

function uploadPath(name: string, { room = roomId, query = '' } = {}): string {
  return `/api/rooms/${room}/files?name=${encodeURIComponent(name)}${query}`;
}

/** Uploads a file in one go. */
function put(
  name: string,
  bytes: Buffer<ArrayBuffer>,
  { headers, as = token, query, ...more }: Asked & { query?: string } = {},
): Promise<Answer> {
  return ask(uploadPath(name, { ...more, ...(query !== undefined && { query }) }), {
    method: 'POST',
    headers: { Authorization: `Bearer ${as}`, ...headers },
    body: bytes,
  });
}

function get(name: string, { headers, as = token, room }: Asked = {}, method = 'GET'): Promise<Answer> {
  return ask(filePath(name, room), { method, headers: { Authorization: `Bearer ${as}`, ...headers } });
}

async function listNames(room = roomId): Promise<string[]> {
  const { body } = await ask(`/api/rooms/${room}/files`, { headers: { Authorization: `Bearer ${token}` } });
  return body.map(({ name }: { name: string }) => name);
}

/** An upload whose body the test sends itself. */
function openUpload(name: string, headers: Record<string, string | number>, as = token): ClientRequest {
  return httpRequest(`${url}${uploadPath(name)}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${as}`, ...headers },
  });
}

async function answerTo(request: ClientRequest): Promise<{ status: number | undefined; body: any }> {
  const [response] = (await inTime('an answer', once(request, 'response'))) as [IncomingMessage];
  return {
    status: response.statusCode,
    body: JSON.parse(Buffer.concat(await response.toArray()).toString()),
  };
}

/** What a counter of the files service says. */
async function counted(name: string): Promise<number> {
  const text = await (await fetch(`${parley.stack.services.files[0]!.healthUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
}

describe('a file', () => {
  test('goes up and comes down as it is, and the room hears of it', async () => {
    const bytes = randomBytes(1_048_576);
    const type = 'application/pdf';
    const stored = await put('my_document.pdf', bytes, { headers: { 'Content-Type': type } });
    const file = { name: 'my_document.pdf', size: bytes.length, type, sha256: sha256(bytes) };
    expect({ status: stored.status, body: stored.body }).toEqual({
      status: 201,
      body: { status: 'success', roomId, file },
    });
    const told = await bob.event('receive_file');
    expect(told.data).toMatchObject({
      room_id: roomId,
      sender_chatid: 'anna',
      file_path: file.name,
      file_size: file.size,
      file_type: type,
      sha256: file.sha256,
    });

    const { status, headers, bytes: copy } = await get(file.name);
    expect(status).toBe(200);
    expect(sha256(copy)).toBe(file.sha256);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-length': '1048576',
      'content-type': type,
      'content-disposition': 'attachment; filename=my_document.pdf',
      etag: `"${file.sha256}"`,
      'last-modified': new Date(told.data.timestamp).toUTCString(),
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-cache',
    });
  });

  test.each([
    ['nothing', 0],
    ['one byte', 1],
    ['exactly one chunk', 262_144],
    ['one chunk and a byte', 262_145],
    ['many chunks', largeBytes],
  ])('of %s arrives whole', async (name, size) => {
    const bytes = randomBytes(size);
    expect(await put(name, bytes, { query: `&sha256=${sha256(bytes)}` })).toMatchObject({
      status: 201,
      body: { file: { size, type: 'application/octet-stream' } },
    });
    const copy = await get(name);
    expect(copy).toMatchObject({ status: 200 });
    expect(copy.headers.get('content-length')).toBe(String(size));
    expect(sha256(copy.bytes)).toBe(sha256(bytes));
  });

  test.each([
    ['two words.txt', `attachment; filename="two words.txt"`],
    ['für 你 🎉.txt', `filename*=UTF-8''f%C3%BCr%20%E4%BD%A0%20%F0%9F%8E%89.txt`],
    ['"quoted" 50%.txt', `filename="\\"quoted\\" 50%.txt"`],
    [`a'b;c=d?e#f&g+h.txt`, `filename="a'b;c=d?e#f&g+h.txt"`],
    ['%41.txt', `filename*=UTF-8''%2541.txt`],
  ])('named %s keeps its name', async (name, disposition) => {
    const bytes = Buffer.from(name);
    expect(await put(name, bytes)).toMatchObject({ status: 201, body: { file: { name } } });
    const copy = await get(name);
    expect(copy.bytes.toString()).toBe(name);
    expect(copy.headers.get('content-disposition')).toContain(disposition);
    expect(await listNames()).toContain(name);
  });

  test('of JSON, or of any other type, is bytes', async () => {
    for (const type of ['application/json', 'text/plain; charset=utf-8', '*/*', 'multipart/form-data']) {
      const stored = await put('anything', Buffer.from('{"broken'), { headers: { 'Content-Type': type } });
      expect(stored).toMatchObject({ status: 201, body: { file: { type } } });
      const copy = await get('anything');
      expect(copy.bytes.toString()).toBe('{"broken');
      expect(copy.headers.get('content-type')?.replace(';c', '; c')).toBe(type.replace(';c', '; c'));
    }
  });

  test('of HTML is never shown by a browser in our name', async () => {
    const page = Buffer.from('<script>alert(1)</script>');
    await put('page.html', page, { headers: { 'Content-Type': 'text/html' } });
    const { headers } = await get('page.html');
    expect(headers.get('content-type')).toBe('text/html');
    expect(headers.get('content-disposition')).toMatch(/^attachment;/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
  });

  test('that came over WebSocket comes down over HTTP, whatever its type is said to be', async () => {
    const anna = await parley.logIn('anna');
    const bytes = randomBytes(300_000);
    for (const type of ['', 'pdf', 'text/plain\r\nX-Injected: 1', 'text/ü']) {
      await new FileSender(anna, roomId, 'from afar', bytes, { type }).send();
      const copy = await get('from afar');
      expect(sha256(copy.bytes)).toBe(sha256(bytes));
      expect(copy.headers.get('content-type')).toBe('application/octet-stream');
      expect(copy.headers.has('x-injected')).toBe(false);
    }
  });

  test('that came over HTTP comes down over WebSocket', async () => {
    const bytes = randomBytes(300_000);
    await put('from near', bytes);
    expect(sha256((await download(bob, roomId, 'from near')).bytes)).toBe(sha256(bytes));
  });

  test('replaces the one that had its name', async () => {
    await put('again', Buffer.from('the first'));
    await put('again', Buffer.from('the second, longer one'));
    expect((await get('again')).bytes.toString()).toBe('the second, longer one');
    expect((await listNames()).filter((name) => name === 'again')).toHaveLength(1);
  });

  test('is taken up again by an upload that was broken off', async () => {
    const bytes = randomBytes(mebibyte);
    const before = await counted('parley_files_chunks_total');
    const broken = openUpload('broken off', { 'Content-Length': bytes.length });
    const lost = once(broken, 'error');
    broken.write(bytes.subarray(0, 600_000));
    await until('two chunks to be stored', async () => {
      return (await counted('parley_files_chunks_total')) >= before + 2;
    });
    broken.destroy(new Error('given up'));
    await lost;
    expect(await get('broken off')).toMatchObject({ status: 404, body: { code: 'file_not_found' } });

    const others = randomBytes(mebibyte);
    expect(await put('broken off', others)).toMatchObject({ status: 201 });
    expect(sha256((await get('broken off')).bytes)).toBe(sha256(others));
  });
});

describe('a download', () => {
  const text = '0123456789';
  let etag: string;
  let modified: string;

  beforeAll(async () => {
    await put('digits', Buffer.from(text), { headers: { 'Content-Type': 'text/plain' } });
    await put('empty', Buffer.alloc(0));
    const { headers } = await get('digits');
    etag = headers.get('etag')!;
    modified = headers.get('last-modified')!;
  });

  test.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=3-5', '345', 'bytes 3-5/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=7-100', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=-100', text, 'bytes 0-9/10'],
  ])('of %s is that part', async (Range, part, contentRange) => {
    const answer = await get('digits', { headers: { Range } });
    expect({ status: answer.status, text: answer.bytes.toString() }).toEqual({ status: 206, text: part });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-range': contentRange,
      'content-length': String(part.length),
      'content-type': 'text/plain',
      etag,
    });
  });

  test('of a range deep in a large file is that part', async () => {
    const bytes = randomBytes(2 * mebibyte + 1);
    await put('deep', bytes);
    const [first, last] = [262_143, 1_500_000];
    const answer = await get('deep', { headers: { Range: `bytes=${first}-${last}` } });
    expect(answer.status).toBe(206);
    expect(answer.bytes.equals(bytes.subarray(first, last + 1))).toBe(true);
  });

  test.each(['bytes=0-1,3-4', 'bytes=5-4', 'lines=1-2', 'nonsense'])('of %s is the whole', async (Range) => {
    const answer = await get('digits', { headers: { Range } });
    expect({ status: answer.status, text: answer.bytes.toString() }).toEqual({ status: 200, text });
  });

  test.each([
    ['digits', 'bytes=10-', 10],
    ['digits', 'bytes=-0', 10],
    ['empty', 'bytes=0-', 0],
  ])('of %s, %s, has nothing to give', async (name, Range, size) => {
    const answer = await get(name, { headers: { Range } });
    expect(answer).toMatchObject({
      status: 416,
      body: { status: 'error', code: 'invalid_field', field: 'Range' },
    });
    expect(answer.headers.get('content-range')).toBe(`bytes */${size}`);
  });

  test('goes on only with the same file', async () => {
    const Range = 'bytes=5-';
    expect(await get('digits', { headers: { Range, 'If-Range': etag } })).toMatchObject({ status: 206 });
    for (const condition of [`"${'0'.repeat(64)}"`, `W/${etag}`, modified]) {
      const answer = await get('digits', { headers: { Range, 'If-Range': condition } });
      expect({ status: answer.status, text: answer.bytes.toString() }).toEqual({ status: 200, text });
    }
  });

  test('is not needed of what the client has already', async () => {
    const fresh: Record<string, string>[] = [
      { 'If-None-Match': etag },
      { 'If-None-Match': `"other", W/${etag}` },
      { 'If-None-Match': '*' },
      { 'If-Modified-Since': modified },
      { 'If-None-Match': etag, Range: 'bytes=0-1' },
    ];
    for (const headers of fresh) {
      const answer = await get('digits', { headers });
      expect({ status: answer.status, length: answer.bytes.length }).toEqual({ status: 304, length: 0 });
      expect(answer.headers.get('etag')).toBe(etag);
      expect(answer.headers.get('cache-control')).toBe('private, no-cache');
    }
    const stale: Record<string, string>[] = [
      { 'If-None-Match': '"other"' },
      { 'If-None-Match': '"other"', 'If-Modified-Since': modified },
      { 'If-Modified-Since': 'Thu, 01 Jan 2015 00:00:00 GMT' },
    ];
    for (const headers of stale) expect(await get('digits', { headers })).toMatchObject({ status: 200 });
  });

  test('by HEAD is its headers, and the file is not read', async () => {
    const name = 'only looked at';
    const bytes = randomBytes(mebibyte);
    await put(name, bytes);
    const before = await counted('parley_files_read_bytes_total');
    const head = await get(name, { headers: { Range: 'bytes=0-1' } }, 'HEAD');
    expect(await counted('parley_files_read_bytes_total')).toBe(before);
    expect({ status: head.status, length: head.bytes.length }).toEqual({ status: 200, length: 0 });
    const full = await get(name);
    for (const header of ['content-length', 'content-type', 'content-disposition', 'etag', 'last-modified'])
      expect(head.headers.get(header)).toBe(full.headers.get(header));
    const fresh = { headers: { 'If-None-Match': full.headers.get('etag')! } };
    expect(await get(name, fresh, 'HEAD')).toMatchObject({ status: 304 });
    expect(await get('missing', {}, 'HEAD')).toMatchObject({ status: 404 });
  });

  test('waits for a reader who pauses, and nothing is read ahead for long', async () => {
    const bytes = randomBytes(largeBytes);
    await put('slowly', bytes);
    const before = await counted('parley_files_read_bytes_total');
    const request = httpRequest(`${url}${filePath('slowly')}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    request.end();
    const [response] = (await inTime('the head', once(request, 'response'))) as [IncomingMessage];
    response.pause();
    // The others are served meanwhile, and that takes longer than to read all of it would.
    const others = 10;
    for (let n = 0; n < others; n += 1) await get('deep');
    const deepBytes = others * (2 * mebibyte + 1);
    const readAhead = (await counted('parley_files_read_bytes_total')) - before - deepBytes;
    expect(readAhead).toBeLessThan(largeBytes / 2);
    expect(sha256(Buffer.concat(await response.toArray()))).toBe(sha256(bytes));
  });
});

describe('refused is', () => {
  test('an upload that does not say its length', async () => {
    const request = openUpload('endless', { 'Transfer-Encoding': 'chunked' });
    request.write('some');
    expect(await answerTo(request)).toMatchObject({
      status: 400,
      body: { status: 'error', code: 'missing_field', field: 'Content-Length' },
    });
    request.destroy();
  });

  test.each([maxFileBytes + 1, Number.MAX_SAFE_INTEGER])(
    'a file of %d bytes, before it is sent',
    async (size) => {
      const request = openUpload('too large', { 'Content-Length': size });
      request.flushHeaders();
      expect(await answerTo(request)).toMatchObject({
        status: 413,
        body: { status: 'error', code: 'too_large', field: 'Content-Length' },
      });
      request.destroy();
    },
  );

  test('a file that is sent all the same is read to its end, so that its sender can read the answer', async () => {
    expect(await put('too large', Buffer.alloc(maxFileBytes + 1))).toMatchObject({
      status: 413,
      body: { code: 'too_large' },
    });
    expect(await put('not mine', Buffer.alloc(8 * mebibyte), { as: 'nobody' })).toMatchObject({
      status: 401,
    });
  });

  test('a file of other bytes than announced', async () => {
    const query = `&sha256=${sha256(Buffer.from('these'))}`;
    expect(await put('other bytes', Buffer.from('those'), { query })).toMatchObject({
      status: 400,
      body: { code: 'invalid_field', field: 'sha256' },
    });
    expect(await get('other bytes')).toMatchObject({ status: 404 });
    expect(await put('other bytes', Buffer.from('those'), { query: '&sha256=short' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_field', field: 'sha256' },
    });
  });

  test('an upload in whose place the same user began another', async () => {
    const before = await counted('parley_files_chunks_total');
    const slow = openUpload('contended', { 'Content-Length': largeBytes });
    slow.write(Buffer.alloc(600_000));
    await until('two chunks to be stored', async () => {
      return (await counted('parley_files_chunks_total')) >= before + 2;
    });
    expect(await put('contended', Buffer.from('the later one'))).toMatchObject({ status: 201 });
    const answer = answerTo(slow);
    const sent = once(slow, 'finish');
    slow.end(Buffer.alloc(largeBytes - 600_000));
    expect(await answer).toMatchObject({ status: 409, body: { code: 'chunks_missing' } });
    // The rest is nobody's, and is taken all the same: the connection is good for more.
    await inTime('the end of the body', sent);
    expect((await get('contended')).bytes.toString()).toBe('the later one');
  });

  test.each(['a/b', 'a\\b', '.', '..', '', 'a\u0007b', 'ä'.repeat(128)])(
    'a file with the name %p',
    async (name) => {
      const refused = { status: 400, body: { status: 'error', code: 'invalid_field', field: 'name' } };
      expect(await put(name, Buffer.from('x'))).toMatchObject(refused);
    },
  );

  test('a file without a name, and one whose type is none', async () => {
    const nameless = await ask(`/api/rooms/${roomId}/files`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: 'x',
    });
    expect(nameless).toMatchObject({ status: 400, body: { code: 'missing_field', field: 'name' } });
    for (const type of ['nonsense', `text/${'x'.repeat(128)}`]) {
      const refused = { status: 400, body: { code: 'invalid_field', field: 'Content-Type' } };
      expect(await put('typed', Buffer.from('x'), { headers: { 'Content-Type': type } })).toMatchObject(
        refused,
      );
    }
  });

  test('who has no token, who is not in the room, and a room that there is not', async () => {
    const bytes = Buffer.from('x');
    await put('secret', bytes);
    const clara = await parley.getToken('clara');
    const list = (room: string, as: string) =>
      ask(`/api/rooms/${room}/files`, { headers: { Authorization: `Bearer ${as}` } });
    const cases: [Asked, number, string][] = [
      [{ as: 'no token' }, 401, 'not_authenticated'],
      [{ as: clara }, 403, 'not_in_room'],
      [{ room: 'room_nowhere' }, 404, 'room_not_found'],
    ];
    for (const [asked, status, code] of cases) {
      const refused = { status, body: { status: 'error', code } };
      expect(await put('mine', bytes, asked)).toMatchObject(refused);
      expect(await get('secret', asked)).toMatchObject(refused);
      expect(await list(asked.room ?? roomId, asked.as ?? token)).toMatchObject(refused);
    }
    expect(await get('missing')).toMatchObject({ status: 404, body: { code: 'file_not_found' } });
  });

  test('who wants to send to a public room without joining it; to read they need not', async () => {
    const publicId = await parley.createPublicRoom('open', 'anna');
    const clara = await parley.getToken('clara');
    await put('for all', Buffer.from('for all'), { room: publicId });
    expect(await put('from clara', Buffer.from('x'), { room: publicId, as: clara })).toMatchObject({
      status: 403,
      body: { code: 'not_in_room' },
    });
    expect((await get('for all', { room: publicId, as: clara })).bytes.toString()).toBe('for all');
    expect(await listNames(publicId)).toEqual(['for all']);
  });
});

test('files are listed by name, page by page', async () => {
  const many = await parley.createPublicRoom('many', 'anna');
  const sizes = { 'b & c': 2, a: 0, d: 3 };
  for (const [name, size] of Object.entries(sizes)) await put(name, Buffer.alloc(size), { room: many });
  const headers = { Authorization: `Bearer ${token}` };
  const { status, body } = await ask(`/api/rooms/${many}/files`, { headers });
  expect(status).toBe(200);
  expect(body).toEqual(
    ['a', 'b & c', 'd'].map((name) => ({
      name,
      size: sizes[name as keyof typeof sizes],
      type: 'application/octet-stream',
      sha256: sha256(Buffer.alloc(sizes[name as keyof typeof sizes])),
      sender: 'anna',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    })),
  );
  const rest = await ask(`/api/rooms/${many}/files?after=${encodeURIComponent('b & c')}`, { headers });
  expect(rest.body.map(({ name }: { name: string }) => name)).toEqual(['d']);
  expect(rest.headers.has('link')).toBe(false);

  // Past the services, which would take a while: a page holds 1,000.
  const { databaseUrl } = parley.stack.servers.addresses;
  const log = createLog('test', 'silent');
  await using database = new Database({ databaseUrl, connections: 1, timeoutMs: 5_000, log });
  await database.query({
    name: 'test.listFiles',
    text: `with objects as (
             insert into files.object (id, unlisted_since) select 'many-' || n, null from generate_series(1, 1010) n
             returning id
           ) insert into files.file (room_id, name, upload_id, object_id, size, type, sha256, sender)
             select $1, 'z ' || lpad(n::text, 4, '0'), 'many-' || n, 'many-' || n, 0, '', repeat('0', 64), 'anna'
             from generate_series(1, 1010) n`,
    values: [many],
  });
  const names = Array.from({ length: 1_010 }, (_, n) => `z ${String(n + 1).padStart(4, '0')}`);
  const first = await ask(`/api/rooms/${many}/files`, { headers });
  const next = /^<([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1];
  const second = await ask(next!, { headers });
  expect([...first.body, ...second.body].map(({ name }: { name: string }) => name)).toEqual([
    'a',
    'b & c',
    'd',
    ...names,
  ]);
  expect(second.headers.has('link')).toBe(false);
});

test('an upload outlives the process that stores it', async () => {
  const bytes = randomBytes(4 * mebibyte);
  const before = await counted('parley_files_chunks_total');
  const upload = openUpload('survivor', { 'Content-Length': bytes.length });
  upload.write(bytes.subarray(0, 2 * mebibyte));
  await until('chunks to be stored', async () => {
    return (await counted('parley_files_chunks_total')) >= before + 4;
  });
  await parley.stack.services.files[0]!.kill('SIGKILL');
  upload.end(bytes.subarray(2 * mebibyte));
  expect(await answerTo(upload)).toMatchObject({ status: 201, body: { file: { sha256: sha256(bytes) } } });
  expect(sha256((await get('survivor')).bytes)).toBe(sha256(bytes));
});
