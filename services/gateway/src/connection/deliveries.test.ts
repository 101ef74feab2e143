import { describe, expect, test } from '@jest/globals';
import { createId, defaultDialect, letterFrequencies, ParleyError, transactionIdOf } from '@parley/protocol';
import type { ConnectionId, IdRange, RoomId, SentMessage, UserId } from '@parley/protocol';
import fc from 'fast-check';
import { Deliveries } from './deliveries.ts';
import type { Recipient } from './deliveries.ts';

const userId = createId('user');
const [tea, cake, pie] = [createId('room'), createId('room'), createId('room')];
const resendMs = 5_000;
const wrong = { '?': 1 };

interface Sent {
  roomId: RoomId;
  id: number;
  text: string;
}

/** Keeps the frames that it is sent. */
class Device implements Recipient {
  readonly id = createId('connection');
  readonly dialect = defaultDialect('/');
  readonly frames: Sent[] = [];

  send(text: string): void {
    const { data } = JSON.parse(text);
    expect(data.transaction_id).toBe(transactionIdOf(data.room_id, data.message_id));
    this.frames.push({ roomId: data.room_id, id: data.message_id, text });
  }

  idsOf(roomId: RoomId): number[] {
    return this.frames.filter((frame) => frame.roomId === roomId).map(({ id }) => id);
  }
}

interface Author {
  senderId?: UserId;
  origin?: ConnectionId;
}

function message(id: number, { senderId = createId('user'), origin = createId('connection') }: Author = {}) {
  const sentAt = '2024-01-01T12:00:00.000Z';
  return { id, senderId, sender: 'alice', content: `message ${id}`, sentAt, origin } satisfies SentMessage;
}

/** Deliveries to a device, from rooms whose history may grow, and be away. */
function openDeliveries({ pageSize = 7 } = {}) {
  const device = new Device();
  const histories = new Map<RoomId, SentMessage[]>();
  const away = { now: false };
  const reads: { roomId: RoomId; after: number }[] = [];
  const reported: { roomId: RoomId; range: IdRange }[] = [];
  let underWay = 0;

  const deliveries = new Deliveries({
    recipient: device,
    userId,
    resendMs,
    readAfter: async (roomId, after) => {
      reads.push({ roomId, after });
      underWay += 1;
      await new Promise(setImmediate);
      underWay -= 1;
      if (away.now) throw new ParleyError('unavailable');
      return historyOf(roomId).slice(after, after + pageSize);
    },
    acknowledged: (roomId, range) => {
      reported.push({ roomId, range });
    },
  });

  function historyOf(roomId: RoomId): SentMessage[] {
    const history = histories.get(roomId) ?? [];
    histories.set(roomId, history);
    return history;
  }
  function commit(roomId: RoomId, count: number, author?: Author): SentMessage[] {
    const history = historyOf(roomId);
    const fresh = Array.from({ length: count }, () => {
      const next = message(history.length + 1, author);
      history.push(next);
      return next;
    });
    return fresh;
  }
  /** Messages that are committed, and heard by the room's channel. */
  function say(roomId: RoomId, count: number, author?: Author): void {
    deliveries.advanced(roomId, commit(roomId, count, author));
  }
  async function settled(): Promise<void> {
    do await new Promise(setImmediate);
    while (underWay > 0);
  }
  function acknowledge(roomId: RoomId, ...ids: number[]): void {
    for (const id of ids) expect(deliveries.acknowledge(transactionIdOf(roomId, id))).toBe(true);
  }
  /** Takes as many wrong counts as it takes. */
  function giveUp(roomId: RoomId, id: number): void {
    const transactionId = transactionIdOf(roomId, id);
    for (let count = 0; deliveries.has(transactionId); count += 1) {
      expect(count).toBeLessThan(6);
      deliveries.resend(transactionId);
    }
  }
  /** The ids that were reported, as often as they were. */
  function reportedOf(roomId: RoomId): number[] {
    return reported
      .filter((report) => report.roomId === roomId)
      .flatMap(({ range: [from, to] }) => upTo(to, from));
  }
  return {
    ...{ deliveries, device, historyOf, away, reads, reported },
    ...{ commit, say, settled, acknowledge, giveUp, reportedOf },
  };
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

describe('what is new', () => {
  test('is delivered at once and in order, without asking history', () => {
    const { deliveries, device, say, reads } = openDeliveries();
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 0);
    say(tea, 1);
    say(tea, 3);
    expect(device.idsOf(tea)).toEqual([1, 2, 3, 4]);
    expect(reads).toEqual([]);
  });

  test('begins where the room is, for who has no other beginning', async () => {
    const { deliveries, device, commit, say, settled, reads } = openDeliveries();
    commit(tea, 10);
    deliveries.follow(tea, undefined, false);
    deliveries.began(tea, 10);
    say(tea, 2);
    await settled();
    expect(device.idsOf(tea)).toEqual([11, 12]);
    expect(reads).toEqual([]);
  });

  test('begins behind what was there when the user entered the room', async () => {
    const { deliveries, device, commit, say, settled } = openDeliveries();
    commit(tea, 10);
    deliveries.follow(tea, [[0, 4]], false);
    deliveries.began(tea, 10);
    say(tea, 1);
    await settled();
    expect(device.idsOf(tea)).toEqual(upTo(11, 5));
  });

  test('of other rooms is nobody\u2019s here', () => {
    const { deliveries, device, say } = openDeliveries();
    deliveries.began(cake, 0);
    say(cake, 1);
    expect(device.frames).toEqual([]);
    expect(deliveries.wasDelivered(cake, 1)).toBe(false);
  });

  test('has its frames in the order of each room, whatever the order of the rooms', () => {
    const { deliveries, device, say } = openDeliveries();
    for (const roomId of [tea, cake]) {
      deliveries.follow(roomId, [[0, 0]], true);
      deliveries.began(roomId, 0);
    }
    for (const roomId of [cake, tea, tea, cake, tea]) say(roomId, 2);
    expect(device.idsOf(tea)).toEqual(upTo(6));
    expect(device.idsOf(cake)).toEqual(upTo(4));
  });

  test('is known as delivered from then on, acknowledged or not', () => {
    const { deliveries, say, acknowledge } = openDeliveries();
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 0);
    say(tea, 2);
    expect([1, 2, 3].map((id) => deliveries.wasDelivered(tea, id))).toEqual([true, true, false]);
    acknowledge(tea, 1);
    expect([1, 2].map((id) => deliveries.has(transactionIdOf(tea, id)))).toEqual([false, true]);
    expect(deliveries.wasDelivered(tea, 1)).toBe(true);
  });

  test('is followed once: following again changes nothing', async () => {
    const { deliveries, device, commit, settled } = openDeliveries();
    commit(tea, 3);
    deliveries.follow(tea, [[0, 2]], true);
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 3);
    await settled();
    expect(device.idsOf(tea)).toEqual([3]);
  });
});

describe('the window', () => {
  test('has room for 32 unacknowledged frames, of all rooms together', () => {
    const { deliveries, device, say, acknowledge } = openDeliveries();
    for (const roomId of [tea, cake]) {
      deliveries.follow(roomId, [[0, 0]], true);
      deliveries.began(roomId, 0);
    }
    say(tea, 20);
    say(cake, 20);
    expect([device.idsOf(tea), device.idsOf(cake)]).toEqual([upTo(20), upTo(12)]);
    acknowledge(tea, 7, 3);
    expect(device.idsOf(cake)).toEqual(upTo(14));
    expect(device.frames).toHaveLength(34);
  });

  test('goes on with what is in memory, then with history, without gap or duplicate', async () => {
    const { deliveries, device, say, settled, acknowledge, reads } = openDeliveries();
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 0);
    for (let n = 0; n < 60; n += 1) say(tea, 5);
    expect(device.idsOf(tea)).toEqual(upTo(32));
    for (let id = 1; id <= 64; id += 1) acknowledge(tea, id);
    expect(device.idsOf(tea)).toEqual(upTo(96));
    expect(reads).toEqual([]);
    for (let id = 65; id <= 300; id += 1) {
      await settled();
      acknowledge(tea, id);
    }
    expect(device.idsOf(tea)).toEqual(upTo(300));
    expect(reads.length).toBeGreaterThan(0);
    say(tea, 1);
    expect(device.idsOf(tea).at(-1)).toBe(301);
  });

  test('that is full lets no history be read', async () => {
    const { deliveries, commit, settled, acknowledge, reads } = openDeliveries({ pageSize: 32 });
    commit(tea, 100);
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 100);
    await settled();
    expect(reads).toHaveLength(1);
    deliveries.tick(Date.now());
    await settled();
    expect(reads).toHaveLength(1);
    acknowledge(tea, 1);
    await settled();
    expect(reads).toHaveLength(2);
  });
});

describe('the backlog', () => {
  test('of all rooms comes before anything new', async () => {
    const { deliveries, device, commit, say, settled, acknowledge } = openDeliveries();
    commit(tea, 20);
    commit(cake, 20);
    for (const roomId of [tea, cake]) deliveries.follow(roomId, [[0, 0]], true);
    for (const roomId of [tea, cake]) deliveries.began(roomId, 20);
    say(tea, 3);
    say(cake, 3);
    await settled();
    acknowledge(tea, ...upTo(20));
    await settled();
    const order = device.frames.map(({ roomId, id }) => [roomId, id]);
    expect(order.slice(0, 40).every(([, id]) => (id as number) <= 20)).toBe(true);
    expect(order.slice(40).map(([, id]) => id)).toEqual([21, 22, 23, 21, 22, 23]);
    expect([device.idsOf(tea), device.idsOf(cake)]).toEqual([upTo(23), upTo(23)]);
  });

  test('of a room that begins late comes before what is new in one that has begun', async () => {
    const { deliveries, device, commit, say, settled } = openDeliveries();
    commit(cake, 3);
    for (const roomId of [tea, cake]) deliveries.follow(roomId, [[0, 0]], true);
    deliveries.began(tea, 0);
    say(tea, 2);
    await settled();
    expect(device.frames).toEqual([]);
    deliveries.began(cake, 3);
    await settled();
    expect(device.frames.map(({ roomId, id }) => [roomId, id])).toEqual([
      ...upTo(3).map((id) => [cake, id]),
      ...upTo(2).map((id) => [tea, id]),
    ]);
  });

  test('of a room that is left before it begins keeps nothing back', () => {
    const { deliveries, device, say } = openDeliveries();
    for (const roomId of [tea, cake]) deliveries.follow(roomId, [[0, 0]], true);
    deliveries.began(tea, 0);
    say(tea, 2);
    deliveries.unfollow(cake);
    expect(device.idsOf(tea)).toEqual([1, 2]);
  });

  test('leaves out one\u2019s own messages, which need no acknowledgement', async () => {
    const { deliveries, device, commit, settled, reported } = openDeliveries();
    commit(tea, 2);
    commit(tea, 3, { senderId: userId });
    commit(tea, 1);
    commit(tea, 1, { senderId: userId });
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 7);
    await settled();
    expect(device.idsOf(tea)).toEqual([1, 2, 6]);
    expect(reported.map(({ range }) => range)).toEqual([
      [3, 5],
      [7, 7],
    ]);
  });

  test('leaves out what was acknowledged behind holes', async () => {
    const { deliveries, device, commit, settled, reportedOf } = openDeliveries();
    commit(tea, 12);
    deliveries.follow(
      tea,
      [
        [0, 2],
        [4, 5],
        [9, 9],
        [12, 13],
      ],
      true,
    );
    deliveries.began(tea, 12);
    await settled();
    expect(device.idsOf(tea)).toEqual([3, 6, 7, 8, 10, 11]);
    deliveries.advanced(tea, commit(tea, 2));
    expect(device.idsOf(tea)).toEqual([3, 6, 7, 8, 10, 11, 14]);
    expect(reportedOf(tea)).toEqual([4, 5, 9, 12, 13]);
  });

  test('is nothing where more was acknowledged than this room\u2019s channel has got yet', async () => {
    const { deliveries, device, commit, historyOf, settled } = openDeliveries();
    commit(tea, 10);
    deliveries.follow(tea, [[0, 10]], true);
    deliveries.began(tea, 8);
    deliveries.advanced(tea, historyOf(tea).slice(8));
    deliveries.advanced(tea, commit(tea, 1));
    await settled();
    expect(device.idsOf(tea)).toEqual([11]);
  });

  test('of 100,000 messages is read a page at a time, and only as it is acknowledged', async () => {
    const count = 100_000;
    const pageSize = 1_000;
    const device = new Device();
    let handedOut = 0;
    let mostHeld = 0;
    const deliveries = new Deliveries({
      recipient: device,
      userId,
      resendMs,
      readAfter: (_roomId, after) => {
        const page = upTo(Math.min(after + pageSize, count), after + 1).map((id) => message(id));
        handedOut += page.length;
        mostHeld = Math.max(mostHeld, handedOut - device.frames.length);
        return Promise.resolve(page);
      },
      acknowledged: () => undefined,
    });
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, count);
    for (let n = 0; n < 10; n += 1) {
      deliveries.tick(Date.now());
      await new Promise(setImmediate);
    }
    expect([handedOut, device.frames.length]).toEqual([pageSize, 32]);

    for (let next = 0; next < device.frames.length; next += 1) {
      expect(deliveries.acknowledge(transactionIdOf(tea, device.frames[next]!.id))).toBe(true);
      if (next === device.frames.length - 1) await new Promise(setImmediate);
    }
    expect(device.frames.map(({ id }) => id)).toEqual(upTo(count));
    expect([handedOut, mostHeld]).toEqual([count, pageSize]);
  }, 180_000);
});

describe('one\u2019s own messages', () => {
  test('come from another device as they are sent, and not to the connection that sent them', () => {
    const { deliveries, device, say, reported } = openDeliveries();
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 0);
    say(tea, 1, { senderId: userId });
    say(tea, 2, { senderId: userId, origin: device.id });
    say(tea, 1);
    expect(device.idsOf(tea)).toEqual([1, 4]);
    expect(reported).toEqual([{ roomId: tea, range: [2, 3] }]);
  });

  test('come from another device also when they have to be read from history', async () => {
    const { deliveries, device, commit, say, settled, acknowledge } = openDeliveries();
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 0);
    for (let n = 0; n < 3; n += 1) say(tea, 32);
    say(tea, 1);
    deliveries.advanced(tea, [
      ...commit(tea, 1, { senderId: userId }),
      ...commit(tea, 1, { senderId: userId, origin: device.id }),
      ...commit(tea, 1),
    ]);
    for (let next = 0; next < device.frames.length; next += 1) {
      acknowledge(tea, device.frames[next]!.id);
      await settled();
    }
    expect(device.idsOf(tea)).toEqual([...upTo(98), 100]);
  });
});

describe('an acknowledgement', () => {
  test('is reported once, in whatever order it comes', () => {
    const { deliveries, say, acknowledge, reported } = openDeliveries();
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 0);
    say(tea, 3);
    acknowledge(tea, 3, 1);
    expect(deliveries.acknowledge(transactionIdOf(tea, 1))).toBe(false);
    expect(deliveries.acknowledge(transactionIdOf(tea, 4))).toBe(false);
    expect(deliveries.acknowledge(transactionIdOf(cake, 2))).toBe(false);
    expect(deliveries.acknowledge('unique_transaction_id')).toBe(false);
    expect(reported.map(({ range }) => range)).toEqual([
      [3, 3],
      [1, 1],
    ]);
  });
});

describe('a count', () => {
  test('is compared with the frame that was sent', () => {
    const { deliveries, device, say } = openDeliveries();
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 0);
    say(tea, 1);
    const transactionId = transactionIdOf(tea, 1);
    const counted = letterFrequencies(device.frames[0]!.text);
    expect(deliveries.isCount(transactionId, counted)).toBe(true);
    expect(deliveries.isCount(transactionId, { ...counted, '😀': 1 })).toBe(false);
    expect(deliveries.isCount(transactionId, counted)).toBe(true);
    expect(deliveries.isCount(transactionIdOf(tea, 2), counted)).toBeUndefined();
  });

  test('that is wrong has the same frame sent again 5 times; then it stays unacknowledged and the next go on', () => {
    const { deliveries, device, say, reported } = openDeliveries();
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 0);
    say(tea, 33);
    const transactionId = transactionIdOf(tea, 1);
    for (let resend = 1; resend <= 5; resend += 1) {
      expect(deliveries.isCount(transactionId, wrong)).toBe(false);
      deliveries.resend(transactionId);
      expect(device.frames).toHaveLength(32 + resend);
      expect(device.frames.at(-1)!.text).toBe(device.frames[0]!.text);
    }
    expect(deliveries.has(transactionId)).toBe(true);
    deliveries.resend(transactionId);
    expect(deliveries.has(transactionId)).toBe(false);
    expect(device.frames.slice(37).map(({ id }) => id)).toEqual([33]);
    expect(deliveries.wasDelivered(tea, 1)).toBe(true);
    deliveries.resend(transactionId);
    deliveries.tick(Date.now() + 3_600_000);
    expect(device.idsOf(tea).filter((id) => id === 1)).toHaveLength(6);
    expect(reported).toEqual([]);
  });
});

describe('silence', () => {
  /** One frame, sent between two known times. */
  function openSilence() {
    const parts = openDeliveries();
    parts.deliveries.follow(tea, [[0, 0]], true);
    parts.deliveries.began(tea, 0);
    const before = Date.now();
    parts.say(tea, 1);
    return { ...parts, before, after: Date.now() };
  }

  test('has the same frame sent again after 5, 10, 20 ... seconds, at most 5 minutes', () => {
    const { deliveries, device, before, after } = openSilence();
    deliveries.tick(before + 4_999);
    expect(device.frames).toHaveLength(1);
    let now = after + 5_000;
    deliveries.tick(now);
    expect(device.frames).toHaveLength(2);
    const silences = [10, 20, 40, 80, 160, 300, 300, 300].map((seconds) => seconds * 1_000);
    silences.forEach((silence, index) => {
      deliveries.tick(now + silence - 1);
      expect(device.frames).toHaveLength(index + 2);
      now += silence;
      deliveries.tick(now);
      deliveries.tick(now);
      expect(device.frames).toHaveLength(index + 3);
    });
    expect(new Set(device.frames.map(({ text }) => text)).size).toBe(1);
  });

  test('ends with the acknowledgement', () => {
    const { deliveries, device, acknowledge, after } = openSilence();
    deliveries.tick(after + 5_000);
    acknowledge(tea, 1);
    deliveries.tick(after + 3_600_000);
    expect(device.frames).toHaveLength(2);
  });

  test('keeps no other frame from its place in the order', () => {
    const { deliveries, device, say, after } = openSilence();
    deliveries.tick(after + 5_000);
    say(tea, 2);
    expect(device.idsOf(tea)).toEqual([1, 1, 2, 3]);
  });
});

describe('a room that is left', () => {
  test('has nothing more delivered, new or again', async () => {
    const { deliveries, device, commit, say, settled } = openDeliveries();
    for (const roomId of [tea, cake]) deliveries.follow(roomId, [[0, 0]], true);
    for (const roomId of [tea, cake]) deliveries.began(roomId, 0);
    say(tea, 40);
    deliveries.unfollow(tea);
    deliveries.advanced(tea, commit(tea, 1));
    const now = Date.now();
    deliveries.tick(now + 3_600_000);
    await settled();
    expect(device.idsOf(tea)).toEqual(upTo(32));
    expect(deliveries.has(transactionIdOf(tea, 1))).toBe(false);
    say(cake, 32);
    expect(device.idsOf(cake)).toEqual(upTo(32));
  });

  test('has nothing delivered that was still being read', async () => {
    const { deliveries, device, commit, settled, reported } = openDeliveries();
    commit(tea, 3, { senderId: userId });
    commit(tea, 3);
    commit(cake, 2);
    for (const roomId of [tea, cake]) deliveries.follow(roomId, [[0, 0]], true);
    for (const [roomId, latest] of [[tea, 6] as const, [cake, 2] as const]) deliveries.began(roomId, latest);
    deliveries.unfollow(tea);
    await settled();
    expect([device.idsOf(tea), device.idsOf(cake)]).toEqual([[], [1, 2]]);
    expect(reported).toEqual([]);
  });

  test('and entered again while being read goes on where it was entered, nothing twice', async () => {
    const { deliveries, device, commit, settled, acknowledge } = openDeliveries();
    commit(tea, 6);
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 6);
    deliveries.unfollow(tea);
    deliveries.follow(tea, [[0, 4]], false);
    deliveries.began(tea, 6);
    await settled();
    expect(device.idsOf(tea)).toEqual([5, 6]);
    acknowledge(tea, 5, 6);
  });

  test('that was never followed is left without effect', () => {
    const { deliveries, device } = openDeliveries();
    deliveries.unfollow(pie);
    expect(device.frames).toEqual([]);
  });
});

describe('history', () => {
  test('that is away is read again with the next tick, nothing lost or doubled', async () => {
    const { deliveries, device, commit, say, settled, away, reads } = openDeliveries();
    commit(tea, 10);
    away.now = true;
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 10);
    await settled();
    say(tea, 2);
    await settled();
    expect(device.frames).toEqual([]);
    const readsSoFar = reads.length;
    await settled();
    expect(reads).toHaveLength(readsSoFar);
    away.now = false;
    deliveries.tick(Date.now());
    await settled();
    expect(device.idsOf(tea)).toEqual(upTo(12));
  });

  test.each([
    ['backlog', true],
    ['what is new', false],
  ])('that has more than the room\u2019s channel waits for the channel: %s', async (_what, isBacklog) => {
    const { deliveries, device, commit, settled } = openDeliveries({ pageSize: 100 });
    commit(tea, 5);
    const late = commit(tea, 2);
    deliveries.follow(tea, [[0, 0]], isBacklog);
    deliveries.began(tea, 5);
    await settled();
    expect(device.idsOf(tea)).toEqual(upTo(5));
    deliveries.advanced(tea, late);
    expect(device.idsOf(tea)).toEqual(upTo(7));
  });

  test('is read up to what comes meanwhile', async () => {
    const { deliveries, device, commit, say, settled } = openDeliveries({ pageSize: 100 });
    commit(tea, 5);
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 5);
    say(tea, 2);
    await settled();
    say(tea, 1);
    expect(device.idsOf(tea)).toEqual(upTo(8));
  });

  test('that was taken away holds up nothing else', async () => {
    const { deliveries, device, commit, historyOf, say, settled } = openDeliveries();
    commit(tea, 5);
    commit(cake, 5);
    historyOf(tea).length = 0;
    for (const roomId of [tea, cake]) deliveries.follow(roomId, [[0, 0]], true);
    for (const roomId of [tea, cake]) deliveries.began(roomId, 5);
    await settled();
    expect([device.idsOf(tea), device.idsOf(cake)]).toEqual([[], upTo(5)]);
    say(cake, 1);
    deliveries.advanced(tea, [message(6)]);
    expect([device.idsOf(tea), device.idsOf(cake)]).toEqual([[6], upTo(6)]);
  });
});

describe('closing', () => {
  test('ends everything: nothing is sent, read or reported any more', async () => {
    const { deliveries, device, commit, say, settled, reads, reported } = openDeliveries();
    commit(cake, 10);
    for (const roomId of [tea, cake]) deliveries.follow(roomId, [[0, 0]], true);
    deliveries.began(tea, 0);
    deliveries.began(cake, 10);
    await settled();
    const sent = device.frames.length;
    deliveries.close();
    say(tea, 2);
    deliveries.tick(Date.now() + 3_600_000);
    deliveries.resend(transactionIdOf(cake, 1));
    expect(deliveries.acknowledge(transactionIdOf(cake, 1))).toBe(false);
    await settled();
    expect([device.frames.length, reads.length, reported.length]).toEqual([sent, 2, 0]);
  });

  test('while history is being read sends nothing of it', async () => {
    const { deliveries, device, commit, settled } = openDeliveries();
    commit(tea, 10);
    deliveries.follow(tea, [[0, 0]], true);
    deliveries.began(tea, 10);
    deliveries.close();
    await settled();
    expect(device.frames).toEqual([]);
  });
});

type Writer = 'somebody' | 'another device' | 'this connection';
type World = ReturnType<typeof openDeliveries>;

interface Beginning {
  kind: 'owed' | 'entered' | 'new';
  writers: Writer[];
  /** How much is acknowledged and how much is not, in turn. */
  stretches: number[];
}

/** A room with its channel, and what should come of its messages. */
class ModelRoom {
  readonly roomId: RoomId;
  readonly #world: World;
  readonly #beginning: Beginning;
  readonly #acknowledged: IdRange[];
  #heard: number | undefined;
  #start = 0;
  /** Own messages up to here do not come again. */
  backlogEnd = 0;

  constructor(roomId: RoomId, world: World, beginning: Beginning) {
    this.roomId = roomId;
    this.#world = world;
    this.#beginning = beginning;
    this.commit(beginning.writers);
    const count = beginning.writers.length;
    const { kind, stretches } = beginning;
    if (kind === 'owed') this.#acknowledged = rangesOf(stretches, count);
    else this.#acknowledged = [[0, Math.min(3 * stretches[0]!, count)]];
    this.#start = this.#acknowledged[0]![1];
    world.deliveries.follow(roomId, kind === 'new' ? undefined : this.#acknowledged, kind === 'owed');
  }

  get #history(): SentMessage[] {
    return this.#world.historyOf(this.roomId);
  }

  commit(writers: readonly Writer[]): void {
    for (const writer of writers) {
      const isOwn = writer !== 'somebody';
      const isHere = writer === 'this connection';
      this.#world.commit(this.roomId, 1, {
        ...(isOwn && { senderId: userId }),
        ...(isHere && { origin: this.#world.device.id }),
      });
    }
  }

  begin(): void {
    if (this.#heard !== undefined) return;
    this.#heard = this.#history.length;
    const { kind } = this.#beginning;
    if (kind === 'new') this.#start = this.#heard;
    this.backlogEnd = kind === 'owed' ? this.#heard : this.#start;
    this.#world.deliveries.began(this.roomId, this.#heard);
  }

  /** The channel gets messages: one event for all of them. */
  hear(count: number): void {
    if (this.#heard === undefined) return;
    const messages = this.#history.slice(this.#heard, this.#heard + count);
    this.#heard += messages.length;
    if (messages.length > 0) this.#world.deliveries.advanced(this.roomId, messages);
  }

  /** The ids to be delivered, and those that need not be. */
  expected() {
    const owed = this.#history.filter(({ id }) => id > this.#start);
    const [skipped, delivered] = [true, false].map((isSkipped) =>
      owed.filter((one) => this.#isSkipped(one) === isSkipped).map(({ id }) => id),
    );
    return { skipped: skipped!, delivered: delivered! };
  }

  #isSkipped({ id, senderId, origin }: SentMessage): boolean {
    const isOwnBacklog = senderId === userId && id <= this.backlogEnd;
    const isAcknowledged = this.#acknowledged.some(([from, to]) => from <= id && id <= to);
    return isOwnBacklog || isAcknowledged || origin === this.#world.device.id;
  }
}

function rangesOf(stretches: readonly number[], count: number): IdRange[] {
  const ranges: IdRange[] = [];
  let from = 0;
  stretches.forEach((length, index) => {
    if (index % 2 === 0 && from <= count) ranges.push([from, Math.min(from + length - 1, count)]);
    from += length;
  });
  return ranges;
}

/** What the client does, and what it should find. */
class ModelClient {
  readonly #world: World;
  readonly acknowledged = new Set<string>();
  readonly #wrongCounts = new Map<string, number>();
  /** Acknowledged or given up, with the number of frames until then. */
  readonly #finished = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  inFlight(): string[] {
    const sent = new Set(this.#world.device.frames.map(keyOf));
    return [...sent].filter((key) => !this.#finished.has(key));
  }

  acknowledge(pick: number): void {
    const waiting = this.inFlight();
    if (waiting.length === 0) return;
    const key = waiting[pick % waiting.length]!;
    this.#finish(key);
    this.acknowledged.add(key);
    expect(this.#world.deliveries.acknowledge(key)).toBe(true);
  }

  countWrongly(pick: number, times: number): void {
    const waiting = this.inFlight();
    if (waiting.length === 0) return;
    const key = waiting[pick % waiting.length]!;
    for (let n = 0; n < times && !this.#finished.has(key); n += 1) {
      const count = (this.#wrongCounts.get(key) ?? 0) + 1;
      this.#wrongCounts.set(key, count);
      if (count === 6) this.#finish(key);
      expect(this.#world.deliveries.isCount(key, wrong)).toBe(false);
      this.#world.deliveries.resend(key);
    }
  }

  #finish(key: string): void {
    this.#finished.set(key, this.#world.device.frames.length);
  }

  checkWindow(): void {
    const waiting = this.inFlight();
    expect(waiting.length).toBeLessThanOrEqual(32);
    expect(waiting.filter((key) => !this.#world.deliveries.has(key))).toEqual([]);
  }

  /** Frames that came again although they were acknowledged or given up. */
  needless(): string[] {
    const { frames } = this.#world.device;
    return frames.map(keyOf).filter((key, index) => index >= (this.#finished.get(key) ?? Infinity));
  }

  /** Each message where it came first. */
  firsts(): Sent[] {
    const { frames } = this.#world.device;
    return [...new Map(frames.toReversed().map((frame) => [keyOf(frame), frame])).values()].sort(
      (one, other) => frames.indexOf(one) - frames.indexOf(other),
    );
  }
}

function keyOf({ roomId, id }: Sent): string {
  return transactionIdOf(roomId, id);
}

const writer = fc.constantFrom<Writer>('somebody', 'somebody', 'another device', 'this connection');
const beginning = fc.record<Beginning>({
  kind: fc.constantFrom('owed', 'owed', 'entered', 'new'),
  writers: fc.array(writer, { maxLength: 90 }),
  stretches: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }),
});

type Step = (rooms: readonly ModelRoom[], client: ModelClient, world: World) => unknown;
const some = fc.nat(2);
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(some, fc.array(writer, { maxLength: 30 })).map(([room, writers]): Step => (rooms) => {
    rooms[room]!.commit(writers);
  }),
  fc
    .tuple(some, fc.array(writer, { minLength: 1, maxLength: 70 }))
    .map(([room, writers]): Step => (rooms) => {
      rooms[room]!.commit(writers);
      rooms[room]!.hear(Infinity);
    }),
  fc.tuple(some, fc.integer({ min: 1, max: 40 })).map(([room, count]): Step => (rooms) => {
    rooms[room]!.hear(count);
  }),
  some.map((room): Step => (rooms) => {
    rooms[room]!.begin();
  }),
  fc.array(fc.nat(), { minLength: 1, maxLength: 40 }).map((picks): Step => (_rooms, client) => {
    for (const pick of picks) client.acknowledge(pick);
  }),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 6 })).map(([pick, times]): Step => (_rooms, client) => {
    client.countWrongly(pick, times);
  }),
  fc.boolean().map((isAway): Step => (_rooms, _client, { away }) => {
    away.now = isAway;
  }),
  fc.constantFrom(0, 600_000).map((later): Step => (_rooms, _client, { deliveries }) => {
    deliveries.tick(Date.now() + later);
  }),
  fc.constant<Step>((_rooms, _client, world) => world.settled()),
);

test('whatever happens, every message comes once and in order, 32 at a time, and is reported once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(beginning, { minLength: 3, maxLength: 3 }),
      fc.array(steps, { maxLength: 60, size: 'max' }),
      async (beginnings, taken) => {
        const world = openDeliveries({ pageSize: 13 });
        const client = new ModelClient(world);
        const rooms = [tea, cake, pie].map(
          (roomId, index) => new ModelRoom(roomId, world, beginnings[index]!),
        );
        for (const take of taken) {
          await take(rooms, client, world);
          client.checkWindow();
        }

        world.away.now = false;
        for (const room of rooms) room.begin();
        for (const room of rooms) room.hear(Infinity);
        let rounds = 0;
        do {
          expect((rounds += 1)).toBeLessThan(1_000);
          while (client.inFlight().length > 0) client.acknowledge(0);
          world.deliveries.tick(Date.now());
          await world.settled();
          client.checkWindow();
        } while (client.inFlight().length > 0);

        const firsts = client.firsts();
        for (const room of rooms) {
          const { delivered, skipped } = room.expected();
          const came = firsts.filter(({ roomId }) => roomId === room.roomId).map(({ id }) => id);
          expect(came).toEqual(delivered);
          const acknowledged = delivered.filter((id) =>
            client.acknowledged.has(transactionIdOf(room.roomId, id)),
          );
          const reported = world.reportedOf(room.roomId).sort((one, other) => one - other);
          expect(reported).toEqual([...acknowledged, ...skipped].sort((one, other) => one - other));
        }
        const isNew = firsts.map(
          ({ roomId, id }) => id > rooms.find((room) => room.roomId === roomId)!.backlogEnd,
        );
        expect(isNew).toEqual(isNew.toSorted((one, other) => Number(one) - Number(other)));
        expect(client.needless()).toEqual([]);
      },
    ),
    { numRuns: 150 },
  );
});
