import { createId } from '@parley/protocol';
import type { Stack } from '@parley/local-stack';
import type { HistoryMessage } from '../audit.ts';
import { stackProcesses } from '../cpu.ts';
import { markOf } from '../frames.ts';
import { LoginConnection } from '../login-connection.ts';
import { readMachineFacts } from '../machine.ts';
import { startBenchStack } from '../bench-stack.ts';
import type { Seat } from '../wires/index.ts';
import { placeOf, type Contender, type ContenderOptions } from './contender.ts';
import { createUsers, storeSeeds } from './seeds.ts';

const pageMessages = 1_000;

/** Parley, and the stack that it is. */
export interface ParleyContender extends Contender {
  readonly stack: Stack;
}

/** Starts a Parley of its own. */
export async function startParleyContender(options: ContenderOptions): Promise<ParleyContender> {
  const stack = await startBenchStack(options);
  let seatings = 0;
  return {
    name: 'parley',
    wire: 'login',
    stack,
    facts: readMachineFacts(stack.servers),
    processes: stackProcesses(stack),
    holders: stack.gateways.flatMap(({ pid }) => pid ?? []),
    isNumbered: true,

    async seat({ connections, rooms }) {
      seatings += 1;
      const users = createUsers(`bench-${seatings}`, connections);
      const seeded = Array.from({ length: rooms }, (_, index) => ({
        roomId: createId('room'),
        name: `bench room ${seatings}.${index}`,
        visibility: 'private' as const,
        members: users.filter((_user, number) => number % rooms === index),
      }));
      await storeSeeds(stack.servers.addresses, users, seeded);
      const { gateways } = stack;
      return users.map(({ name, sessionKey }, number) => ({
        number,
        url: gateways[placeOf(number, rooms, gateways.length)]!.webSocketUrl,
        user: name,
        key: sessionKey,
        roomId: seeded[number % rooms]!.roomId,
      }));
    },

    readHistory,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

interface HistoryPage {
  messages: { message_id: number; content: string }[];
  has_more: boolean;
}

/** Page by page, as a client would. */
async function readHistory({ url, user, key, roomId }: Seat): Promise<HistoryMessage[]> {
  const reader = await LoginConnection.open(url, { onDelivery: () => undefined, onLost: () => undefined });
  try {
    await reader.ask('login', { chatid: user, session_key: key });
    const history: HistoryMessage[] = [];
    for (let hasMore = true; hasMore;) {
      const bounds = { after_id: history.at(-1)?.id ?? 0, limit: pageMessages };
      const page = await reader.ask('get_messages', { room_id: roomId, ...bounds });
      const { messages, has_more } = page as unknown as HistoryPage;
      for (const { message_id: id, content } of messages) history.push({ id, mark: markOf(content) });
      hasMore = has_more && messages.length > 0;
    }
    return history;
  } finally {
    reader.close();
  }
}
