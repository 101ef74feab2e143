import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { password, startParley, until } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';

/** A message as any dialect tells it. */
interface Told {
  sender: string;
  text: string;
  id: number;
  time: string;
}

interface Room {
  id: string;
  name: string;
}

/** Somebody in one dialect, who does what can be done in all of them. */
interface Speaker {
  name: string;
  createPublicRoom(name: string): Promise<void>;
  enter(room: Room): Promise<void>;
  leave(room: Room): Promise<void>;
  /** Resolves once it is confirmed. */
  say(room: Room, text: string, clientMessageId?: string): Promise<Told>;
  /** Others' messages so far, in the order they came. */
  heard(): Told[];
  history(room: Room): Promise<Told[]>;
  deleteRoom(room: Room): Promise<void>;
  /** Whether it was told that the room is no more. */
  knowsDeleted(room: Room): boolean;
  /** The code of the refusal of a message. */
  refusalOf(room: Room, text: string): Promise<string | undefined>;
}

let parley: Parley;
let observer: Awaited<ReturnType<Parley['logIn']>>;

beforeAll(async () => {
  parley = await startParley({ gateways: 2 });
  observer = await parley.logIn('observer');
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

const dialects = { login, identify, join } as const;
type DialectName = keyof typeof dialects;
const names = Object.keys(dialects) as DialectName[];
const pairs = names.flatMap((one) => names.map((other) => [one, other] as const));

describe.each(pairs)('%s on one gateway and %s on another', (one, other) => {
  test('are in one room and get the same messages', async () => {
    const suffix = `${one} to ${other}`;
    const anna = await dialects[one](`anna ${suffix}`, 0);
    const bob = await dialects[other](`bob ${suffix}`, 1);

    await anna.createPublicRoom(`room ${suffix}`);
    const room = await findRoom(`room ${suffix}`);
    for (const speaker of [anna, bob]) await speaker.enter(room);

    const said: Told[] = [];
    for (const text of ['Hello!', 'Grüße 😀', '"quoted"\n\t<b>']) said.push(await anna.say(room, text));
    said.push(await bob.say(room, 'And back.'));
    said.push(await anna.say(room, 'Once.', 'the same'), await bob.say(room, 'Bye.'));
    expect(await anna.say(room, 'Once.', 'the same')).toEqual(said[4]);
    expect(said.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(said.map(({ time }) => time)).toEqual(said.map(({ time }) => time).sort());

    const [byAnna, byBob] = [anna, bob].map(({ name }) => said.filter(({ sender }) => sender === name));
    await until('all messages', () => bob.heard().length + anna.heard().length >= said.length);
    expect(bob.heard()).toEqual(byAnna);
    expect(anna.heard()).toEqual(byBob);
    expect(await anna.history(room)).toEqual(said);
    expect(await bob.history(room)).toEqual(said);

    await bob.leave(room);
    await anna.say(room, 'Are you still there?');
    await bob.enter(room);
    const last = await anna.say(room, 'Welcome back.');
    await until('the message after coming back', () => bob.heard().some(({ id }) => id === last.id));
    expect(bob.heard().map(({ id }) => id)).toEqual([...byAnna!.map(({ id }) => id), last.id]);

    await anna.deleteRoom(room);
    await until('the deletion', () => bob.knowsDeleted(room));
    expect(await bob.refusalOf(room, 'Anybody?')).toBe('room_not_found');
    expect(await anna.refusalOf(room, 'Anybody?')).toBe('room_not_found');
  });
});

/** Public rooms are made by the other dialects; this one is their owner's by HTTP. */
async function login(name: string, gateway: number): Promise<Speaker> {
  const client = await parley.logIn(name, gateway);
  const toTold = ({ sender_chatid, content, message_id, timestamp }: any): Told => ({
    sender: sender_chatid,
    text: content,
    id: message_id,
    time: timestamp,
  });
  return {
    name,
    async createPublicRoom(roomName) {
      await parley.createPublicRoom(roomName, name);
    },
    async enter({ id }) {
      await client.ask('join_room', { room_id: id });
    },
    async leave({ id }) {
      await client.ask('leave_room', { room_id: id });
    },
    async say({ id }, content, client_message_id) {
      const ack = await client.ask('send_message', { room_id: id, content, client_message_id });
      return { sender: name, text: content, id: ack.message_id, time: ack.timestamp };
    },
    heard: () => client.all('receive_message').map(({ data }) => toTold(data)),
    history: async ({ id }) => (await client.ask('get_messages', { room_id: id })).messages.map(toTold),
    async deleteRoom({ id }) {
      await client.ask('delete_room', { room_id: id });
    },
    knowsDeleted: ({ id }) => client.all('room_deleted').some(({ data }) => data.room_id === id),
    refusalOf: async ({ id }, content) =>
      (await client.request('send_message', { room_id: id, content })).code,
  };
}

async function identify(name: string, gateway: number): Promise<Speaker> {
  const client = await parley.connectIdentify(gateway);
  await client.identify(name);
  const toTold = ({ from, message, id, timestamp }: any): Told => ({
    sender: from,
    text: message,
    id,
    time: timestamp,
  });
  return {
    name,
    async createPublicRoom(room) {
      await client.ask('createRoom', { room });
    },
    async enter({ name: room }) {
      await client.ask('joinRoom', { room });
    },
    async leave({ name: room }) {
      await client.ask('leaveRoom', { room });
    },
    async say({ name: room }, message, clientMessageId) {
      client.send({ action: 'sendMessage', payload: { room, message, clientMessageId } });
      const isOwn = ({ action, payload }: any) => action === 'message' && payload.from === name;
      return toTold((await client.next('the own message', isOwn)).payload);
    },
    heard: () =>
      client
        .all('message')
        .filter(({ payload }) => payload.from !== name)
        .map(({ payload }) => toTold(payload)),
    history: async ({ name: room }) => (await client.ask('history', { room })).messages.map(toTold),
    async deleteRoom({ name: room }) {
      await client.ask('deleteRoom', { room });
    },
    knowsDeleted: ({ name: room }) =>
      client.inbox.some(({ action, payload }) => action === 'left' && payload.room === room),
    async refusalOf({ name: room }, message) {
      client.send({ action: 'sendMessage', payload: { room, message } });
      return (await client.event('error')).payload.reason as string;
    },
  };
}

async function join(name: string, gateway: number): Promise<Speaker> {
  const token = await parley.getToken(name, gateway);
  const client = await parley.connectJoin({ gateway, token });
  const toTold = ({ sender, message, id, timestamp }: any): Told => ({
    sender,
    text: message,
    id,
    time: timestamp,
  });
  return {
    name,
    async createPublicRoom(roomName) {
      await parley.createPublicRoom(roomName, name);
    },
    async enter({ id }) {
      await client.join(name, id);
    },
    async leave({ id: roomId }) {
      await client.request('leave', { username: name, roomId });
    },
    async say({ id: roomId }, message, clientMessageId) {
      client.send({ action: 'send-message', roomId, message, clientMessageId });
      const isOwn = (frame: any) => frame.action === 'new-message' && frame.sender === name;
      return toTold(await client.next('the own message', isOwn));
    },
    heard: () =>
      client
        .all('new-message')
        .filter(({ sender }) => sender !== name)
        .map(toTold),
    async history({ id }) {
      const { url } = parley.stack.gateways[gateway]!;
      const response = await fetch(`${url}/api/chat-history/${id}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return ((await response.json()) as { messages: unknown[] }).messages.map(toTold);
    },
    // Over HTTP and in this dialect nothing is deleted: its account does so in the login dialect.
    async deleteRoom({ id }) {
      const owner = await parley.connect(gateway);
      await owner.logIn(name, { password });
      await owner.ask('delete_room', { room_id: id });
    },
    knowsDeleted: ({ id }) => client.all('room-deleted').some(({ roomId }) => roomId === id),
    async refusalOf({ id: roomId }, message) {
      client.send({ action: 'send-message', roomId, message });
      return (await client.event('error')).code;
    },
  };
}

async function findRoom(name: string): Promise<Room> {
  const { rooms } = await observer.ask('get_rooms', { scope: 'public' });
  const { id } = rooms.find((room: any) => room.name === name);
  return { id, name };
}
