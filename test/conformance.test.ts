import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checks, dialects, runConformance } from '@parley/conformance';
import type { Result, RunOptions } from '@parley/conformance';
import { startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { WebSocket, WebSocketServer } from 'ws';

const run = promisify(execFile);
const command = fileURLToPath(new URL('../tools/conformance/src/main.ts', import.meta.url));
const flags = ['--disable-warning=ExperimentalWarning'];

let parley: Parley;
beforeAll(async () => {
  parley = await startParley();
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

async function resultsOf(url: string, options: Partial<RunOptions> = {}): Promise<Result[]> {
  const results: Result[] = [];
  const all = { url, dialects, only: [], patienceMs: 45_000, maxFrameBytes: 1_048_576, ...options };
  for await (const result of runConformance(all)) results.push(result);
  return results;
}

const urlOf = () => parley.stack.gateways[0]!.webSocketUrl;

test('Parley keeps every promise that is checked', async () => {
  const results = await resultsOf(urlOf());
  expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
  expect(results.map(({ id }) => id)).toEqual(checks.map(({ id }) => id));
}, 240_000);

test('each check has a name of its own and refers to a heading of docs/protocol.md', async () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  const page = await readFile(new URL('../docs/protocol.md', import.meta.url), 'utf8');
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual(expect.arrayContaining([...new Set(checks.map(({ section }) => section))]));
});

/** What a broken server does to what passes; `undefined` loses it, several make more of it. */
interface Breakage {
  toClient?: (frame: any) => object | object[] | undefined;
  toServer?: (frame: any) => object;
  closeCode?: (code: number) => number;
  http?: (body: any, status: number, path: string) => { body: unknown; status: number };
}

/** Changes what comes with one action, and leaves the rest. */
function each(action: string, change: (frame: any, nth: number) => object | object[] | undefined): Breakage {
  let nth = 0;
  return { toClient: (frame) => (frame.action === action ? change(frame, (nth += 1)) : frame) };
}

/** The third one with the action goes behind the fourth. */
function swapped(action: string): Breakage {
  let third: object | undefined;
  return each(action, (frame, nth) => {
    if (nth === 3) third = frame;
    return nth === 3 ? undefined : nth === 4 ? [frame, third!] : frame;
  });
}

function withCode(code: string, other: string): Breakage {
  return { toClient: (frame) => JSON.parse(JSON.stringify(frame).replaceAll(`"${code}"`, `"${other}"`)) };
}

const twice = (frame: object) => [frame, frame];
const lost = () => undefined;

/** What the servers do that are broken on purpose, the check that has to notice, and what it has to say. */
const broken: [what: string, breakage: () => Breakage, check: string, reason: RegExp][] = [
  [
    'closes with another code',
    () => ({ closeCode: (code) => (code === 1003 ? 1008 : code) }),
    'transport.binary',
    /expected 1003, got 1008/,
  ],
  [
    'has another error code',
    () => withCode('unknown_action', 'internal'),
    'transport.unknown-action',
    /`code` to be "unknown_action", got "internal"/,
  ],
  [
    'spells errors of /chat as elsewhere',
    () => each('error', ({ originalAction, ...rest }) => ({ ...rest, original_action: originalAction })),
    'transport.error-form',
    /`originalAction`/,
  ],
  ['answers twice', () => each('error', twice), 'transport.pipelining', /what was answered/],
  [
    'tells a wrong password from an unknown user',
    () => each('login_fail', (frame, nth) => ({ ...frame, message: `no ${nth}` })),
    'login.login-fail',
    /an unknown user/,
  ],
  [
    'gives no session key',
    () => each('login_success', ({ data, ...rest }) => ({ ...rest, data: { chatid: data.chatid } })),
    'login.login',
    /`data.session_key`/,
  ],
  [
    'ends the old session with another code',
    () => ({ closeCode: (code) => (code === 4001 ? 1001 : code) }),
    'login.resume',
    /expected 4001, got 1001/,
  ],
  [
    'lets everybody be the owner of an error',
    () => withCode('not_owner', 'forbidden'),
    'rooms.owner-only',
    /`code` to be "not_owner"/,
  ],
  [
    'does not name the owner',
    () => each('user_added', ({ data, ...rest }) => ({ ...rest, data: { ...data, owner: undefined } })),
    'rooms.create',
    /`data.owner`/,
  ],
  [
    'tells the owner of its own changes',
    () => each('room_renamed', twice),
    'rooms.changes',
    /how much came to the owner/,
  ],
  [
    'loses confirmations',
    () => each('ack', lost),
    'messages.confirmed',
    /nothing came .* the answer to `send_message`/,
  ],
  [
    'confirms without a time',
    () => each('ack', ({ data, ...rest }) => ({ ...rest, data: { ...data, timestamp: undefined } })),
    'messages.confirmed',
    /`data.timestamp` to be "<a time/,
  ],
  ['delivers twice', () => each('receive_message', twice), 'messages.order', /the deliveries/],
  ['delivers out of order', () => swapped('receive_message'), 'messages.order', /the deliveries/],
  [
    'leaves out a message',
    () => each('receive_message', (frame, nth) => (nth === 7 ? undefined : frame)),
    'messages.order',
    /the deliveries/,
  ],
  [
    'leaves out an id',
    () =>
      each('ack', ({ data, ...rest }, nth) => ({
        ...rest,
        data: { ...data, message_id: nth < 5 ? nth : nth + 1 },
      })),
    'messages.order',
    /the ids of the confirmations/,
  ],
  [
    'delivers one of two in another order',
    () => swapped('receive_message'),
    'messages.order-of-all',
    /the deliveries to/,
  ],
  [
    'trims what is said',
    () =>
      each('receive_message', ({ data, ...rest }) => ({
        ...rest,
        data: { ...data, content: data.content.trim() },
      })),
    'messages.exact',
    /the deliveries/,
  ],
  [
    'forgets which message it was',
    () => ({
      toServer: (frame) => ({
        ...frame,
        ...(frame.data && { data: { ...frame.data, client_message_id: undefined } }),
      }),
    }),
    'messages.idempotent',
    /the repeated confirmation/,
  ],
  [
    'never has more',
    () => each('messages_list', ({ data, ...rest }) => ({ ...rest, data: { ...data, has_more: false } })),
    'messages.history',
    /has_more/,
  ],
  [
    'goes on one message too late',
    () => ({
      toServer: (frame) =>
        frame.data?.after_id === undefined
          ? frame
          : { ...frame, data: { ...frame.data, after_id: Number(frame.data.after_id) + 1 } },
    }),
    'messages.resume',
    /what was missed/,
  ],
  [
    'counts wrong',
    () =>
      each('character_count', ({ data, ...rest }) => ({
        ...rest,
        data: { ...data, letter_frequencies: { ...data.letter_frequencies, a: 1_000 } },
      })),
    'handshake.counts',
    /count of .* is wrong/,
  ],
  [
    'finds every count right',
    () => each('confirm_count', ({ data, ...rest }) => ({ ...rest, data: { ...data, confirm: true } })),
    'handshake.wrong-count',
    /finds a wrong count right/,
  ],
  ['closes no exchange', () => each('ack', lost), 'handshake.login', /nothing came .* the ack/],
  [
    'closes a message twice',
    () => each('ack', (frame) => (frame.data.message_id === undefined ? frame : [frame, frame])),
    'handshake.one-ack',
    /the number of acks/,
  ],
  [
    'changes a frame that comes again',
    () => each('receive_message', (frame, nth) => ({ ...frame, message: `time ${nth}` })),
    'handshake.wrong-count',
    /the frame that came again/,
  ],
  [
    'mixes up the bytes',
    () => each('file_down_data', ({ data, ...rest }) => ({ ...rest, data: { ...data, file_data: 'AAAA' } })),
    'files.round-trip',
    /the bytes that were downloaded/,
  ],
  [
    'says that other chunks are missing',
    () => each('error', ({ data, ...rest }) => ({ ...rest, data: { ...data, missing: [[1, 5]] } })),
    'files.missing-chunks',
    /the missing ones/,
  ],
  [
    'has other rooms first',
    () =>
      each('joined', ({ payload, ...rest }) => [
        { action: 'roomsList', payload: { rooms: {} } },
        { ...rest, payload },
      ]),
    'identify.identify',
    /the first frame/,
  ],
  ['delivers out of order to guests', () => swapped('message'), 'identify.order', /what .* got/],
  ['delivers twice to guests', () => each('message', twice), 'identify.order', /what .* got/],
  ['takes a name twice', () => withCode('username_taken', 'internal'), 'identify.names', /`reason`/],
  [
    'welcomes to another room',
    () => each('joined', (frame) => ({ ...frame, message: 'Welcome to elsewhere!' })),
    'join.join',
    /`message`/,
  ],
  ['does not tell who came', () => each('user-joined', lost), 'join.join', /nothing came .*user-joined/],
  [
    'does not go on where one was',
    () => ({ toServer: (frame) => ({ ...frame, lastId: undefined }) }),
    'join.resume',
    /the ids that came/,
  ],
  ['delivers twice in the join dialect', () => each('new-message', twice), 'join.order', /what .* got/],
  [
    'has another status',
    () => ({ http: (body, status) => ({ body, status: status === 401 ? 403 : status }) }),
    'http.accounts',
    /`status` to be 401, got 403/,
  ],
  [
    'has history the other way round',
    () => ({
      http: (body, status) => ({
        status,
        body: body.messages ? { ...body, messages: body.messages.toReversed() } : body,
      }),
    }),
    'http.history',
    /chat-history/,
  ],
  [
    'has another name in another dialect',
    () => each('message', ({ payload, ...rest }) => ({ ...rest, payload: { ...payload, from: 'somebody' } })),
    'across.one-room',
    /the message by login/,
  ],
];

describe('a server that', () => {
  test.each(broken)('%s is found out', async (_what, breakage, check, reason) => {
    await using server = await openBroken(urlOf(), breakage);
    // What is lost is waited for in vain; all else that is wrong is seen as soon as it comes.
    const patienceMs = reason.source.startsWith('nothing came') ? 10_000 : 45_000;
    const [result] = await resultsOf(server.url, { only: [check], patienceMs });
    expect(result).toMatchObject({ id: check, outcome: 'failed', reason: expect.stringMatching(reason) });
    expect(result!.transcript!.length).toBeGreaterThan(1);
  });

  test('breaks a promise is there for each group of checks', () => {
    const groupOf = (id: string) => id.split('.')[0];
    expect(new Set(broken.map(([, , check]) => groupOf(check)))).toEqual(
      new Set(checks.map(({ id }) => groupOf(id))),
    );
  });

  test('allows no guests is not found fault with: what is about them is skipped', async () => {
    const refuse = (frame: any) => ({
      ...frame,
      payload: { reason: 'forbidden', detail: 'no guests' },
      action: 'error',
    });
    await using server = await openBroken(urlOf(), () => each('joined', refuse));
    const [result] = await resultsOf(server.url, { only: ['identify.send'] });
    expect(result).toMatchObject({ outcome: 'skipped', reason: 'guests are not allowed here' });
  });
});

describe('npm run conformance', () => {
  async function conformance(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    try {
      return { code: 0, ...(await run(process.execPath, [...flags, command, ...args])) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  }

  test('says what passed and what did not, and ends with 1 where something did not', async () => {
    const good = await conformance(
      '--url',
      urlOf(),
      '--only',
      'transport.paths',
      '--only',
      'transport.binary',
    );
    expect(good).toMatchObject({
      code: 0,
      stdout: 'pass  transport.paths\npass  transport.binary\n2 passed, 0 failed, 0 skipped\n',
    });
    await using server = await openBroken(urlOf(), () => ({ closeCode: () => 1008 }));
    const bad = await conformance('--url', server.url, '--only', 'transport.binary', '--json');
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      url: server.url,
      failed: 1,
      results: [
        { id: 'transport.binary', section: 'Transport', outcome: 'failed', transcript: expect.any(Array) },
      ],
    });
  });

  test.each([
    ['no server', [], '--url'],
    ['a dialect that there is not', ['--url', 'ws://localhost:1', '--dialect', 'french'], '--dialect'],
    ['a check that there is not', ['--url', 'ws://localhost:1', '--only', 'nothing'], 'no check "nothing"'],
  ])('explains itself where it is given %s', async (_what, args, explanation) => {
    expect(await conformance(...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(explanation),
    });
  });
});

/** A real server behind something that breaks it, each connection for itself. */
async function openBroken(
  target: string,
  breakage: () => Breakage,
): Promise<AsyncDisposable & { url: string }> {
  const change = (text: string, apply: (frame: any) => object | object[] | undefined): string[] => {
    let frame: unknown;
    try {
      frame = JSON.parse(text);
    } catch {
      return [text];
    }
    if (typeof frame !== 'object' || frame === null) return [text];
    const changed = apply(frame);
    // What is not changed passes as it was written: the handshake counts its characters.
    if (changed === frame) return [text];
    return [changed ?? []].flat().map((each) => JSON.stringify(each));
  };
  const server = createServer((request, response) => {
    void (async () => {
      const { method = 'GET', url = '/', headers } = request;
      const answer = await fetch(`${target.replace('ws:', 'http:')}${url}`, {
        method,
        headers: { 'content-type': 'application/json', authorization: headers.authorization ?? '' },
        ...(method === 'POST' && { body: await buffer(request) }),
      });
      const body = await answer.json();
      const changed = breakage().http?.(body, answer.status, url) ?? { body, status: answer.status };
      response.writeHead(changed.status).end(JSON.stringify(changed.body));
    })();
  });
  const webSockets = new WebSocketServer({ server, perMessageDeflate: false });
  webSockets.on('connection', (near, { url, headers }) => {
    const {
      toClient = (frame) => frame,
      toServer = (frame) => frame,
      closeCode = (code) => code,
    } = breakage();
    const { authorization } = headers;
    const far = new WebSocket(`${target}${url}`, {
      perMessageDeflate: false,
      headers: authorization === undefined ? {} : { authorization },
    });
    const opened = once(far, 'open');
    near.on('message', (data: Buffer, isBinary) => {
      void opened.then(() => {
        if (isBinary) far.send(data);
        else for (const text of change(data.toString(), toServer)) far.send(text);
      });
    });
    far.on('message', (data: Buffer) => {
      for (const text of change(data.toString(), toClient)) near.send(text);
    });
    near.once('close', () => {
      far.terminate();
    });
    far.once('close', (code) => {
      near.close(closeCode(code));
    });
    for (const socket of [near, far]) socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of webSockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
