import { afterEach, expect, test } from '@jest/globals';
import { until } from '@parley/test-kit';
import type { Message } from './models.ts';
import { RoomFeed } from './room-feed.ts';

const message = (id: number, more: Partial<Message> = {}): Message => ({
  id,
  roomId: 'room',
  sender: 'ben',
  content: `${id}`,
  sentAt: new Date(id),
  ...more,
});

let current: RoomFeed | undefined;
afterEach(() => {
  current?.close();
});

/** A feed on a history that the test writes; what is read waits while there is a `gate`. */
function newFeed(base?: number) {
  const state = {
    last: 0,
    delivered: [] as Message[],
    reads: [] as number[],
    isSending: false,
    gate: Promise.resolve() as Promise<unknown>,
  };
  const feed = new RoomFeed(
    {
      readBase: async () => {
        const { last } = state;
        await state.gate;
        return last;
      },
      readAfter: async (after) => {
        state.reads.push(after);
        await state.gate;
        const ids = Array.from({ length: Math.min(3, state.last - after) }, (_, index) => after + index + 1);
        return { messages: ids.map((id) => message(id)), hasMore: after + ids.length < state.last };
      },
      hasSendsUnderWay: () => state.isSending,
      deliver: (delivered) => state.delivered.push(delivered),
      failed: (error) => {
        throw error;
      },
    },
    base,
  );
  current = feed;
  return { feed, state, ids: () => state.delivered.map(({ id }) => id) };
}

test('the feed of a room that was never seen begins behind what was there', async () => {
  const { feed, state, ids } = newFeed();
  state.last = 5;
  feed.connected();
  await feed.started();
  expect(feed.position).toBe(5);
  feed.takeDelivered(message(6));
  await until('it is delivered', () => ids().length === 1);
  expect(ids()).toEqual([6]);
});

test('what comes while the beginning is read belongs to the feed, also where history has it already', async () => {
  const { feed, state, ids } = newFeed();
  const gate = Promise.withResolvers<undefined>();
  state.gate = gate.promise;
  state.last = 7;
  feed.connected();
  feed.takeDelivered(message(6));
  gate.resolve(undefined);
  await until('both are delivered', () => ids().length === 2);
  expect(ids()).toEqual([6, 7]);
});

test('a message that was sent before the beginning was read, and delivered after, is not lost', async () => {
  const { feed, state, ids } = newFeed();
  state.last = 7;
  feed.connected();
  await feed.started();
  feed.takeDelivered(message(6));
  feed.takeDelivered(message(7));
  await until('both are delivered', () => ids().length === 2);
  expect(ids()).toEqual([6, 7]);
});

test('after a reconnect what was missed is read, page by page, before what came meanwhile', async () => {
  const { feed, state, ids } = newFeed(0);
  feed.connected();
  await until('it is live', () => state.reads.length === 1);
  feed.disconnected();
  feed.takeDelivered(message(9));
  state.last = 8;
  feed.connected();
  await until('all is delivered', () => ids().length === 9);
  expect(ids()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(state.reads).toEqual([0, 0, 3, 6]);
});

test('a hole is filled by the confirmation of an own message, at its place and once', async () => {
  const { feed, state, ids } = newFeed(0);
  feed.connected();
  await until('it is live', () => state.reads.length === 1);
  state.isSending = true;
  feed.takeDelivered(message(2));
  feed.takeOwn(message(1, { clientMessageId: 'c' }));
  feed.takeDelivered(message(2));
  feed.takeOwn(message(1));
  expect(ids()).toEqual([1, 2]);
  expect(state.delivered[0]).toMatchObject({ clientMessageId: 'c' });
  expect(state.reads).toHaveLength(1);
});

test('a hole that stays is read from history', async () => {
  const { feed, state, ids } = newFeed(0);
  feed.connected();
  await until('it is live', () => state.reads.length === 1);
  state.last = 4;
  feed.takeDelivered(message(4));
  await until('all is delivered', () => ids().length === 4);
  expect(ids()).toEqual([1, 2, 3, 4]);
});

test('what nobody tells of is found when it is asked for', async () => {
  const { feed, state, ids } = newFeed(0);
  feed.connected();
  state.last = 1;
  feed.catchUp();
  await until('it is delivered', () => ids().length === 1);
});

test('more than can be held is read from history', async () => {
  const { feed, state, ids } = newFeed(0);
  const gate = Promise.withResolvers<undefined>();
  state.gate = gate.promise;
  feed.connected();
  for (let id = 2; id <= 700; id += 1) feed.takeDelivered(message(id));
  state.last = 700;
  gate.resolve(undefined);
  await until('all is delivered', () => ids().length === 700);
  expect(ids()).toEqual(Array.from({ length: 700 }, (_, index) => index + 1));
});
