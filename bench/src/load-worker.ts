/** The load generator: a process of its own, so that its CPU time is not taken for that of what it measures. */
import { Audit, type AuditResult, type HistoryMessage } from './audit.ts';
import { markOf } from './frames.ts';
import { LoadConnection } from './load-connection.ts';
import type { LoadCall, LoadMethods, LoadReply, RoomsPlan } from './load-process.ts';
import { Load } from './load.ts';

const password = 'bench password';
const pageMessages = 1_000;
/** Hashing passwords is dear on purpose: all logins at once would wait beyond the time a request has. */
const loginsAtOnce = 4;

/** A room with those who send to it; the first made it. */
interface LoadRoom {
  roomId: string;
  members: LoadConnection[];
}

let connections: LoadConnection[] = [];
let rooms: LoadRoom[] = [];
let load: Load | undefined;

const methods: LoadMethods = {
  async prepare(plan) {
    connections = await Promise.all(
      Array.from({ length: plan.connections }, (_, index) =>
        LoadConnection.open(plan.urls[index % plan.urls.length]!, index),
      ),
    );
    const waiting = connections.values();
    await Promise.all(Array.from({ length: loginsAtOnce }, () => logInAll(waiting)));
    rooms = await Promise.all(Array.from({ length: plan.rooms }, (_, index) => makeRoom(index, plan)));
  },

  start(plan) {
    load = new Load(connections, plan);
    return Promise.resolve();
  },

  begin() {
    load!.begin();
    return Promise.resolve();
  },

  end() {
    load!.end();
    return Promise.resolve();
  },

  finish: () => load!.finish(),
  audit,

  errors: () =>
    Promise.resolve(connections.flatMap(({ name, errors }) => errors.map((text) => `${name}: ${text}`))),

  close() {
    for (const connection of connections) connection.close();
    setImmediate(() => {
      process.disconnect();
    });
    return Promise.resolve();
  },
};

/** Takes one after the other from those waiting, until there are no more. */
async function logInAll(waiting: Iterable<LoadConnection>): Promise<void> {
  for (const connection of waiting) await logIn(connection);
}

async function logIn(connection: LoadConnection): Promise<void> {
  const who = { chatid: connection.name, password };
  await connection.request('register', who);
  await connection.request('login', who);
}

/** Connections are dealt out to the rooms in turn. */
async function makeRoom(index: number, plan: RoomsPlan): Promise<LoadRoom> {
  const members = connections.filter(({ number }) => number % plan.rooms === index);
  const [owner, ...participants] = members as [LoadConnection, ...LoadConnection[]];
  const { room_id: roomId } = (await owner.request('create_room', {
    room_name: `bench-room-${index}`,
    participants: participants.map(({ name }) => name),
  })) as { room_id: string };
  for (const member of members) member.prepareSends(roomId, plan.contentBytes, plan.clientIds);
  return { roomId, members };
}

/** Reads back every room and compares it with what the senders were told. */
async function audit(): Promise<AuditResult> {
  const check = new Audit(new Map(connections.map(({ number, outcomes }) => [number, outcomes])));
  for (const { roomId, members } of rooms) {
    const reader = members.find(({ isClosed }) => !isClosed);
    const history = reader ? await readHistory(reader, roomId) : [];
    check.readRoom(roomId, new Set(members.map(({ number }) => number)), history);
  }
  return check.result();
}

interface HistoryPage {
  messages: { message_id: number; content: string }[];
  has_more: boolean;
}

async function readHistory(reader: LoadConnection, roomId: string): Promise<HistoryMessage[]> {
  const history: HistoryMessage[] = [];
  for (let hasMore = true; hasMore;) {
    const bounds = { after_id: history.at(-1)?.id ?? 0, limit: pageMessages };
    const page = await reader.request('get_messages', { room_id: roomId, ...bounds });
    const { messages, has_more } = page as unknown as HistoryPage;
    for (const { message_id: id, content } of messages) history.push({ id, mark: markOf(content) });
    hasMore = has_more && messages.length > 0;
  }
  return history;
}

async function answer({ call, method, parameter }: LoadCall): Promise<void> {
  let reply: LoadReply;
  try {
    const handle = methods[method] as (parameter: unknown) => Promise<unknown>;
    reply = { call, result: await handle(parameter) };
  } catch (error) {
    reply = { call, error: (error as Error).message };
  }
  process.send!(reply);
}

process.on('message', (message: LoadCall) => void answer(message));
process.once('disconnect', () => process.exit());
// Ctrl-C reaches the whole terminal; whoever started us ends us.
process.on('SIGINT', () => {});
