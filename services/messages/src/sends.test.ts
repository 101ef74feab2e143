import { describe, expect, test } from '@jest/globals';
import { createId, ParleyError } from '@parley/protocol';
import type { MessagesCommitted, RoomId, UserId } from '@parley/protocol';
import { createSends } from './sends.ts';
import type { SendsParts } from './sends.ts';
import type { RoomSend, Stored } from './store.ts';
import { callerOf, oneTo, sendOf, someone, withoutSender } from './testing.ts';
import type { UserSend } from './testing.ts';

const roomId = createId('room');
const anna = someone('anna');
const later = () => Date.now() + 60_000;

/** Everybody may, unless told otherwise. */
const open: SendsParts['access'] = {
  membersAmong: (_roomId, userIds) => Promise.resolve(new Set<UserId>(userIds)),
};

/** A store that shows each batch and commits it when told. */
function createHeldStore() {
  const batches: RoomSend[][] = [];
  const lastIds = new Map<RoomId, number>();
  const held: PromiseWithResolvers<undefined>[] = [];
  return {
    batches,
    async insert(sends: readonly RoomSend[]): Promise<Stored[]> {
      batches.push([...sends]);
      const commit = Promise.withResolvers<undefined>();
      held.push(commit);
      await commit.promise;
      return sends.map((send) => {
        const id = (lastIds.get(send.roomId) ?? 0) + 1;
        lastIds.set(send.roomId, id);
        return { id, sentAt: '2024-01-01T12:00:00.000Z', repeated: false };
      });
    },
    commit: (batch: number) => {
      held[batch]!.resolve(undefined);
    },
    fail: (batch: number, error: Error) => {
      held[batch]!.reject(error);
    },
  };
}

function setUp(access = open) {
  const store = createHeldStore();
  const events: MessagesCommitted[] = [];
  const publish = (_subject: string, event: MessagesCommitted) => events.push(event);
  const sends = createSends({ store, access, publish });
  /** Sends of one user. */
  const commit = (to: RoomId, own: readonly UserSend[], deadline: number) =>
    sends.commit(callerOf(own[0]!), { roomId: to, sends: own.map(withoutSender) }, deadline);
  return { store, events, commit, announce: sends.announce };
}

/** Lets everything happen that needs nothing from outside. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
}

test('what arrives together is committed together, and what arrives meanwhile is the next batch', async () => {
  const { commit, store } = setUp();
  const other = createId('room');
  const first = [commit(roomId, [sendOf(anna, 'a')], later()), commit(other, [sendOf(anna, 'b')], later())];
  await settle();
  const second = [commit(roomId, [sendOf(anna, 'c')], later()), commit(roomId, [sendOf(anna, 'd')], later())];
  await settle();
  expect(store.batches.map((batch) => batch.map(({ content }) => content))).toEqual([['a', 'b']]);
  store.commit(0);
  expect(await Promise.all(first)).toMatchObject([[{ id: 1 }], [{ id: 1 }]]);
  await settle();
  expect(store.batches.map((batch) => batch.map(({ content }) => content))).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  store.commit(1);
  expect(await Promise.all(second)).toMatchObject([[{ id: 2 }], [{ id: 3 }]]);
});

test('nothing is confirmed or told before it is committed', async () => {
  const { commit, store, events } = setUp();
  let confirmed = false;
  const confirmation = commit(roomId, [sendOf(anna, 'a')], later()).then(() => (confirmed = true));
  await settle();
  expect(store.batches).toHaveLength(1);
  expect(confirmed).toBe(false);
  expect(events).toEqual([]);
  store.commit(0);
  await confirmation;
  expect(events).toMatchObject([{ roomId, messages: [{ id: 1, content: 'a', senderId: anna.userId }] }]);
});

test('a batch that fails fails for all in it, nobody is told, and the next one goes its way', async () => {
  const { commit, store, events } = setUp();
  const failing = [
    commit(roomId, [sendOf(anna, 'a')], later()),
    commit(roomId, [sendOf(anna, 'b')], later()),
  ];
  const refusals = failing.map((sent) => expect(sent).rejects.toMatchObject({ code: 'unavailable' }));
  await settle();
  const next = commit(roomId, [sendOf(anna, 'c')], later());
  await settle();
  store.fail(0, new ParleyError('unavailable'));
  await Promise.all(refusals);
  expect(events).toEqual([]);
  await settle();
  store.commit(1);
  expect(await next).toMatchObject([{ id: 1 }]);
});

test('what waited beyond its deadline is unavailable and never stored, and the rest of the batch is', async () => {
  const { commit, store } = setUp();
  const first = commit(roomId, [sendOf(anna, 'a')], later());
  await settle();
  const late = expect(commit(roomId, [sendOf(anna, 'late')], Date.now())).rejects.toMatchObject({
    code: 'unavailable',
  });
  const last = commit(roomId, [sendOf(anna, 'b')], later());
  await settle();
  store.commit(0);
  await Promise.all([first, late]);
  await settle();
  store.commit(1);
  await last;
  expect(store.batches.flat().map(({ content }) => content)).toEqual(['a', 'b']);
});

test('where all that waited came too late, the store is left alone', async () => {
  const { commit, store } = setUp();
  const late = commit(roomId, [sendOf(anna, 'late')], Date.now());
  await expect(late).rejects.toMatchObject({ code: 'unavailable' });
  await settle();
  expect(store.batches).toEqual([]);
});

test('a batch has at most 1,000 sends and keeps requests whole and in order', async () => {
  const { commit, store } = setUp();
  const request = (from: number) => oneTo(400).map((number) => sendOf(anna, `${from + number}`));
  const sent = [0, 400, 800, 1_200].map((from) => commit(roomId, request(from), later()));
  await settle();
  store.commit(0);
  await settle();
  store.commit(1);
  const ids = (await Promise.all(sent)).flat();
  expect(store.batches.map((batch) => batch.length)).toEqual([800, 800]);
  expect(store.batches.flat().map(({ content }) => Number(content))).toEqual(oneTo(1_600));
  expect(ids).toMatchObject(oneTo(1_600).map((id) => ({ id })));
});

test('repeats within a batch are stored and told once, and all confirmed with the first’s id', async () => {
  const { commit, store, events } = setUp();
  const mine = () => sendOf(anna, 'a', { clientMessageId: 'c1' });
  const sent = [
    commit(roomId, [mine(), sendOf(anna, 'b'), mine()], later()),
    commit(roomId, [mine()], later()),
  ];
  await settle();
  store.commit(0);
  expect(await Promise.all(sent)).toMatchObject([
    [
      { id: 1, repeated: false },
      { id: 2, repeated: false },
      { id: 1, repeated: true },
    ],
    [{ id: 1, repeated: true }],
  ]);
  expect(store.batches.flat().map(({ content }) => content)).toEqual(['a', 'b']);
  expect(events.flatMap(({ messages }) => messages.map(({ id }) => id))).toEqual([1, 2]);
});

describe('an event fits the bus, which takes 1 MiB', () => {
  test.each([
    ['control characters, which JSON spells with six', '\u0001'.repeat(8_192), 100],
    ['short messages of control characters', '\u0001'.repeat(131), 1_000],
    ['characters outside the first plane', '\u{1F600}'.repeat(8_192), 100],
    ['a great many short messages', 'x', 1_000],
  ])('%s', async (_what, content, count) => {
    const { commit, store, events } = setUp();
    const longName = someone('\u{1F600}'.repeat(64));
    const sent = commit(
      roomId,
      oneTo(count).map(() => sendOf(longName, content)),
      later(),
    );
    await settle();
    store.commit(0);
    await sent;
    const sizes = events.map((event) => Buffer.byteLength(JSON.stringify(event)));
    expect(Math.max(...sizes)).toBeLessThan(1_048_576);
    expect(events.flatMap(({ messages }) => messages.map(({ id }) => id))).toEqual(oneTo(count));
  });
});

test('an event fits the bus also where each message announces a file whose name and type JSON spells at length', async () => {
  const { announce, store, events } = setUp();
  const file = { name: '"'.repeat(255), size: 2 ** 30, type: '\u0001'.repeat(128), sha256: 'f'.repeat(64) };
  const longName = someone('\u{1F600}'.repeat(64));
  const announced = oneTo(1_000).map(() =>
    announce({ roomId, uploadId: createId('upload'), sender: longName, file }, later()),
  );
  await settle();
  store.commit(0);
  await Promise.all(announced);
  const sizes = events.map((event) => Buffer.byteLength(JSON.stringify(event)));
  expect(Math.max(...sizes)).toBeLessThan(1_048_576);
  expect(events.flatMap(({ messages }) => messages.map((message) => message.file))).toEqual(
    announced.map(() => file),
  );
});

test('who is no member is refused and the others’ sends keep their order', async () => {
  const [berta, carl] = [someone('berta'), someone('carl')];
  const { commit, store } = setUp({
    membersAmong: () => Promise.resolve(new Set([anna.userId, carl.userId])),
  });
  const sent = [
    commit(roomId, [sendOf(berta, 'x'), sendOf(berta, 'y')], later()),
    commit(roomId, [sendOf(anna, 'a'), sendOf(anna, 'b')], later()),
    commit(roomId, [sendOf(carl, 'c')], later()),
  ];
  await settle();
  store.commit(0);
  expect(await Promise.all(sent)).toMatchObject([
    [{ error: 'not_in_room' }, { error: 'not_in_room' }],
    [{ id: 1 }, { id: 2 }],
    [{ id: 3 }],
  ]);
});

test('a send is its caller’s, over the caller’s connection, and no file, whatever else the request says', async () => {
  const { store } = setUp();
  const { commit } = createSends({ store, access: open, publish: () => undefined });
  const connectionId = createId('connection');
  const file = { name: 'tea.pdf', size: 1, type: 'text/plain', sha256: 'f'.repeat(64) };
  const more = { sender: someone('berta'), origin: createId('connection'), file, roomId: createId('room') };
  const sent = commit({ ...anna, connectionId }, { roomId, sends: [{ content: 'a', ...more }] }, later());
  await settle();
  store.commit(0);
  await sent;
  expect(store.batches).toEqual([[{ roomId, sender: anna, content: 'a', origin: connectionId }]]);
});

test('where membership can’t be asked about, the sends are unavailable and not stored', async () => {
  const { commit, store } = setUp({
    membersAmong: () => Promise.reject(new ParleyError('unavailable')),
  });
  await expect(commit(roomId, [sendOf(anna, 'a')], later())).rejects.toMatchObject({ code: 'unavailable' });
  await settle();
  expect(store.batches).toEqual([]);
});

test('after a batch of several, what comes one after the other goes together', async () => {
  const { commit, store } = setUp();
  const isGathered = async (): Promise<boolean> => {
    const first = store.batches.length;
    const several = commit(
      roomId,
      oneTo(3).map((number) => sendOf(anna, `${number}`)),
      later(),
    );
    await settle();
    store.commit(first);
    await several;
    const one = commit(roomId, [sendOf(anna, 'one')], later());
    await settle();
    const other = commit(roomId, [sendOf(anna, 'other')], later());
    await until(() => store.batches.length > first + 1);
    const { length } = store.batches[first + 1]!;
    store.commit(first + 1);
    await one;
    if (length === 1) {
      await until(() => store.batches.length > first + 2);
      store.commit(first + 2);
    }
    await other;
    return length === 2;
  };
  // It is a matter of 1 ms, so a machine that pauses right then may miss it: not each time.
  let gathered = 0;
  for (let round = 0; round < 50 && gathered === 0; round += 1) gathered += (await isGathered()) ? 1 : 0;
  expect(gathered).toBe(1);
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}
