import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { Frame, LoginClient, Parley } from '@parley/test-kit';

/** Every request is answered within 5 s, as usual; the rest is for a machine that is busy with other tests. */
const environment = { REQUEST_TIMEOUT_MS: '5000' };
const deadlineMs = 15_000;

describe('when a part dies', () => {
  let parley: Parley;
  let sender: LoginClient;
  let receiver: LoginClient;
  let room_id: string;

  beforeAll(async () => {
    parley = await startParley({ environment });
    [sender, receiver] = await Promise.all([parley.logIn('sender'), parley.logIn('receiver')]);
    ({ room_id } = await sender.ask('create_room', { room_name: 'Steady', participants: ['receiver'] }));
    await receiver.event('user_added');
  });
  afterAll(async () => {
    await parley[Symbol.asyncDispose]();
  });

  const requests = {
    auth: ['register', { chatid: 'newcomer', password }],
    rooms: ['get_rooms', {}],
    messages: ['get_messages', {}],
  } as const;

  /** A registration that is not answered in time may have been done: then the name is taken from there on. */
  function isDone({ status, code }: Frame): boolean {
    return status === 'success' || code === 'username_taken';
  }

  test.each(['auth', 'rooms', 'messages'] as const)(
    'a dead %s service is `unavailable` within the deadline, and back by itself',
    async (service) => {
      const [action, data] = requests[service];
      const [instance] = parley.stack.services[service];
      await instance!.kill('SIGKILL');
      const asked = Date.now();
      const refused = await sender.request(action, { room_id, ...data });
      expect(refused).toMatchObject({ action: 'error', original_action: action, code: 'unavailable' });
      expect(Date.now() - asked).toBeLessThan(deadlineMs);
      await until(`${service} is back`, async () =>
        isDone(await sender.request(action, { room_id, ...data })),
      );
    },
  );

  test('a frozen service is `unavailable` at the deadline, and the connection lives on', async () => {
    const [messages] = parley.stack.services.messages;
    messages!.signal('SIGSTOP');
    const asked = Date.now();
    const [send, history] = await Promise.all([
      sender.request('send_message', { room_id, content: 'anybody there?', client_message_id: 'frozen' }),
      sender.request('get_messages', { room_id }),
    ]);
    expect([send.code, history.code]).toEqual(['unavailable', 'unavailable']);
    expect(Date.now() - asked).toBeLessThan(deadlineMs);
    messages!.signal('SIGCONT');
    await until(
      'an answer',
      async () => (await sender.request('get_messages', { room_id })).status === 'success',
    );
    const repeated = { room_id, content: 'anybody there?', client_message_id: 'frozen' };
    const { message_id } = await sender.ask('send_message', repeated);
    expect(await sender.ask('send_message', repeated)).toMatchObject({ message_id });
  });

  test.each(['nats', 'redis', 'postgres'] as const)(
    'when %s is killed under load, what was confirmed is there, in order, and everything goes on',
    async (server) => {
      const confirmed: { message_id: number; content: string }[] = [];
      const load = new AbortController();
      const sending = (async () => {
        for (let n = 0; !load.signal.aborted; n += 1) {
          const content = `${server} ${n}`;
          const reply = await sender.request('send_message', {
            room_id,
            content,
            client_message_id: content,
          });
          if (reply.status === 'success') confirmed.push({ message_id: reply.data.message_id, content });
          else expect(reply.code).toBe('unavailable');
        }
      })();
      await until('some messages', () => confirmed.length > 20);
      await parley.stack.servers[server]!.kill('SIGKILL');
      const before = confirmed.length;
      await until('messages are confirmed again', () => confirmed.length > before + 20);
      load.abort();
      await sending;

      const first = confirmed[0]!.message_id;
      const history = await readAll(sender, room_id, first - 1);
      expect(history).toEqual(expect.arrayContaining(confirmed));
      await until(
        'all deliveries',
        () => receiver.messagesOf(room_id).at(-1)?.[0] === history.at(-1)!.message_id,
      );
      const delivered = receiver.messagesOf(room_id).filter(([id]) => id >= first);
      expect(delivered).toEqual(history.map(({ message_id, content }) => [message_id, content]));
    },
  );

  test('when Redis is emptied its users log in again, and nothing else is lost', async () => {
    const { redisUrl } = parley.stack.servers.addresses;
    await emptyRedis(redisUrl);
    expect(await sender.closed).toBe(4003);
    const back = await parley.connect();
    await back.logIn('sender', { password });
    expect((await back.ask('get_rooms')).rooms).toHaveLength(1);
    expect((await back.ask('get_messages', { room_id })).messages.length).toBeGreaterThan(0);
  });
});

test('accounts, rooms, history and sessions survive a restart of everything', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-test-'));
  try {
    let room_id: string;
    let sessionKey: string;
    {
      await using parley = await startParley({ dataDir });
      const client = await parley.logIn('stayer');
      sessionKey = client.sessionKey;
      ({ room_id } = await client.ask('create_room', { room_name: 'Memory', participants: [] }));
      await client.ask('send_message', { room_id, content: 'remember me', client_message_id: 'one' });
    }
    await using parley = await startParley({ dataDir });
    const client = await parley.connect();
    await client.logIn('stayer', { session_key: sessionKey });
    expect((await client.ask('get_rooms')).rooms).toMatchObject([{ id: room_id, name: 'Memory' }]);
    const again = { room_id, content: 'remember me', client_message_id: 'one' };
    expect(await client.ask('send_message', again)).toMatchObject({ message_id: 1 });
    expect((await client.ask('send_message', { room_id, content: 'next' })).message_id).toBe(2);
    const { messages } = await client.ask('get_messages', { room_id });
    expect(messages.map(({ content }: any) => content)).toEqual(['remember me', 'next']);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

async function readAll(client: LoginClient, room_id: string, after_id: number) {
  const all: { message_id: number; content: string }[] = [];
  for (;;) {
    const { messages, has_more } = await client.ask('get_messages', {
      room_id,
      after_id: all.at(-1)?.message_id ?? after_id,
    });
    all.push(...messages.map(({ message_id, content }: any) => ({ message_id, content })));
    if (!has_more) return all;
  }
}

async function emptyRedis(redisUrl: string): Promise<void> {
  const { openRedis, createLog } = await import('@parley/service-kit');
  await using redis = await openRedis({ redisUrl, timeoutMs: 5_000, log: createLog('test', 'silent') });
  await redis.run((commands) => commands.flushall());
}
