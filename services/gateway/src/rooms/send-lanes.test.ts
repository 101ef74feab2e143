import { expect, test } from '@jest/globals';
import { createId } from '@parley/protocol';
import type { Bus } from '@parley/service-kit';
import { SendLanes } from './send-lanes.ts';

const roomId = createId('room');
const caller = { userId: createId('user'), name: 'anna', connectionId: createId('connection') };

/** Answers each request in the next turn of the event loop, and keeps what was sent with it. */
function createAnsweringBus() {
  const requests: string[][] = [];
  const callTogether = async (_method: unknown, { sends }: { sends: { content: string }[] }) => {
    requests.push(sends.map(({ content }) => content));
    await new Promise(setImmediate);
    return { results: sends.map((_send, index) => ({ id: index + 1, sentAt: '', repeated: false })) };
  };
  return { requests, bus: { callTogether } as unknown as Pick<Bus, 'callTogether'> };
}

function setUp() {
  const { requests, bus } = createAnsweringBus();
  const lanes = new SendLanes(bus);
  const send = (content: string) => lanes.send(caller, roomId, { content }, Date.now() + 60_000);
  return { requests, send };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

test('what comes in one turn goes in one request, what comes meanwhile in the next', async () => {
  const { requests, send } = setUp();
  const first = [send('a'), send('b')];
  await turns(1);
  const second = [send('c'), send('d')];
  await Promise.all([...first, ...second]);
  expect(requests).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('after a request of several, what comes one after the other goes together', async () => {
  const { requests, send } = setUp();
  const isGathered = async (): Promise<boolean> => {
    const before = requests.length;
    await Promise.all([send('a'), send('b')]);
    const one = send('c');
    await turns(2);
    await Promise.all([one, send('d')]);
    return requests[before + 1]!.length === 2;
  };
  // It is a matter of 1 ms, so a machine that pauses right then may miss it: not each time.
  let gathered = 0;
  for (let round = 0; round < 50 && gathered === 0; round += 1) gathered += (await isGathered()) ? 1 : 0;
  expect(gathered).toBe(1);
});
