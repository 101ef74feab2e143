import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { browserObstacle, launchBrowser } from '@parley/test-kit/browser';
import type * as Sdk from '../src/index.ts';
import { backoff, killGateway, logIn, readAll, talk, told } from './peers.ts';

const kills = 20;
const maxGzippedBytes = 15_000;

const run = promisify(execFile);
const build = fileURLToPath(new URL('../build/main.ts', import.meta.url));

const obstacle = await browserObstacle();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-client-'));
  await run(process.execPath, [build, folder]);
}, 120_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('what is published is small, stands alone and says what it is', async () => {
  const code = await readFile(join(folder, 'index.js'));
  expect(gzipSync(code).length).toBeLessThanOrEqual(maxGzippedBytes);
  expect(code.toString()).not.toMatch(/\bfrom\s*["'`]|\bimport\s*\(/);
  expect(await readFile(join(folder, 'index.d.ts'), 'utf8')).toContain('createClient');
});

if (obstacle === undefined) describe('in Chromium', inChromium);
else test.skip(`the client in a browser: skipped, because ${obstacle}`, () => {});

function inChromium(): void {
  let parley: Parley;
  let pages: Server;
  beforeAll(async () => {
    const code = await readFile(join(folder, 'index.js'));
    pages = createServer((request, response) => {
      const isCode = request.url === '/index.js';
      response.setHeader('content-type', isCode ? 'text/javascript' : 'text/html');
      response.end(isCode ? code : '<!doctype html><title>Parley</title>');
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    const { port } = pages.address() as AddressInfo;
    parley = await startParley({ environment: { ALLOWED_ORIGINS: `http://127.0.0.1:${port}` } });
  });
  afterAll(async () => {
    pages.close();
    await parley[Symbol.asyncDispose]();
  });

  test(`the gateway is killed ${kills} times while a page and a peer talk: both have the room's history`, async () => {
    await using browser = await launchBrowser();
    await using anna = await logIn(parley, 'anna');
    const room = await anna.createRoom('Storm');
    const page = await browser.newPage();
    const { port } = pages.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.evaluate(beginTalk, { url: parley.stack.gateways[0]!.url, password, backoff });
    await room.add('ben');
    const stop = new AbortController();
    const hers = talk(anna, room, stop.signal);
    const his = () => page.evaluate(() => (globalThis as unknown as TalkingPage).talk);
    for (let kill = 1; kill <= kills; kill += 1) {
      const [before, beforeHis] = [hers.confirmed.length, (await his()).confirmed.length];
      await until(
        `both talk again after kill ${kill - 1}`,
        async () => hers.confirmed.length > before + 5 && (await his()).confirmed.length > beforeHis + 5,
      );
      await killGateway(parley);
    }
    stop.abort();
    await Promise.all([hers.done, page.evaluate(() => (globalThis as unknown as TalkingPage).stopTalk())]);
    const history = (await readAll(room)).map(told);
    const contents = history.map(({ content }) => content);
    expect(new Set(contents).size).toBe(contents.length);
    await until('she hears all', () => hers.heard.length >= history.length);
    await until('he hears all', async () => (await his()).heard.length >= history.length);
    expect(hers.heard.map(told)).toEqual(history);
    const { heard, confirmed } = await his();
    expect(heard).toEqual(history.map(({ id, content }) => [id, content]));
    expect(hers.confirmed.length + confirmed.length).toBe(history.length);
  }, 360_000);
}

/** What the page's script leaves for the test to look at. */
interface TalkingPage {
  talk: { heard: [number, string][]; confirmed: number[] };
  stopTalk: () => Promise<unknown>;
}

/** Runs in the page: logs in as `ben`, waits to be added to a room, and talks there until it is stopped. */
async function beginTalk(options: {
  url: string;
  password: string;
  backoff: { minMs: number; maxMs: number };
}): Promise<void> {
  const address = '/index.js';
  const { createClient } = (await import(address)) as typeof Sdk;
  const client = createClient(options);
  await client.register('ben', options.password);
  await client.logIn('ben', options.password);
  const page = globalThis as unknown as TalkingPage;
  page.talk = { heard: [], confirmed: [] };
  let isOver = false;
  let done: Promise<unknown> = Promise.resolve();
  const listen = async (room: Sdk.Room): Promise<void> => {
    for await (const { id, content } of room.messages({ after: 0 })) page.talk.heard.push([id, content]);
  };
  const speak = async (room: Sdk.Room): Promise<void> => {
    for (let n = 1; !isOver; n += 1) page.talk.confirmed.push((await room.send(`ben ${n}`)).id);
  };
  const stopWaiting = client.on('rooms', ([room]) => {
    if (!room) return;
    stopWaiting();
    void listen(room);
    done = speak(room);
  });
  page.stopTalk = () => {
    isOver = true;
    return done;
  };
}
