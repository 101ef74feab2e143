import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startParley, until } from '@parley/test-kit';
import type { LoginClient, Parley } from '@parley/test-kit';

let parley: Parley;
beforeAll(async () => {
  // What a client asks at once has one deadline, however many requests are before it.
  const environment = { LOGIN_POLICY: 'multi', REQUEST_TIMEOUT_MS: '30000' };
  parley = await startParley({ gateways: 2, instances: 2, environment });
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

async function logInAll(prefix: string, count: number): Promise<LoginClient[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => parley.logIn(`${prefix}${index}`, index % 2)),
  );
}

test('20 receivers on two gateways see what 5 senders send at once as 1..1000, in order', async () => {
  const receivers = await logInAll('receiver', 20);
  const senders = await logInAll('sender', 5);
  const participants = [...receivers, ...senders].map(({ name }) => name);
  const { room_id } = await senders[0]!.ask('create_room', { room_name: 'Crowd', participants });

  const acks = await Promise.all(
    senders.map((sender) =>
      Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          sender.ask('send_message', { room_id, content: `${sender.name} ${index}` }),
        ),
      ),
    ),
  );
  await until('all deliveries', () =>
    receivers.every((receiver) => receiver.messagesOf(room_id).length >= 1_000),
  );

  const [first] = receivers.map((receiver) => receiver.messagesOf(room_id));
  expect(first!.map(([id]) => id)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  for (const receiver of receivers) expect(receiver.messagesOf(room_id)).toEqual(first);
  // Each sender's own messages kept the order it sent them in, and were confirmed with the ids they got.
  senders.forEach((sender, index) => {
    const own = first!.filter(([, content]) => content.startsWith(`${sender.name} `));
    expect(own.map(([, content]) => content)).toEqual(
      Array.from({ length: 200 }, (_, n) => `${sender.name} ${n}`),
    );
    expect(acks[index]!.map(({ message_id }) => message_id)).toEqual(own.map(([id]) => id));
  });
});

test('the same client_message_id from two connections at once is stored and delivered once', async () => {
  const [receiver, one, two] = await Promise.all([
    parley.logIn('reader', 0),
    parley.logIn('twice', 0),
    parley.logIn('twice', 1),
  ]);
  const { room_id } = await one.ask('create_room', { room_name: 'Once', participants: ['reader'] });
  await until('the other connection is in the room', () =>
    two.received.some(({ action }) => action === 'room_created'),
  );

  for (let round = 0; round < 20; round += 1) {
    const message = { room_id, content: `round ${round}`, client_message_id: `id ${round}` };
    const [first, second] = await Promise.all([
      one.ask('send_message', message),
      two.ask('send_message', message),
    ]);
    expect(second).toEqual(first);
  }
  const again = await two.ask('send_message', { room_id, content: 'other words', client_message_id: 'id 3' });
  expect(again).toMatchObject({ message_id: 4, client_message_id: 'id 3' });

  const last = await one.ask('send_message', { room_id, content: 'the end' });
  expect(last.message_id).toBe(21);
  await until('the end', () => receiver.messagesOf(room_id).at(-1)?.[0] === 21);
  expect(receiver.messagesOf(room_id).map(([id]) => id)).toEqual(Array.from({ length: 21 }, (_, n) => n + 1));
});

test("a sender's other connection gets the message, the sending one only its confirmation", async () => {
  const [here, there] = await Promise.all([parley.logIn('both', 0), parley.logIn('both', 1)]);
  const { room_id } = await here.ask('create_room', { room_name: 'Two devices', participants: [] });
  await there.event('room_created');
  const ack = await here.ask('send_message', { room_id, content: 'hello' });
  const delivered = await there.event('receive_message');
  expect(delivered.data).toMatchObject({
    content: 'hello',
    message_id: 1,
    transaction_id: ack.transaction_id,
  });
  await here.ask('send_message', { room_id, content: 'again' });
  await there.event('receive_message');
  expect(here.messagesOf(room_id)).toEqual([]);
});

test('requests of one connection take effect in the order they were sent, without waiting for replies', async () => {
  const client = await parley.connect();
  client.name = 'hasty';
  const register = client.request('register', { chatid: 'hasty', password: 'password123' });
  const login = client.request('login', { chatid: 'hasty', password: 'password123' });
  const create = client.request('create_room', { room_name: 'Quick', participants: [] });
  expect((await register).action).toBe('register_success');
  expect((await login).action).toBe('login_success');
  const { room_id } = (await create).data;
  const sends = Array.from({ length: 50 }, (_, n) =>
    client.request('send_message', { room_id, content: String(n) }),
  );
  const history = client.request('get_messages', { room_id });
  expect((await history).data.messages.map(({ content }: { content: string }) => content)).toEqual(
    Array.from({ length: 50 }, (_, n) => String(n)),
  );
  expect((await Promise.all(sends)).map(({ data }) => data.message_id)).toEqual(
    Array.from({ length: 50 }, (_, n) => n + 1),
  );
});

test('who is added while messages flow gets all that follow its addition, in order', async () => {
  const [owner, late] = await Promise.all([parley.logIn('host', 0), parley.logIn('late', 1)]);
  const { room_id } = await owner.ask('create_room', { room_name: 'Flow', participants: [] });
  const sending = new AbortController();
  const sent = (async () => {
    let last = 0;
    while (!sending.signal.aborted)
      last = (await owner.ask('send_message', { room_id, content: 'x' })).message_id;
    return last;
  })();
  await until(
    'some messages',
    async () => (await owner.ask('get_messages', { room_id, limit: 1 })).messages.length > 0,
  );
  await owner.ask('add_user_to_room', { room_id, user_to_add: 'late' });
  const { message_id: afterAddition } = await owner.ask('send_message', { room_id, content: 'welcome' });
  await until('more messages', () => late.messagesOf(room_id).length > 20);
  sending.abort();
  const last = await sent;
  await until('the last message', () => late.messagesOf(room_id).at(-1)?.[0] === last);
  const ids = late.messagesOf(room_id).map(([id]) => id);
  expect(ids[0]).toBeLessThanOrEqual(afterAddition);
  expect(ids).toEqual(Array.from({ length: ids.length }, (_, n) => ids[0]! + n));
});

describe('who says something and leaves, without waiting, is told first that it was said, then that it left', () => {
  const room = 'Come and go';
  const rounds = 20;
  let roomId: string;

  beforeAll(async () => {
    roomId = await parley.createPublicRoom(room, 'doorkeeper');
  });

  /** Somebody who is in the room only to say something. */
  interface Restless {
    client: { send(frame: object): void; received: readonly any[] };
    come: object;
    say: (content: string) => object;
    leave: object;
    /** What a frame says of its own doing: that it came, what it said, or that it left. */
    told: (frame: any) => string | undefined;
  }

  async function openLogin(name: string, gateway: number): Promise<Restless> {
    const client = await parley.connect(gateway);
    await client.logInAsGuest(name);
    const inRoom = { room_id: roomId };
    return {
      client,
      come: { action: 'join_room', data: inRoom },
      say: (content) => ({
        action: 'send_message',
        data: { ...inRoom, content, client_message_id: content },
      }),
      leave: { action: 'leave_room', data: inRoom },
      told: ({ action, data }) =>
        wordOf(action, { room_joined: 'come', ack: data?.client_message_id, room_left: 'left' }),
    };
  }

  async function openIdentify(name: string, gateway: number): Promise<Restless> {
    const client = await parley.connectIdentify(gateway);
    await client.identify(name);
    return {
      client,
      come: { action: 'joinRoom', payload: { room } },
      say: (message) => ({ action: 'sendMessage', payload: { room, message } }),
      leave: { action: 'leaveRoom', payload: { room } },
      told: ({ action, payload: { room: where, from = name, message } }) =>
        where === room && from === name
          ? wordOf(action, { joined: 'come', message, left: 'left' })
          : undefined,
    };
  }

  async function openJoin(name: string, gateway: number): Promise<Restless> {
    return {
      client: await parley.connectJoin({ gateway }),
      come: { action: 'join', username: name, roomId },
      say: (message) => ({ action: 'send-message', roomId, message }),
      leave: { action: 'leave', roomId },
      told: ({ action, sender = name, message }) =>
        sender === name
          ? wordOf(action, { joined: 'come', 'new-message': message, left: 'left' })
          : undefined,
    };
  }

  function wordOf(action: string, words: Record<string, string>): string | undefined {
    return words[action];
  }

  test.each([
    ['login', openLogin],
    ['identify', openIdentify],
    ['join', openJoin],
  ])('in the dialect %s', async (dialect, open) => {
    const everybody = await Promise.all(
      Array.from({ length: 6 }, (_, index) => open(`${dialect} ${index}`, index % 2)),
    );
    const contents = Array.from({ length: rounds }, (_, round) => [`${round}, first`, `${round}, then`]);
    for (const said of contents) {
      for (const { client, come, say, leave } of everybody) {
        for (const frame of [come, ...said.map(say), leave]) client.send(frame);
      }
    }
    const expected = contents.flatMap((said) => ['come', ...said, 'left']);
    for (const { client, told } of everybody) {
      const words = () => client.received.map(told).filter((word) => word !== undefined);
      await until('the last goodbye', () => words().filter((word) => word === 'left').length === rounds);
      expect(words()).toEqual(expected);
    }
  });

  test.each([
    ['before it has all that it missed', 0],
    ['after it came with an id that there is not', 1_000_000],
  ])('%s', async (_when, lastId) => {
    const client = await parley.connectJoin();
    client.send({ action: 'join', username: `came with ${lastId}`, roomId, lastId });
    client.send({ action: 'send-message', roomId, message: `after ${lastId}` });
    client.send({ action: 'leave', roomId });
    await client.event('left');
    const [last, beforeIt] = client.received.toReversed();
    expect(last).toMatchObject({ action: 'left' });
    expect(beforeIt).toMatchObject({ action: 'new-message', message: `after ${lastId}` });
  });
});
