import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startParley, type Parley } from '@parley/test-kit';
import { webDir } from './web-client.ts';

let parley: Parley;
let url: string;
beforeAll(async () => {
  parley = await startParley({ webDir });
  url = parley.stack.gateways[0]!.url;
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

async function scriptPath(): Promise<string> {
  const page = await (await fetch(url)).text();
  return /src="(\/assets\/[^"]+\.js)"/.exec(page)![1]!;
}

describe('a gateway with a web client', () => {
  test('serves its page under a strict policy, to be asked for anew each time', async () => {
    const { status, headers } = await fetch(url);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/html');
    expect(headers.get('cache-control')).toBe('no-cache');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    // Of its own, fetch would ask for a fresh one.
    const ifChanged = { 'if-none-match': headers.get('etag')!, 'cache-control': 'max-age=0' };
    const again = await fetch(url, { headers: ifChanged });
    expect(again.status).toBe(304);
  });

  test('serves what it is made of for ever, compressed beforehand', async () => {
    const path = await scriptPath();
    const plain = await fetch(url + path, { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-type')).toContain('javascript');
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    const code = Buffer.from(await plain.arrayBuffer());
    const compressed = await fetch(url + path, { headers: { 'accept-encoding': 'br' } });
    expect(compressed.headers.get('content-encoding')).toBe('br');
    expect(compressed.headers.get('content-type')).toContain('javascript');
    expect(Buffer.from(await compressed.arrayBuffer()).equals(code)).toBe(true);
  });

  test.each(['/assets/', '/assets/nothing.js', '/assets/..%2findex.html', '/index.html', '/.built-from'])(
    'has nothing at %s',
    async (path) => {
      const answer = await fetch(url + path);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ status: 'error', code: 'unknown_action' });
    },
  );

  test('only reads are known', async () => {
    for (const path of ['/', await scriptPath()]) {
      const answer = await fetch(url + path, { method: 'POST' });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('GET, HEAD');
      expect((await fetch(url + path, { method: 'HEAD' })).status).toBe(200);
    }
  });

  test('still accepts WebSockets at /', async () => {
    const client = await parley.connect();
    expect((await client.request('get_rooms')).code).toBe('not_authenticated');
  });
});

test('a folder without a web client is refused at the start', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'parley-web-'));
  try {
    await expect(startParley({ webDir: empty, restart: false })).rejects.toThrow('gateway');
  } finally {
    await rm(empty, { recursive: true });
  }
});
