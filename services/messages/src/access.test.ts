import { describe, expect, test } from '@jest/globals';
import { createId, ParleyError, subjects } from '@parley/protocol';
import type { RoomChanged, RoomId, UserId, Visibility } from '@parley/protocol';
import type { Bus } from '@parley/service-kit';
import { createAccess } from './access.ts';

const roomId = createId('room');
const [anna, berta] = [createId('user'), createId('user')];
const [gast, visitor] = [createId('guest'), createId('guest')];

/** A bus on which the test answers for the rooms service, when it likes. */
function createPlayedBus() {
  const asked: {
    userIds: UserId[];
    answer: (memberIds: UserId[], visibility?: Visibility) => void;
    fail: () => void;
  }[] = [];
  const clock = { now: 1_000_000 };
  let hear: (event: unknown, subject: string) => void;
  let reconnected: () => void;
  const bus = {
    callTogether: (_method: unknown, { userIds }: { userIds: UserId[] }) =>
      new Promise((resolve, reject) => {
        asked.push({
          userIds,
          answer: (memberIds, visibility = 'private') => {
            resolve({ visibility, memberIds });
          },
          fail: () => {
            reject(new ParleyError('unavailable'));
          },
        });
      }),
    subscribe: (subject: string, handler: typeof hear) => {
      expect(subject).toBe(subjects.allRoomChanges);
      hear = handler;
      return { unsubscribe() {} };
    },
    onReconnect: (listener: () => void) => {
      reconnected = listener;
    },
  } as unknown as Bus;
  return {
    access: createAccess({ bus, requestTimeoutMs: 5_000, now: () => clock.now }),
    asked,
    /** Lets time pass, and everything happen that waits for nothing else. */
    async pass(ms: number) {
      clock.now += ms;
      await new Promise(setImmediate);
    },
    changed(changedRoom: RoomId) {
      const change = { type: 'room-deleted', roomId: changedRoom, roomName: 'tea' } as const;
      const event: RoomChanged = { change, origin: undefined };
      hear(event, subjects.roomChange(changedRoom));
    },
    reconnect() {
      reconnected();
    },
  };
}

type PlayedBus = ReturnType<typeof createPlayedBus>;

/** Asks, and answers for the rooms service if it is asked. */
async function ask({ access, asked }: PlayedBus, userIds: UserId[], memberIds: UserId[]): Promise<UserId[]> {
  const before = asked.length;
  const members = access.membersAmong(roomId, userIds);
  if (asked.length > before) asked.at(-1)!.answer(memberIds);
  const among = await members;
  return userIds.filter((userId) => among.has(userId));
}

test('members are asked about once', async () => {
  const played = createPlayedBus();
  expect(await ask(played, [anna], [anna])).toEqual([anna]);
  expect(await ask(played, [anna], [])).toEqual([anna]);
  expect(played.asked).toHaveLength(1);
});

test('who is no member is asked about each time, without those who are', async () => {
  const played = createPlayedBus();
  expect(await ask(played, [anna, berta], [anna])).toEqual([anna]);
  expect(await ask(played, [berta, anna, berta], [berta])).toEqual([berta, anna, berta]);
  expect(played.asked.map(({ userIds }) => userIds)).toEqual([[anna, berta], [berta]]);
  expect(await ask(played, [berta], [])).toEqual([berta]);
});

test('one who is asked about while all is put in doubt does not make others strangers', async () => {
  const played = createPlayedBus();
  await ask(played, [anna], [anna]);
  const both = played.access.membersAmong(roomId, [anna, berta]);
  played.reconnect();
  played.asked[1]!.answer([berta]);
  const members = await both;
  expect([members.has(anna), members.has(berta)]).toEqual([true, true]);
  expect(await ask(played, [anna], [])).toEqual([]);
});

describe('guests', () => {
  test('may write in a public room, of which they are not asked about again', async () => {
    const played = createPlayedBus();
    const first = played.access.membersAmong(roomId, [gast]);
    played.asked[0]!.answer([gast], 'public');
    expect((await first).has(gast)).toBe(true);
    expect(await ask(played, [gast, visitor], [])).toEqual([gast, visitor]);
    expect(played.asked).toHaveLength(1);
    expect(await ask(played, [anna, gast], [])).toEqual([gast]);
  });

  test('stay outside a private room', async () => {
    const played = createPlayedBus();
    expect(await ask(played, [anna, gast], [anna])).toEqual([anna]);
    expect(await ask(played, [gast], [])).toEqual([]);
  });

  test('are asked about anew once their room has changed, as it may be gone', async () => {
    const played = createPlayedBus();
    const first = played.access.membersAmong(roomId, [gast]);
    played.asked[0]!.answer([gast], 'public');
    await first;
    played.changed(roomId);
    void played.access.membersAmong(roomId, [gast]);
    expect(played.asked.map(({ userIds }) => userIds)).toEqual([[gast], [gast]]);
  });
});

describe('looking into', () => {
  async function browse({ access, asked }: PlayedBus, userId: UserId, answer: [UserId[], Visibility]) {
    const before = asked.length;
    const may = access.mayBrowse(roomId, userId);
    if (asked.length > before) asked.at(-1)!.answer(...answer);
    return may;
  }

  test('a public room is for everybody, and asked about once', async () => {
    const played = createPlayedBus();
    for (const userId of [anna, gast, berta]) expect(await browse(played, userId, [[], 'public'])).toBe(true);
    expect(played.asked).toHaveLength(1);
    expect(await ask(played, [anna], [])).toEqual([]);
  });

  test('a private room is for its members', async () => {
    const played = createPlayedBus();
    expect(await browse(played, anna, [[anna], 'private'])).toBe(true);
    expect(await browse(played, anna, [[], 'private'])).toBe(true);
    expect(played.asked).toHaveLength(1);
    expect(await browse(played, berta, [[], 'private'])).toBe(false);
    expect(await browse(played, gast, [[], 'private'])).toBe(false);
    played.changed(roomId);
    expect(await browse(played, anna, [[], 'private'])).toBe(false);
  });
});

test('after a change of the room all are asked about again; other rooms’ changes don’t matter', async () => {
  const played = createPlayedBus();
  await ask(played, [anna], [anna]);
  played.changed(createId('room'));
  expect(await ask(played, [anna], [])).toEqual([anna]);
  played.changed(roomId);
  expect(await ask(played, [anna], [])).toEqual([]);
});

test('after a lost connection all are asked about again', async () => {
  const played = createPlayedBus();
  await ask(played, [anna], [anna]);
  played.reconnect();
  expect(await ask(played, [anna], [])).toEqual([]);
});

test.each([
  [
    'a change of the room',
    (played: PlayedBus) => {
      played.changed(roomId);
    },
  ],
  [
    'a lost connection',
    (played: PlayedBus) => {
      played.reconnect();
    },
  ],
])('an answer that crosses with %s is not remembered', async (_what, doubt) => {
  const played = createPlayedBus();
  const members = played.access.membersAmong(roomId, [anna]);
  doubt(played);
  played.asked[0]!.answer([anna]);
  await members;
  expect(await ask(played, [anna], [])).toEqual([]);
});

describe('a removal that nobody told of', () => {
  test('is noticed within a minute, and until then who is a member is not asked about', async () => {
    const played = createPlayedBus();
    await ask(played, [anna], [anna]);
    await played.pass(29_999);
    expect(await ask(played, [anna], [])).toEqual([anna]);
    expect(played.asked).toHaveLength(1);
    await played.pass(30_001);
    expect(await ask(played, [anna], [])).toEqual([]);
  });

  test('is noticed while the room is used, and nobody waits for that', async () => {
    const played = createPlayedBus();
    await ask(played, [anna, berta], [anna, berta]);
    await played.pass(30_000);
    // Answered from memory, while it is asked about both in the background.
    const members = await played.access.membersAmong(roomId, [anna]);
    expect([members.has(anna), members.has(berta)]).toEqual([true, true]);
    expect(played.asked.map(({ userIds }) => userIds)).toEqual([
      [anna, berta],
      [anna, berta],
    ]);
    await played.access.membersAmong(roomId, [berta]);
    expect(played.asked).toHaveLength(2);
    played.asked[1]!.answer([anna]);
    await played.pass(30_000);
    const renewed = await played.access.membersAmong(roomId, [anna]);
    expect([renewed.has(anna), renewed.has(berta)]).toEqual([true, false]);
  });

  test('is not believed to be none because the rooms service is away: the minute ends nevertheless', async () => {
    const played = createPlayedBus();
    await ask(played, [anna], [anna]);
    await played.pass(30_000);
    await played.access.membersAmong(roomId, [anna]);
    played.asked[1]!.fail();
    await played.pass(29_000);
    expect((await played.access.membersAmong(roomId, [anna])).has(anna)).toBe(true);
    played.asked[2]!.fail();
    await played.pass(1_000);
    const late = played.access.membersAmong(roomId, [anna]);
    played.asked[3]!.fail();
    await expect(late).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('and that is asked about when the room changes is not remembered as it was before', async () => {
    const played = createPlayedBus();
    await ask(played, [anna], [anna]);
    await played.pass(30_000);
    await played.access.membersAmong(roomId, [anna]);
    played.changed(roomId);
    played.asked[1]!.answer([anna]);
    await played.pass(0);
    expect(await ask(played, [anna], [])).toEqual([]);
  });

  test('is asked about again where something happened elsewhere meanwhile', async () => {
    const played = createPlayedBus();
    await ask(played, [anna], [anna]);
    await played.pass(30_000);
    await played.access.membersAmong(roomId, [anna]);
    played.changed(createId('room'));
    played.asked[1]!.answer([]);
    await played.pass(0);
    await played.access.membersAmong(roomId, [anna]);
    expect(played.asked).toHaveLength(3);
    played.asked[2]!.answer([]);
    await played.pass(0);
    expect(await ask(played, [anna], [])).toEqual([]);
  });

  test('does not make strangers of those who are known when the minute ends while another is asked about', async () => {
    const played = createPlayedBus();
    await ask(played, [anna], [anna]);
    await played.pass(29_000);
    const both = played.access.membersAmong(roomId, [anna, berta]);
    await played.pass(31_000);
    played.asked[1]!.answer([berta]);
    const members = await both;
    expect([members.has(anna), members.has(berta)]).toEqual([true, true]);
    expect(await ask(played, [anna], [])).toEqual([]);
  });
});
