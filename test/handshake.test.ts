import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { letterFrequencies } from '@parley/protocol';
import { HandshakeClient, password, startParley, until } from '@parley/test-kit';
import type { HandshakeManners, LoginClient, Parley } from '@parley/test-kit';

let parley: Parley;
beforeAll(async () => {
  // Nothing may come twice here because the machine was busy for a while.
  const environment = { LOGIN_POLICY: 'multi', HANDSHAKE_RESEND_MS: '60000' };
  parley = await startParley({ gateways: 2, environment });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

interface LoginOptions {
  /** Where, if it is not the Parley of most tests. */
  at?: Parley;
  gateway?: number;
  manners?: HandshakeManners;
  receipts?: boolean;
}

/** Makes an account, if it is not there yet, and logs in under the handshake. */
async function logIn(name: string, options: LoginOptions = {}) {
  const client = await (options.at ?? parley).connect(options.gateway);
  await client.request('register', { chatid: name, password });
  const handshake = new HandshakeClient(client, options.manners);
  await handshake.logIn(name, { password }, { receipts: options.receipts ?? false });
  return handshake;
}

function idsOf({ client }: HandshakeClient, roomId: string): number[] {
  return client.messagesOf(roomId).map(([id]) => id);
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

async function positionOf(
  asking: Pick<LoginClient, 'ask'>,
  room_id: string,
  name: string,
): Promise<number | undefined> {
  const { receipts } = await asking.ask('get_receipts', { room_id });
  return receipts.find(({ chatid }: any) => chatid === name)?.message_id;
}

test('a request waits for its count to be confirmed; reply and ack carry its transaction_id', async () => {
  const client = await parley.connect();
  await client.request('register', { chatid: 'frank', password });
  const login = { action: 'login', data: { chatid: 'frank', password, handshake: true } };
  client.send(login);
  const count = await client.event('character_count');
  const { transaction_id } = count.data;
  expect(count).toEqual({
    action: 'character_count',
    data: {
      transaction_id,
      letter_frequencies: letterFrequencies(JSON.stringify(login)),
      original_action: 'login',
    },
  });
  client.send({ action: 'confirm_count', data: { transaction_id, confirm: true } });
  const reply = await client.event('login_success');
  expect(reply.data).toEqual({ chatid: 'frank', session_key: expect.any(String), transaction_id });
  expect(await client.event('ack')).toEqual({
    action: 'ack',
    status: 'success',
    message: 'Action processed successfully.',
    data: { transaction_id },
  });
});

test('every action of the dialect goes through the exchange; a message has one ack for both', async () => {
  const owner = await logIn('owner');
  await parley.logIn('guest', 1);
  const { room_id } = await owner.ask('create_room', { room_name: 'All', participants: [] });
  const requests: [string, object][] = [
    ['register', { chatid: 'made under handshake', password }],
    ['get_rooms', {}],
    ['add_user_to_room', { room_id, user_to_add: 'guest' }],
    ['get_room_users', { room_id }],
    ['get_messages', { room_id }],
    ['get_receipts', { room_id }],
    ['rename_room', { room_id, new_room_name: 'All of it' }],
    ['remove_user_from_room', { room_id, user_to_remove: 'guest' }],
    ['join_room', { room_id }],
    ['delete_room', { room_id }],
    ['logout', {}],
  ];
  const sent = await owner.request('send_message', { room_id, content: 'héllo 💬', client_message_id: 'a' });
  expect(sent).toMatchObject({
    action: 'ack',
    status: 'success',
    data: { room_id, message_id: 1, client_message_id: 'a' },
  });
  for (const [action, data] of requests) {
    const reply = await owner.request(action, data);
    expect(reply).toMatchObject({ status: 'success', data: { transaction_id: expect.any(String) } });
    const { transaction_id } = reply.data;
    const ack = await owner.client.next(
      'the ack',
      (frame) => frame.action === 'ack' && frame.data.transaction_id === transaction_id,
    );
    expect(ack).toMatchObject({ status: 'success', data: { transaction_id } });
  }
  const left = await owner.client.request('get_rooms');
  expect(left).toMatchObject({ code: 'not_authenticated' });
});

test('an error ends the exchange without an ack', async () => {
  const client = await logIn('erring');
  await client.client.event('ack');
  const error = await client.request('delete_room', { room_id: 'nowhere' });
  expect(error).toMatchObject({
    action: 'error',
    code: 'room_not_found',
    data: { transaction_id: expect.any(String) },
  });
  const malformed = await client.client.request('delete_room', {});
  expect(malformed).toMatchObject({ code: 'missing_field', data: { field: 'room_id' } });
  await client.ask('get_rooms');
  expect(client.client.received.filter(({ action }) => action === 'ack')).toHaveLength(2);
});

test('a count that differs stops the request', async () => {
  const client = await logIn('careful');
  const { room_id } = await client.ask('create_room', { room_name: 'Safe', participants: [] });
  client.manners = { confirm: () => false };
  client.client.send({ action: 'send_message', data: { room_id, content: 'garbled' } });
  const refused = await client.client.next('the refusal', ({ code }) => code === 'handshake_mismatch');
  expect(refused).toMatchObject({
    action: 'ack',
    status: 'error',
    data: { transaction_id: expect.any(String) },
  });
  client.manners = { confirm: () => true };
  expect((await client.ask('get_messages', { room_id })).messages).toEqual([]);
});

test('a count that is not confirmed in time is over; 64 may wait', async () => {
  // Long enough for the login and for asking 65 times.
  await using hasty = await startParley({ environment: { HANDSHAKE_TIMEOUT_MS: '3000' } });
  const client = await logIn('slow', {
    at: hasty,
    manners: { confirm: (count) => (count.data.original_action === 'login' ? true : undefined) },
  });
  for (let n = 0; n < 65; n += 1) client.client.send({ action: 'get_rooms' });
  expect(await client.client.event('error')).toMatchObject({
    original_action: 'get_rooms',
    code: 'rate_limited',
  });
  const timeouts = [];
  for (let n = 0; n < 64; n += 1) timeouts.push(await client.client.event('error'));
  expect(new Set(timeouts.map(({ code }) => code))).toEqual(new Set(['handshake_timeout']));
  const late = timeouts[0]!.data.transaction_id;
  client.client.send({ action: 'confirm_count', data: { transaction_id: late, confirm: true } });
  expect(await client.client.event('error')).toMatchObject({
    original_action: 'confirm_count',
    code: 'invalid_field',
  });
});

test('a failed login leaves the connection as it was', async () => {
  const client = await parley.connect();
  const handshake = new HandshakeClient(client);
  const failed = await handshake.request('login', { chatid: 'nobody', password, handshake: true });
  expect(failed).toMatchObject({
    action: 'login_fail',
    code: 'invalid_credentials',
    data: { transaction_id: expect.any(String) },
  });
  expect(await client.request('get_rooms')).toEqual(expect.objectContaining({ code: 'not_authenticated' }));
  expect(client.received.filter(({ action }) => action === 'character_count')).toHaveLength(1);
});

test('a message is delivered, counted, confirmed and acknowledged, and its sender is told', async () => {
  const sender = await parley.connect();
  await sender.request('register', { chatid: 'sender', password });
  await sender.ask('login', { chatid: 'sender', password, receipts: true });
  const receiver = await logIn('receiver', { gateway: 1 });
  const { room_id } = await sender.ask('create_room', { room_name: 'Proof', participants: ['receiver'] });
  await receiver.client.event('user_added');
  const ack = await sender.ask('send_message', { room_id, content: 'e\u0301 💬 "quoted"\n' });
  const confirmation = await receiver.client.event('confirm_count');
  expect(confirmation.data).toEqual({ transaction_id: ack.transaction_id, confirm: true });
  expect(await sender.event('message_delivered')).toMatchObject({
    status: 'success',
    data: { room_id, message_id: 1, chatid: 'receiver' },
  });
  const { receipts } = await sender.ask('get_receipts', { room_id });
  expect(receipts).toEqual([{ chatid: 'receiver', message_id: 1, at: expect.stringMatching(/Z$/) }]);
});

test('a wrong count brings the same frame again, five times, then the next go on', async () => {
  const [sender, receiver] = await Promise.all([parley.logIn('patient'), logIn('broken', { gateway: 1 })]);
  const { room_id } = await sender.ask('create_room', { room_name: 'Noise', participants: ['broken'] });
  await receiver.client.event('user_added');
  receiver.manners = { count: (text, { data }) => (data.content === 'noisy' ? `${text}!` : text) };
  await sender.ask('send_message', { room_id, content: 'noisy' });
  await sender.ask('send_message', { room_id, content: 'clear' });
  await until(
    'the second to be acknowledged',
    async () => (await positionOf(sender, room_id, 'broken')) !== undefined,
  );
  await until('five resends', () => idsOf(receiver, room_id).filter((id) => id === 1).length === 6);
  expect(await positionOf(sender, room_id, 'broken')).toBe(0);
  await receiver.client.close();
  const back = await logIn('broken');
  await until('what was given up comes again', () => idsOf(back, room_id).length === 1);
  await until('its receipt', async () => (await positionOf(sender, room_id, 'broken')) === 2);
  expect(idsOf(back, room_id)).toEqual([1]);
});

describe('where silence is short', () => {
  /** What is not acknowledged comes again soon. */
  let hasty: Parley;
  beforeAll(async () => {
    hasty = await startParley({ gateways: 2, environment: { HANDSHAKE_RESEND_MS: '500' } });
  });
  afterAll(async () => {
    await hasty[Symbol.asyncDispose]();
  });

  test('silence brings the frame again, after growing delays, until it is acknowledged', async () => {
    const [sender, receiver] = await Promise.all([
      hasty.logIn('talker'),
      logIn('mute', { at: hasty, gateway: 1 }),
    ]);
    const { room_id } = await sender.ask('create_room', { room_name: 'Silence', participants: ['mute'] });
    await receiver.client.event('user_added');
    receiver.manners = { count: () => undefined };
    await sender.ask('send_message', { room_id, content: 'hello?' });
    await until('two resends', () => idsOf(receiver, room_id).length >= 3);
    receiver.manners = {};
    await until('the receipt', async () => (await positionOf(sender, room_id, 'mute')) === 1);
    const seen = idsOf(receiver, room_id).length;
    await receiver.ask('get_rooms');
    expect(idsOf(receiver, room_id)).toHaveLength(seen);
  });

  test('at most 32 are in flight', async () => {
    const [sender, receiver] = await Promise.all([
      hasty.logIn('many'),
      logIn('few', { at: hasty, gateway: 1 }),
    ]);
    const { room_id } = await sender.ask('create_room', { room_name: 'Window', participants: ['few'] });
    await receiver.client.event('user_added');
    const silent = new Set<number>();
    receiver.manners = {
      count: (text, { data }) => {
        if (silent.size < 32 || silent.has(data.message_id)) {
          silent.add(data.message_id);
          return undefined;
        }
        return text;
      },
    };
    await Promise.all(upTo(100).map((n) => sender.ask('send_message', { room_id, content: String(n) })));
    await until('as many as may be', () => silent.size === 32);
    await until('a resend', () => idsOf(receiver, room_id).length > 32);
    expect(new Set(idsOf(receiver, room_id))).toEqual(new Set(upTo(32)));
    receiver.manners = {};
    await until('all receipts', async () => (await positionOf(sender, room_id, 'few')) === 100);
    expect([...new Set(idsOf(receiver, room_id))]).toEqual(upTo(100));
  });
});

test('a client that answers what is unknown or foreign changes nothing', async () => {
  const [sender, liar, stranger] = await Promise.all([
    parley.logIn('honest'),
    logIn('liar'),
    logIn('stranger'),
  ]);
  const { room_id } = await sender.ask('create_room', { room_name: 'Lies', participants: ['liar'] });
  const { transaction_id } = await sender.ask('send_message', { room_id, content: 'truth' });
  await until('the receipt', async () => (await positionOf(sender, room_id, 'liar')) === 1);
  const lies: [LoginClient, string, object][] = [
    [liar.client, 'confirm_count', { transaction_id: 'made up', confirm: true }],
    [liar.client, 'character_count', { transaction_id: 'made up', letter_frequencies: {} }],
    [liar.client, 'ack', { transaction_id: 'made up' }],
    [liar.client, 'ack', { transaction_id: `${room_id}.2` }],
    [liar.client, 'ack', { transaction_id: `${room_id}.0` }],
    [stranger.client, 'ack', { transaction_id }],
    [stranger.client, 'character_count', { transaction_id, letter_frequencies: {} }],
  ];
  for (const [client, action, data] of lies) {
    client.send({ action, data });
    const error = await client.event('error');
    expect(error).toMatchObject({
      original_action: action,
      code: 'invalid_field',
      data: { field: 'transaction_id' },
    });
  }
  const repeated = { action: 'ack', data: { transaction_id } };
  liar.client.send(repeated);
  await liar.ask('get_rooms');
  const { receipts } = await sender.ask('get_receipts', { room_id });
  expect(receipts.map(({ chatid, message_id }: any) => [chatid, message_id])).toEqual([['liar', 1]]);
});

test('a client that never asked may count and acknowledge, and nothing is sent again to it', async () => {
  const [sender, receiver] = await Promise.all([
    parley.logIn('plain sender'),
    parley.logIn('plain receiver', 1),
  ]);
  const { room_id } = await sender.ask('create_room', {
    room_name: 'Plain',
    participants: ['plain receiver'],
  });
  await sender.ask('send_message', { room_id, content: 'hello' });
  const frame = await receiver.event('receive_message');
  const { transaction_id } = frame.data;
  const text = JSON.stringify(frame);
  for (const [counted, confirm] of [
    [text, true],
    [`${text} `, false],
  ] as const) {
    receiver.send({
      action: 'character_count',
      data: { transaction_id, letter_frequencies: letterFrequencies(counted) },
    });
    expect((await receiver.event('confirm_count')).data).toEqual({ transaction_id, confirm });
  }
  receiver.send({ action: 'ack', data: { transaction_id } });
  await until('the receipt', async () => (await positionOf(sender, room_id, 'plain receiver')) === 1);
  expect(receiver.messagesOf(room_id)).toHaveLength(1);
});

test('who is killed between confirm_count and ack gets that message again after login, and only it', async () => {
  const [sender, receiver] = await Promise.all([
    logIn('writer', { receipts: true }),
    logIn('dying', { gateway: 1 }),
  ]);
  const { room_id } = await sender.ask('create_room', { room_name: 'Death', participants: ['dying'] });
  await receiver.client.event('user_added');
  receiver.manners = { acknowledge: ({ data }) => data.message_id !== 2 };
  for (const content of ['one', 'two', 'three']) await sender.ask('send_message', { room_id, content });
  await until(
    'three confirmations',
    () => receiver.client.received.filter(({ action }) => action === 'confirm_count').length === 3,
  );
  // Of message 3 the position says nothing, as it is behind a hole.
  const delivered = () => sender.client.all('message_delivered').map(({ data }) => data.message_id as number);
  await until('two receipts', () => delivered().length === 2);
  expect(new Set(delivered())).toEqual(new Set([1, 3]));
  expect(await positionOf(sender, room_id, 'dying')).toBe(1);
  receiver.client.socket.terminate();
  const back = await logIn('dying');
  await until('the message', () => idsOf(back, room_id).length > 0);
  await until('its receipt', async () => (await positionOf(sender, room_id, 'dying')) === 3);
  expect(back.client.messagesOf(room_id)).toEqual([[2, 'two']]);
});

test("two devices of one user share one position, and one's own messages never come again", async () => {
  const [sender, one] = await Promise.all([parley.logIn('friend'), logIn('twin', { gateway: 0 })]);
  const two = await logIn('twin', { gateway: 1, manners: { count: () => undefined } });
  const { room_id } = await sender.ask('create_room', { room_name: 'Twins', participants: ['twin'] });
  await Promise.all([one.client.event('user_added'), two.client.event('user_added')]);
  await one.ask('send_message', { room_id, content: 'from one' });
  await sender.ask('send_message', { room_id, content: 'from the friend' });
  await until(
    'both devices have both',
    () => idsOf(two, room_id).length >= 2 && idsOf(one, room_id).length === 1,
  );
  await until('the position', async () => (await positionOf(sender, room_id, 'twin')) === 2);
  two.client.socket.terminate();
  one.client.socket.terminate();
  await sender.ask('send_message', { room_id, content: 'while away' });
  const back = await logIn('twin');
  await until('what was missed', () => idsOf(back, room_id).length > 0);
  await back.ask('get_rooms');
  expect(back.client.messagesOf(room_id)).toEqual([[3, 'while away']]);
});

test('10,000 messages sent while the receiver is away come first, in order, then the 100 sent meanwhile', async () => {
  const sender = await parley.logIn('prolific');
  const first = await logIn('absent', { gateway: 1 });
  const { room_id } = await sender.ask('create_room', { room_name: 'Backlog', participants: ['absent'] });
  await first.client.event('user_added');
  await first.client.close();
  for (let start = 0; start < 10_000; start += 500) {
    await Promise.all(
      upTo(500).map((n) => sender.ask('send_message', { room_id, content: String(start + n) })),
    );
  }
  const back = await logIn('absent', { gateway: 1 });
  const meanwhile = Promise.all(
    upTo(100).map((n) => sender.ask('send_message', { room_id, content: String(10_000 + n) })),
  );
  await meanwhile;
  for (let count = 2_525; count <= 10_100; count += 2_525) {
    await until(`${count} messages`, () => idsOf(back, room_id).length >= count);
  }
  expect(idsOf(back, room_id)).toEqual(upTo(10_100));
  await until('all receipts', async () => (await positionOf(sender, room_id, 'absent')) === 10_100);
}, 120_000);

test('a gateway that is killed in the middle costs no message and repeats no acknowledged one', async () => {
  const sender = await parley.logIn('steady', 1);
  const receiver = await logIn('moving', { gateway: 0 });
  const { room_id } = await sender.ask('create_room', { room_name: 'Kill', participants: ['moving'] });
  await receiver.client.event('user_added');
  const sending = new AbortController();
  const sent = (async () => {
    let last = 0;
    while (!sending.signal.aborted)
      last = (await sender.ask('send_message', { room_id, content: 'x' })).message_id;
    return last;
  })();
  await until('some receipts', async () => ((await positionOf(sender, room_id, 'moving')) ?? 0) > 50);
  await parley.stack.gateways[0]!.kill('SIGKILL');
  await receiver.client.closed;
  const position = (await positionOf(sender, room_id, 'moving'))!;
  const back = await logIn('moving', { gateway: 1 });
  sending.abort();
  const last = await sent;
  await until('all receipts', async () => (await positionOf(sender, room_id, 'moving')) === last);
  const ids = idsOf(back, room_id);
  // A receipt that the gateway had passed on before it died may have been stored after we looked.
  const first = ids[0]!;
  expect(first).toBeGreaterThan(position);
  expect(first).toBeLessThanOrEqual(Math.max(...idsOf(receiver, room_id)) + 1);
  expect(ids).toEqual(upTo(last, first));
  await parley.stack.gateways[0]!.ready();
});

test('HANDSHAKE=required puts everything under it, from the first request on', async () => {
  await using strict = await startParley({ environment: { HANDSHAKE: 'required' } });
  const client = new HandshakeClient(await strict.connect());
  const registered = await client.request('register', { chatid: 'strict', password });
  expect(registered.data).toEqual({ chatid: 'strict', transaction_id: expect.any(String) });
  await client.request('register', { chatid: 'other', password });
  const loggedIn = await client.request('login', { chatid: 'strict', password });
  expect(loggedIn).toMatchObject({ action: 'login_success', data: { transaction_id: expect.any(String) } });
  const other = new HandshakeClient(await strict.connect());
  await other.request('login', { chatid: 'other', password });
  const { room_id } = await other.ask('create_room', { room_name: 'Strict', participants: ['strict'] });
  await other.ask('send_message', { room_id, content: 'hello' });
  await until('the receipt', async () =>
    (await other.ask('get_receipts', { room_id })).receipts.some(
      ({ chatid, message_id }: any) => chatid === 'strict' && message_id === 1,
    ),
  );
});

test('receipts survive a restart of everything', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-test-'));
  try {
    let room_id = '';
    {
      await using before = await startParley({ dataDir });
      const sender = await before.logIn('sender');
      const receiver = new HandshakeClient(await before.connect(), {
        acknowledge: ({ data }) => data.message_id !== 1,
      });
      await receiver.client.request('register', { chatid: 'keeper', password });
      await receiver.logIn('keeper', { password });
      ({ room_id } = await sender.ask('create_room', { room_name: 'Restart', participants: ['keeper'] }));
      for (const content of ['one', 'two']) await sender.ask('send_message', { room_id, content });
      await until('the receipt', async () => (await positionOf(sender, room_id, 'keeper')) === 0);
    }
    await using after = await startParley({ dataDir });
    const receiver = new HandshakeClient(await after.connect());
    await receiver.logIn('keeper', { password });
    await until(
      'the receipts',
      async () => (await receiver.ask('get_receipts', { room_id })).receipts[0].message_id === 2,
    );
    expect(receiver.client.messagesOf(room_id)).toEqual([[1, 'one']]);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
