import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';
import { WebSocket } from 'ws';

let parley: Parley;
beforeAll(async () => {
  parley = await startParley();
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

test.each([
  ['no JSON', 'hello', null, 'invalid_json', undefined],
  ['an array', '[1]', null, 'invalid_json', undefined],
  ['null', 'null', null, 'invalid_json', undefined],
  ['no action', '{}', null, 'missing_field', 'action'],
  ['a number as action', '{"action":5}', null, 'invalid_field', 'action'],
  ['an unknown action', '{"action":"fly"}', 'fly', 'unknown_action', 'action'],
  ['an inherited name as action', '{"action":"constructor"}', 'constructor', 'unknown_action', 'action'],
  ['a body that is no object', '{"action":"get_rooms","data":[]}', 'get_rooms', 'invalid_field', 'data'],
  ['a missing field', '{"action":"delete_room","data":{}}', 'delete_room', 'missing_field', 'room_id'],
  [
    'a wrong type',
    '{"action":"delete_room","data":{"room_id":5}}',
    'delete_room',
    'invalid_field',
    'room_id',
  ],
  [
    'NUL',
    '{"action":"send_message","data":{"room_id":"r","content":"\\u0000"}}',
    'send_message',
    'invalid_field',
    'content',
  ],
  [
    'a lone surrogate',
    '{"action":"send_message","data":{"room_id":"r","content":"\\ud800"}}',
    'send_message',
    'invalid_field',
    'content',
  ],
  [
    'an empty message',
    '{"action":"send_message","data":{"room_id":"r","content":""}}',
    'send_message',
    'invalid_field',
    'content',
  ],
  [
    'a bad limit',
    '{"action":"get_messages","data":{"room_id":"r","limit":0}}',
    'get_messages',
    'invalid_field',
    'limit',
  ],
  [
    'a bad time',
    '{"action":"get_messages","data":{"room_id":"r","from_time":"today"}}',
    'get_messages',
    'invalid_field',
    'from_time',
  ],
  [
    'a control character in a name',
    '{"action":"login","data":{"chatid":"a\\tb","password":"password123"}}',
    'login',
    'invalid_field',
    'chatid',
  ],
])('%s gets one clear error, and the connection lives on', async (_what, text, action, code, field) => {
  const client = await parley.connect();
  client.send(text);
  const error = await client.next('the error');
  expect(error).toMatchObject({ action: 'error', original_action: action, status: 'error', code });
  expect(error.data?.field).toBe(field);
  if (field)
    expect(error.message).toMatch(
      field === 'action' && code === 'unknown_action' ? /action/ : new RegExp(`\`${field}\``),
    );
  expect(await client.request('get_rooms')).toMatchObject({ code: 'not_authenticated' });
});

test('one may speak for oneself only', async () => {
  const client = await parley.logIn('myself');
  const request = { chatid: 'somebody', participants: [], room_name: 'Not mine' };
  expect(await client.request('create_room', request)).toMatchObject({ code: 'forbidden' });
  expect(await client.request('get_rooms', { chat_id: 'somebody' })).toMatchObject({ code: 'forbidden' });
  expect(await client.ask('get_rooms', { chatid: ' myself ', extra: 'ignored' })).toEqual({ rooms: [] });
});

test('a taken name cannot be registered', async () => {
  await parley.logIn('taken');
  const client = await parley.connect();
  expect(await client.request('register', { chatid: ' taken', password })).toMatchObject({
    code: 'username_taken',
  });
});

test('a message is kept exactly as it was sent', async () => {
  const client = await parley.logIn('exact');
  const { room_id } = await client.ask('create_room', { room_name: '🫖', participants: [] });
  const contents = [
    '  spaces  ',
    'e\u0301 stays two',
    '\u202eright to left',
    '👩‍👩‍👧‍👦'.repeat(100),
    '\u0001\u001f"\\/',
    '𝔘'.repeat(8_192),
  ];
  for (const content of contents) await client.ask('send_message', { room_id, content });
  const { messages } = await client.ask('get_messages', { room_id });
  expect(messages.map(({ content }: any) => content)).toEqual(contents);
  const tooLong = await client.request('send_message', { room_id, content: 'x'.repeat(8_193) });
  expect(tooLong).toMatchObject({ code: 'invalid_field', data: { field: 'content' } });
});

test('a binary frame closes with 1003, a frame above 1 MiB with 1009', async () => {
  const binary = await parley.connect();
  binary.socket.send(Buffer.from('{"action":"get_rooms"}'));
  expect(await binary.closed).toBe(1003);
  const large = await parley.connect();
  large.send('x'.repeat(1_048_577));
  expect(await large.closed).toBe(1009);
});

test.each([
  [
    'in too many pieces',
    1008,
    ({ socket }) => {
      sendInPieces(socket, 16_385);
    },
  ],
  [
    'that is no UTF-8',
    1007,
    ({ socket }) => {
      socket.send(Buffer.from([0xff]), { binary: false });
    },
  ],
  [
    'that is too large',
    1009,
    (client) => {
      client.send('x'.repeat(1_048_577));
    },
  ],
  [
    'that is binary',
    1003,
    ({ socket }) => {
      socket.send(Buffer.from('{"action":"get_rooms"}'));
    },
  ],
] satisfies [string, number, (client: LoginClient) => void][])(
  'a frame %s closes with %i, which is counted',
  async (_what, code, send) => {
    const { healthUrl } = parley.stack.gateways[0]!;
    const closed = () => metric(healthUrl, `parley_gateway_closed_total{code="${code}"}`);
    const before = await closed();
    const client = await parley.connect();
    send(client);
    expect(await client.closed).toBe(code);
    expect(await closed()).toBe(before + 1);
  },
);

function sendInPieces(socket: WebSocket, pieces: number): void {
  for (let n = 0; n < pieces; n += 1) socket.send('x', { fin: false });
}

test('a socket is accepted on /, /ws and /chat, and nowhere else', async () => {
  const { webSocketUrl } = parley.stack.gateways[0]!;
  for (const path of ['/', '/ws', '/chat', '/ws?query=1']) {
    const socket = new WebSocket(webSocketUrl + path);
    await once(socket, 'open');
    socket.terminate();
  }
  const refused = new WebSocket(`${webSocketUrl}/elsewhere`);
  const [error] = (await once(refused, 'error')) as [Error];
  expect(error.message).toContain('404');
});

test('a path that is not there is a 404 in words', async () => {
  const response = await fetch(`${parley.stack.gateways[0]!.url}/nowhere`);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ status: 'error', code: 'unknown_action' });
});

test('a reader that does not read is closed with 1013 and costs nobody else', async () => {
  const [slow, quick] = await Promise.all([parley.logIn('slow'), parley.logIn('quick')]);
  const { room_id } = await quick.ask('create_room', { room_name: 'Flood', participants: ['slow'] });
  await slow.event('user_added');
  slow.socket.pause();
  const gateway = parley.stack.gateways[0]!;
  const isClosed = async () => (await metric(gateway.healthUrl, 'parley_gateway_slow_readers_total')) === 1;
  const content = 'x'.repeat(8_192);
  const flood = new AbortController();
  const sending = (async () => {
    while (!flood.signal.aborted) {
      await Promise.all(Array.from({ length: 100 }, () => quick.ask('send_message', { room_id, content })));
    }
  })();
  await until('the end of the slow reader', isClosed);
  // Beside the sends, not behind them: who does not read the goodbye within a few seconds is cut off.
  slow.socket.resume();
  flood.abort();
  expect(await slow.closed).toBe(1013);
  await sending;
  // It goes on from the last it saw, and misses nothing.
  const seen = slow.messagesOf(room_id).at(-1)?.[0] ?? 0;
  expect(slow.messagesOf(room_id).map(([id]) => id)).toEqual(Array.from({ length: seen }, (_, n) => n + 1));
  const back = await parley.connect();
  await until(
    'the login',
    async () => (await back.request('login', { chatid: 'slow', password })).status === 'success',
  );
  const { messages } = await back.ask('get_messages', { room_id, after_id: seen, limit: 1 });
  expect(messages[0].message_id).toBe(seen + 1);
});

/** Bytes that are read at once, whatever they are part of. */
const readAtOnce = 65_536;

test.each([
  ['many', { requests: 600, bytes: 4_096, most: 256 }],
  ['large', { requests: 16, bytes: 1_000_000, most: 5 }],
])(
  'of %s requests only so much is read as may be unanswered; the rest waits, and all are answered in order',
  async (what, { requests, bytes, most }) => {
    const [hasty, calm] = await Promise.all([parley.logIn(`hasty, ${what}`), parley.logIn(`calm, ${what}`)]);
    const { room_id } = await hasty.ask('create_room', { room_name: 'Queue', participants: [] });
    const { healthUrl } = parley.stack.gateways[0]!;
    const [messages] = parley.stack.services.messages;
    const framesRead = () => metric(healthUrl, 'parley_gateway_frames_received_total');
    const before = await framesRead();
    let others = 0;
    const readOfHasty = async () => (await framesRead()) - before - others;

    hasty.socket.pause();
    messages!.signal('SIGSTOP');
    const padding = 'x'.repeat(bytes);
    for (let n = 0; n < requests; n += 1) {
      hasty.send({ action: 'send_message', data: { room_id, content: String(n), padding } });
    }
    try {
      await until('as much as may be unanswered', async () => (await readOfHasty()) >= most);
      for (; others < 20; others += 1) expect(await calm.ask('get_rooms')).toEqual({ rooms: [] });
      expect(await readOfHasty()).toBeLessThanOrEqual(most + Math.ceil(readAtOnce / bytes));
    } finally {
      messages!.signal('SIGCONT');
    }
    await until('all of it', async () => (await readOfHasty()) === requests);
    hasty.socket.resume();
    await until('the last answer', () => hasty.all('ack').length === requests);
    const ids = hasty.all('ack').map(({ data }) => data.message_id);
    expect(ids).toEqual(Array.from({ length: requests }, (_, n) => n + 1));
    const page = await hasty.ask('get_messages', { room_id, after_id: 0, limit: 1_000 });
    expect(page.messages.map(({ content }: any) => Number(content))).toEqual(ids.map((id) => id - 1));
  },
);

/** 0 where nothing was counted yet. @param line With its labels, if it has any. */
async function metric(healthUrl: string, line: string): Promise<number> {
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? 0);
}
