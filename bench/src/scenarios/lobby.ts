import { setTimeout as delay } from 'node:timers/promises';
import { startBenchStack } from '../bench-stack.ts';
import { stackProcesses } from '../cpu.ts';
import { readMachineFacts } from '../machine.ts';
import { spending } from '../measure.ts';
import type { Scenario } from '../scenario.ts';
import { number } from '../table.ts';
import { openSocket, textFrame, type RawSocket } from '../websocket.ts';

/** Connections opened at the same time. */
const opensAtOnce = 50;
const settleMs = 2_000;

/** A guest that counts the lists it gets. */
interface Guest {
  socket: RawSocket;
  lists: number;
  /** The last list, as it came. */
  last: string;
  isClosed: boolean;
}

type LobbyOptions = { connections: number; rate: number; seconds: number };

/** What it costs to tell many guests of the rooms and their users. */
export const lobby: Scenario<LobbyOptions> = {
  name: 'lobby',
  summary: 'the list of rooms, told to many guests in one room while rooms change',
  peers: [],
  plots: ['coresUsed'],
  grows: ['connections'],
  options: {
    connections: { doc: 'guests in one room', standard: '1000', min: 1, max: 25_000 },
    rate: { doc: 'rooms made or deleted a second', standard: '1', min: 1, max: 1_000 },
    seconds: { doc: 'measured time', standard: '20', min: 1, max: 3_600 },
  },

  headline: ({ connections, rate }) =>
    `Lobby: ${number(connections)} guests in one room, ${rate} changes of rooms a second`,

  async measure({ options, profileDir, log, abort }) {
    const { connections, rate, seconds } = options;
    await using stack = await startBenchStack({ gateways: 1, profileDir, log, abort });
    const { webSocketUrl } = stack.gateways[0]!;
    const guests = await openGuests(webSocketUrl, connections);
    const keeper = await openGuest(webSocketUrl, 'keeper');
    await delay(settleMs, undefined, { signal: abort });

    for (const guest of guests) guest.lists = 0;
    const { cpu } = await spending(stackProcesses(stack), [process.pid], async () => {
      for (let change = 0; change < rate * seconds; change += 1) {
        const [action, room] = [change % 2 === 0 ? 'createRoom' : 'deleteRoom', `room ${change >> 1}`];
        keeper.socket.write(textFrame(JSON.stringify({ action, payload: { room } })).bytes);
        await delay(1_000 / rate, undefined, { signal: abort });
      }
    });
    await delay(settleMs, undefined, { signal: abort });

    const lists = guests.reduce((sum, guest) => sum + guest.lists, 0);
    const wrong = guests.filter(({ last, isClosed }) => isClosed || last !== keeper.last).length;
    for (const { socket } of [...guests, keeper]) socket.destroy();
    return {
      facts: readMachineFacts(stack.servers),
      parts: [
        {
          name: 'lists',
          values: { listsPerSecond: lists / connections / seconds, coresUsed: cpu.total / seconds },
          cpu: cpu.byGroup,
        },
      ],
      audit: {
        text: 'the last list of each guest',
        problems: wrong > 0 ? [{ what: 'guests with another last list', count: wrong, example: '' }] : [],
      },
    };
  },
};

async function openGuests(webSocketUrl: string, count: number): Promise<Guest[]> {
  const guests: Guest[] = [];
  while (guests.length < count) {
    const some = Array.from({ length: Math.min(opensAtOnce, count - guests.length) }, (_, index) =>
      openGuest(webSocketUrl, `guest ${guests.length + index}`),
    );
    guests.push(...(await Promise.all(some)));
  }
  return guests;
}

/** Resolves when the guest is in room `default` and has its first list. */
async function openGuest(webSocketUrl: string, username: string): Promise<Guest> {
  const { promise: listed, resolve } = Promise.withResolvers<undefined>();
  const told = { lists: 0, last: '', isClosed: false };
  const socket = await openSocket(webSocketUrl, {
    onText: (bytes, start, end) => {
      const text = bytes.toString('utf8', start, end);
      if (!text.startsWith('{"action":"roomsList"')) return;
      guest.lists += 1;
      guest.last = text;
      resolve(undefined);
    },
    onRead: () => undefined,
    onClose: () => {
      guest.isClosed = true;
      resolve(undefined);
    },
  });
  const guest: Guest = Object.assign(told, { socket });
  socket.write(textFrame(JSON.stringify({ action: 'identify', payload: { username } })).bytes);
  await listed;
  return guest;
}
