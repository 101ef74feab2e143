/** `npm run bench -- lobby`: what it costs to tell many guests of the rooms and their users. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readCpu, stackProcesses } from './cpu.ts';
import { machineText, readMachineFacts } from './machine.ts';
import { wholeNumber } from './options.ts';
import { startBenchStack, type Scenario } from './scenario.ts';
import { number, table } from './table.ts';
import { openSocket, textFrame, type RawSocket } from './websocket.ts';

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

export const lobby: Scenario = {
  summary: 'the list of rooms, told to many guests in one room while rooms change',
  usage: `  --connections 1000   guests in one room
  --rate 1             rooms made or deleted a second
  --seconds 20         measured time`,

  async run(args, abort) {
    const { values } = parseArgs({
      args,
      options: {
        connections: { type: 'string', default: '1000' },
        rate: { type: 'string', default: '1' },
        seconds: { type: 'string', default: '20' },
      },
    });
    const connections = wholeNumber('connections', values.connections, 1, 10_000);
    const rate = wholeNumber('rate', values.rate, 1, 1_000);
    const seconds = wholeNumber('seconds', values.seconds, 1, 3_600);
    await using stack = await startBenchStack({ gateways: 1, abort });
    console.log(
      `Lobby: ${number(connections)} guests in one room, ${rate} changes of rooms a second\n${machineText(readMachineFacts(stack))}\n`,
    );
    const { webSocketUrl } = stack.gateways[0]!;
    const guests = await openGuests(webSocketUrl, connections);
    const keeper = await openGuest(webSocketUrl, 'keeper');
    await delay(settleMs, undefined, { signal: abort });

    const groups = stackProcesses(stack);
    for (const guest of guests) guest.lists = 0;
    const before = readCpu(groups);
    for (let change = 0; change < rate * seconds; change += 1) {
      const [action, room] = [change % 2 === 0 ? 'createRoom' : 'deleteRoom', `room ${change >> 1}`];
      keeper.socket.write(textFrame(JSON.stringify({ action, payload: { room } })).bytes);
      await delay(1_000 / rate, undefined, { signal: abort });
    }
    const after = readCpu(groups);
    await delay(settleMs, undefined, { signal: abort });

    const lists = guests.reduce((sum, guest) => sum + guest.lists, 0);
    const shares = Array.from(after, ([group, used]) => [
      group,
      `${number(((used - (before.get(group) ?? 0)) * 100) / seconds, 1)} %`,
    ]);
    console.log(table([['CPU, of one core', ''], ...shares]));
    console.log(`\n${number(lists / connections / seconds, 2)} lists a second to each guest`);
    const wrong = guests.filter(({ last, isClosed }) => isClosed || last !== keeper.last).length;
    console.log(wrong === 0 ? 'All have the same last list.' : `${wrong} guests have another last list.`);
    for (const { socket } of [...guests, keeper]) socket.destroy();
    return wrong === 0;
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
