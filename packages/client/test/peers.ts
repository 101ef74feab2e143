import { password } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { createClient } from '../src/index.ts';
import type { Client, ClientOptions, Message, Room } from '../src/index.ts';

/** Soon back, so that a test does not wait for it. */
export const backoff = { minMs: 10, maxMs: 100 };

/** A client of this Parley that nobody is logged in with. */
export function newClient(parley: Parley, options: Partial<ClientOptions> = {}): Client {
  return createClient({ url: parley.stack.gateways[0]!.url, backoff, ...options });
}

/** Makes an account and logs in. */
export async function logIn(
  parley: Parley,
  name: string,
  options: Partial<ClientOptions> = {},
): Promise<Client> {
  const client = newClient(parley, options);
  await client.register(name, password);
  await client.logIn(name, password);
  return client;
}

/** The messages that come until there are enough. */
export async function take<Item>(items: AsyncIterable<Item>, count: number): Promise<Item[]> {
  const taken: Item[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

/** The gateway dies without a word and is started again. */
export async function killGateway(parley: Parley): Promise<void> {
  const [gateway] = parley.stack.gateways;
  await gateway!.kill('SIGKILL');
  await gateway!.start();
  await gateway!.ready();
}

/** The whole history, page by page. */
export async function readAll(room: Room): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const { messages, hasMore } = await room.history({ after: all.at(-1)?.id ?? 0, limit: 200 });
    all.push(...messages);
    if (!hasMore) return all;
  }
}

/** What everybody is told of a message. */
export const told = ({ id, sender, content, sentAt }: Message) => ({ id, sender, content, sentAt });

export interface Talk {
  heard: Message[];
  events: Message[];
  confirmed: Message[];
  done: Promise<unknown>;
}

/** Sends in two's until told to stop, and listens. */
export function talk(client: Client, room: Room, stop: AbortSignal): Talk {
  const result: Talk = { heard: [], events: [], confirmed: [], done: Promise.resolve() };
  client.on('message', ({ message }) => result.events.push(message));
  void (async () => {
    for await (const message of room.messages({ after: 0 })) result.heard.push(message);
  })();
  const speak = async (voice: string) => {
    for (let n = 1; !stop.aborted; n += 1) {
      result.confirmed.push(await room.send(`${client.user!.name} ${voice} ${n}`));
    }
  };
  result.done = Promise.all([speak('a'), speak('b')]);
  return result;
}
