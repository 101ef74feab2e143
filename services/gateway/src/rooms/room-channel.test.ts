import { describe, expect, test } from '@jest/globals';
import { createId, defaultDialect, ParleyError } from '@parley/protocol';
import type { RoomId, SentMessage, UserId } from '@parley/protocol';
import { until } from '@parley/test-kit';
import fc from 'fast-check';
import { RoomChannel } from './room-channel.ts';
import type { Receiver, RoomChannelOptions } from './room-channel.ts';

const roomId = 'room_5f0c5f0c5f0c5f0c5f0c5f0c' as RoomId;

function message(id: number, origin = createId('connection')): SentMessage {
  return {
    id,
    senderId: 'user_000000000000000000000000' as UserId,
    sender: 'alice',
    content: `message ${id}`,
    sentAt: '2024-01-01T12:00:00.000Z',
    origin,
  };
}

/** Keeps the ids of the messages it is given, read back from the frames' bytes. */
class Listener implements Receiver {
  readonly id = createId('connection');
  readonly dialect = defaultDialect('/');
  readonly ids: number[] = [];

  isKeepingUp(): boolean {
    return true;
  }

  write(frames: Buffer): void {
    for (const [, id] of frames.toString('latin1').matchAll(/"message_id":(\d+)/g)) this.ids.push(Number(id));
  }
}

/** A room's history as the messages service has it: it may grow, and be away. */
function openRoom(options: Partial<RoomChannelOptions<Listener>> = {}) {
  const history: SentMessage[] = [];
  const away = { now: false };
  let reads = 0;
  const readers: Listener[] = [];
  const channel = new RoomChannel<Listener>(roomId, {
    readAfter: async (_roomId, after, reader) => {
      reads += 1;
      readers.push(reader);
      await new Promise(setImmediate);
      if (away.now) throw new ParleyError('unavailable');
      return { messages: history.filter(({ id }) => id > after).slice(0, 7), hasMore: false };
    },
    emptied: () => undefined,
    repairFailed: () => undefined,
    ...options,
  });
  function commit(count: number, origin?: SentMessage['origin']): SentMessage[] {
    const fresh = Array.from({ length: count }, (_, index) => message(history.length + index + 1, origin));
    history.push(...fresh);
    return fresh;
  }
  return { channel, commit, history, away, readers, reads: () => reads };
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe('a room channel', () => {
  test('delivers what comes in order at once, without asking history', () => {
    const { channel, commit, reads } = openRoom();
    const listener = new Listener();
    channel.attach(listener);
    channel.start(0);
    channel.hear(commit(2));
    channel.hear(commit(3));
    expect(listener.ids).toEqual(upTo(5));
    expect(reads()).toBe(0);
  });

  test('delivers to a connection that has read ahead nothing of that again', async () => {
    const { channel, commit } = openRoom();
    const [listener, ahead] = [new Listener(), new Listener()];
    commit(2);
    channel.start(2);
    channel.attach(listener);
    const [third, fourth, fifth] = commit(3);
    channel.attach(ahead, 4);
    channel.hear([third!]);
    channel.hear([fourth!]);
    channel.hear([fifth!]);
    channel.hear(commit(1));
    await until('the last one', () => ahead.ids.at(-1) === 6);
    expect(ahead.ids).toEqual([5, 6]);
    expect(listener.ids).toEqual(upTo(6, 3));
  });

  test('delivers what is new to a connection that says it has what nobody sent', async () => {
    const { channel, commit } = openRoom();
    const listener = new Listener();
    commit(2);
    channel.start(2);
    channel.attach(listener, 1_000);
    channel.hear(commit(1));
    await until('what was sent since it came', () => listener.ids.length === 1);
    channel.hear(commit(1));
    expect(listener.ids).toEqual([3, 4]);
  });

  test('gathers, in a large room, what comes while everybody is written to, and keeps its order', async () => {
    const { channel, commit, reads } = openRoom();
    let writes = 0;
    class Counter extends Listener {
      override write(frames: Buffer): void {
        writes += 1;
        super.write(frames);
      }
    }
    const listeners = Array.from({ length: 500 }, () => new Counter());
    for (const listener of listeners) channel.attach(listener);
    channel.start(0);
    for (let number = 1; number <= 20; number += 1) channel.hear(commit(1));
    await until('all messages', () => listeners.at(-1)!.ids.length === 20);
    for (const listener of listeners) expect(listener.ids).toEqual(upTo(20));
    expect(writes).toBeLessThanOrEqual(3 * listeners.length);
    expect(reads()).toBe(0);
  });

  test.each([
    [24, upTo(2)],
    [25, upTo(1)],
  ])('with %s connections has delivered, right after two messages, %j', (connections, delivered) => {
    const { channel, commit } = openRoom();
    const listeners = Array.from({ length: connections }, () => new Listener());
    for (const listener of listeners) channel.attach(listener);
    channel.start(0);
    channel.hear(commit(1));
    channel.hear(commit(1));
    expect(listeners[0]!.ids).toEqual(delivered);
    channel.close();
  });

  test('delivers what it has gathered to who leaves meanwhile', () => {
    const { channel, commit } = openRoom();
    const listeners = Array.from({ length: 100 }, () => new Listener());
    for (const listener of listeners) channel.attach(listener);
    channel.start(0);
    channel.hear(commit(1));
    channel.hear(commit(2));
    const [leaving, staying] = listeners;
    expect(leaving!.ids).toEqual([1]);
    channel.detach(leaving!);
    channel.hear(commit(1));
    expect(leaving!.ids).toEqual([1, 2, 3]);
    expect(staying!.ids).toEqual([1, 2, 3]);
    channel.close();
  });

  test('tells when a message has gone out: at once, later, or when it is closed', async () => {
    const { channel, commit } = openRoom();
    const listener = new Listener();
    channel.attach(listener);
    channel.start(0);
    const settled: string[] = [];
    const note = (what: string) => () => settled.push(what);
    const [first, second] = [commit(1), commit(1)];
    void channel.whenDelivered(listener, 2)!.then(note('second'));
    void channel.whenDelivered(listener, 3)!.then(note('never sent'));
    channel.hear(first);
    await new Promise(setImmediate);
    expect(settled).toEqual([]);
    expect(channel.whenDelivered(listener, 1)).toBeUndefined();
    expect(channel.whenDelivered(new Listener(), 2)).toBeUndefined();
    channel.hear(second);
    await new Promise(setImmediate);
    expect(settled).toEqual(['second']);
    channel.close();
    await new Promise(setImmediate);
    expect(settled).toEqual(['second', 'never sent']);
  });

  test.each([
    ['is behind', 0],
    ['says it has what nobody sent', 1_000],
  ])('tells when a message has gone out to a connection that %s, or that has left', async (_how, after) => {
    const { channel, commit } = openRoom();
    const [reader, other] = [new Listener(), new Listener()];
    commit(5);
    channel.start(5);
    for (const listener of [reader, other]) channel.attach(listener, after);
    channel.hear(commit(1));
    const delivered = channel.whenDelivered(reader, 6)!.then(() => reader.ids.at(-1));
    let hasLeft = false;
    void channel.whenDelivered(other, 6)!.then(() => (hasLeft = true));
    channel.detach(other);
    await new Promise(setImmediate);
    expect(hasLeft).toBe(true);
    expect(await delivered).toBe(6);
  });

  test('delivers what was heard while the last id was being read, from that id on', () => {
    const { channel, commit } = openRoom();
    const listener = new Listener();
    commit(3);
    channel.attach(listener);
    channel.hear(commit(2));
    channel.start(4);
    expect(listener.ids).toEqual([5]);
  });

  test('waits for a message that another overtook, and reads no history for it', () => {
    const { channel, commit, reads } = openRoom();
    const listener = new Listener();
    channel.attach(listener);
    channel.start(0);
    const [first, second] = [commit(1), commit(1)];
    channel.hear(second);
    expect(listener.ids).toEqual([]);
    channel.hear(first);
    expect(listener.ids).toEqual([1, 2]);
    expect(reads()).toBe(0);
  });

  test('fills a hole from history before anything later goes out', async () => {
    const { channel, commit } = openRoom();
    const listener = new Listener();
    channel.attach(listener);
    channel.start(0);
    commit(20);
    channel.hear(commit(1));
    expect(listener.ids).toEqual([]);
    await until('the repair', () => listener.ids.length === 21);
    expect(listener.ids).toEqual(upTo(21));
  });

  test('learns of lost messages from the last id alone', async () => {
    const { channel, commit } = openRoom();
    const listener = new Listener();
    channel.attach(listener);
    channel.start(0);
    commit(3);
    channel.noticeLastId(3);
    await until('the repair', () => listener.ids.length === 3);
    expect(listener.ids).toEqual(upTo(3));
  });

  test('reads for somebody who is in it, and for who is behind as that one', async () => {
    const failures: unknown[] = [];
    const { channel, commit, away, readers } = openRoom({
      repairFailed: (_roomId, error) => failures.push(error),
    });
    const [first, second, late] = [new Listener(), new Listener(), new Listener()];
    channel.attach(first);
    channel.attach(second);
    channel.start(0);
    commit(2);
    away.now = true;
    channel.noticeLastId(2);
    await until('a failed repair', () => failures.length > 0);
    // As where a service says that it is not in the room.
    channel.detach(first);
    away.now = false;
    await until('the repair', () => second.ids.length === 2);
    expect(readers).toEqual([first, second]);
    channel.attach(late, 0);
    await until('catching up', () => late.ids.length === 2);
    expect(readers).toEqual([first, second, late]);
  });

  test('goes on repairing while history is away', async () => {
    const failures: unknown[] = [];
    const { channel, commit, away } = openRoom({ repairFailed: (_roomId, error) => failures.push(error) });
    const listener = new Listener();
    channel.attach(listener);
    channel.start(0);
    away.now = true;
    commit(1);
    channel.hear(commit(1));
    await until('a failed repair', () => failures.length > 0);
    expect(listener.ids).toEqual([]);
    away.now = false;
    await until('the repair', () => listener.ids.length === 2);
  });

  test('brings somebody who is behind up to the others, then both hear the same', async () => {
    const { channel, commit } = openRoom();
    const [early, late] = [new Listener(), new Listener()];
    commit(30);
    channel.attach(early);
    channel.start(30);
    channel.attach(late, 10);
    channel.hear(commit(2));
    await until('catching up', () => late.ids.at(-1) === 32);
    channel.hear(commit(1));
    expect(late.ids).toEqual(upTo(33, 11));
    expect(early.ids).toEqual([31, 32, 33]);
  });

  test('somebody who leaves and comes back while behind gets nothing twice', async () => {
    const { channel, commit } = openRoom();
    const listener = new Listener();
    commit(30);
    channel.attach(new Listener());
    channel.start(30);
    channel.attach(listener, 10);
    channel.detach(listener);
    channel.attach(listener, 20);
    await until('catching up', () => listener.ids.at(-1) === 30);
    expect(listener.ids).toEqual(upTo(30, 21));
  });

  test('does not deliver a message to the connection it came from, heard or repaired', async () => {
    const { channel, commit } = openRoom();
    const [sender, other] = [new Listener(), new Listener()];
    channel.attach(sender);
    channel.attach(other);
    channel.start(0);
    channel.hear([...commit(1), ...commit(1, sender.id)]);
    commit(1, sender.id);
    channel.hear(commit(1));
    await until('the repair', () => other.ids.length === 4);
    expect(sender.ids).toEqual([1, 4]);
  });

  test('tells when nobody is left', () => {
    let emptied = 0;
    const { channel } = openRoom({ emptied: () => (emptied += 1) });
    const listener = new Listener();
    channel.attach(listener);
    channel.detach(listener);
    expect(emptied).toBe(1);
  });

  test('delivers 1..n in order whatever is lost, doubled or overtaken on the bus', async () => {
    const event = fc.record({
      size: fc.integer({ min: 1, max: 5 }),
      isLost: fc.boolean(),
      copies: fc.integer({ min: 1, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        async (events, random) => {
          const { channel, commit, history } = openRoom();
          const listener = new Listener();
          channel.attach(listener);
          channel.start(0);
          const heard = events.flatMap(({ size, isLost, copies }) => {
            const messages = commit(size);
            return isLost
              ? []
              : Array.from({ length: copies }, () => ({ messages, order: random.next().value! % 4 }));
          });
          heard
            .map((one, index) => ({ ...one, at: index + one.order }))
            .sort((a, b) => a.at - b.at)
            .forEach(({ messages }) => {
              channel.hear(messages);
            });
          channel.noticeLastId(history.length);
          await until('all messages', () => listener.ids.length >= history.length);
          expect(listener.ids).toEqual(upTo(history.length));
          channel.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});
