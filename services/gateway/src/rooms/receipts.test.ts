import { describe, expect, test } from '@jest/globals';
import { acknowledge, createId, ParleyError } from '@parley/protocol';
import type { IdRange, RequestOf, RoomId, User } from '@parley/protocol';
import type { Bus, Log } from '@parley/service-kit';
import { inTime, until } from '@parley/test-kit';
import fc from 'fast-check';
import { Receipts } from './receipts.ts';

type Acknowledgement = RequestOf<typeof acknowledge>['acknowledgements'][number];

const [tea, cake] = [createId('room'), createId('room')];
const anna: User = { userId: createId('user'), name: 'anna' };
const bob: User = { userId: createId('user'), name: 'bob' };

/** Receipts that are passed on to a service, which may be slow, or away. */
function openReceipts() {
  const stored: Acknowledgement[][] = [];
  const service = { isAway: false, calls: 0, answer: (): Promise<unknown> => Promise.resolve({}) };
  const warnings: unknown[] = [];
  const call = async (method: unknown, request: RequestOf<typeof acknowledge>) => {
    expect(method).toBe(acknowledge);
    service.calls += 1;
    const sent = structuredClone(request.acknowledgements);
    const isAway = service.isAway;
    await service.answer();
    if (isAway) throw new ParleyError('unavailable');
    stored.push(sent);
    return {};
  };
  const receipts = new Receipts({
    bus: { call: call as Bus['call'] },
    log: { warn: (values: unknown) => warnings.push(values) } as unknown as Log,
    requestTimeoutMs: 1_000,
  });
  return {
    ...{ receipts, stored, service, warnings },
    /** The ranges that were stored of one user and room, one request after the other. */
    rangesOf: (user: User, roomId: RoomId) =>
      stored
        .flat()
        .filter((one) => one.roomId === roomId && one.user.userId === user.userId)
        .flatMap(({ ranges }) => ranges),
  };
}

/** Lets answers wait until they are let go. */
function hold(service: ReturnType<typeof openReceipts>['service']) {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  service.answer = () => promise;
  return () => {
    service.answer = () => Promise.resolve({});
    resolve(undefined);
  };
}

function each(ids: readonly number[], take: (range: IdRange) => void): void {
  for (const id of ids) take([id, id]);
}

function idsIn(ranges: readonly IdRange[]): number[] {
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => from + index));
}

describe('receipts', () => {
  test('of one turn go together, runs of ids as one range', async () => {
    const { receipts, stored } = openReceipts();
    each([1, 2, 3], (range) => {
      receipts.acknowledge(anna, tea, range);
    });
    each([4, 6, 7], (range) => {
      receipts.acknowledge(bob, tea, range);
    });
    receipts.acknowledge(anna, cake, [9, 12]);
    receipts.acknowledge(anna, tea, [4, 8]);
    await inTime('the receipts', receipts.stored());
    expect(stored).toEqual([
      [
        { roomId: tea, user: anna, ranges: [[1, 8]] },
        {
          roomId: tea,
          user: bob,
          ranges: [
            [4, 4],
            [6, 7],
          ],
        },
        { roomId: cake, user: anna, ranges: [[9, 12]] },
      ],
    ]);
  });

  test('that are repeated take nothing away', async () => {
    const { receipts, rangesOf } = openReceipts();
    receipts.acknowledge(anna, tea, [1, 5]);
    each([3, 5, 1], (range) => {
      receipts.acknowledge(anna, tea, range);
    });
    await receipts.stored();
    expect(new Set(idsIn(rangesOf(anna, tea)))).toEqual(new Set([1, 2, 3, 4, 5]));
  });

  test('tell of a user nothing but id and name', async () => {
    const { receipts, stored } = openReceipts();
    const session = { ...anna, sessionId: 'secret' };
    receipts.acknowledge(session, tea, [1, 1]);
    await receipts.stored();
    expect(stored[0]![0]!.user).toEqual(anna);
  });

  test('wait together while others are under way', async () => {
    const { receipts, stored, service } = openReceipts();
    const letGo = hold(service);
    receipts.acknowledge(anna, tea, [1, 1]);
    await until('the request', () => service.calls === 1);
    for (let id = 2; id <= 500; id += 1) {
      receipts.acknowledge(anna, tea, [id, id]);
      if (id % 100 === 0) await new Promise(setImmediate);
    }
    expect(service.calls).toBe(1);
    letGo();
    await receipts.stored();
    expect(stored.map((request) => request.map(({ ranges }) => ranges))).toEqual([[[[1, 1]]], [[[2, 500]]]]);
  });

  test('are all stored when `stored` resolves, and nothing is there to wait for otherwise', async () => {
    const { receipts, service, rangesOf } = openReceipts();
    await inTime('nothing', receipts.stored());
    expect(service.calls).toBe(0);
    const letGo = hold(service);
    receipts.acknowledge(anna, tea, [1, 1]);
    let isStored = false;
    const stored = receipts.stored().then(() => (isStored = true));
    await until('the request', () => service.calls === 1);
    receipts.acknowledge(anna, tea, [2, 2]);
    await new Promise(setImmediate);
    expect(isStored).toBe(false);
    letGo();
    await inTime('the receipts', stored);
    expect(rangesOf(anna, tea)).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  test('go in requests of 1,000 users and rooms at most', async () => {
    const { receipts, stored } = openReceipts();
    for (let n = 0; n < 2_500; n += 1) receipts.acknowledge(anna, `room ${n}` as RoomId, [1, 1]);
    await receipts.stored();
    expect(stored.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
    expect(new Set(stored.flat().map(({ roomId }) => roomId)).size).toBe(2_500);
  });

  test('of a service that is away are kept and tried again; then nothing is sent twice', async () => {
    const { receipts, stored, service, warnings } = openReceipts();
    service.isAway = true;
    each([1, 2], (range) => {
      receipts.acknowledge(anna, tea, range);
    });
    await until('a failure', () => warnings.length === 1);
    each([3, 4], (range) => {
      receipts.acknowledge(anna, tea, range);
    });
    receipts.acknowledge(bob, tea, [1, 1]);
    await until('another failure', () => warnings.length === 2);
    each([5, 7], (range) => {
      receipts.acknowledge(anna, tea, range);
    });
    expect(stored).toEqual([]);
    service.isAway = false;
    await inTime('the receipts', receipts.stored());
    expect(stored).toEqual([
      [
        {
          roomId: tea,
          user: anna,
          ranges: [
            [1, 5],
            [7, 7],
          ],
        },
        { roomId: tea, user: bob, ranges: [[1, 1]] },
      ],
    ]);
    const { calls } = service;
    await receipts.stored();
    receipts.acknowledge(bob, tea, [2, 2]);
    await receipts.stored();
    expect(service.calls).toBe(calls + 1);
    expect(stored.at(-1)).toEqual([{ roomId: tea, user: bob, ranges: [[2, 2]] }]);
  });

  test('that come while a request fails are one range with what is tried again', async () => {
    const { receipts, service, warnings, rangesOf } = openReceipts();
    service.isAway = true;
    const letGo = hold(service);
    receipts.acknowledge(anna, tea, [1, 3]);
    await until('the request', () => service.calls === 1);
    receipts.acknowledge(anna, tea, [4, 4]);
    letGo();
    await until('the failure', () => warnings.length === 1);
    service.isAway = false;
    await receipts.stored();
    expect(rangesOf(anna, tea)).toEqual([[1, 4]]);
  });

  test('are stored also where they come at the very end of a request', async () => {
    for (let turns = 0; turns < 20; turns += 1) {
      const { receipts, service, rangesOf } = openReceipts();
      const letGo = hold(service);
      receipts.acknowledge(anna, tea, [1, 1]);
      await until('the request', () => service.calls === 1);
      letGo();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      receipts.acknowledge(anna, tea, [2, 2]);
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      expect([turns, rangesOf(anna, tea)]).toEqual([
        turns,
        [
          [1, 1],
          [2, 2],
        ],
      ]);
    }
  });

  test('are each stored exactly once, whenever they come', async () => {
    const pause = fc.constantFrom('none', 'microtask', 'turn');
    const step = fc.record({ isAnna: fc.boolean(), isTea: fc.boolean(), pause });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const { receipts, service, rangesOf } = openReceipts();
        service.answer = () => new Promise(setImmediate);
        const given = new Map<string, number[]>();
        for (const [index, { isAnna, isTea, pause: rest }] of steps.entries()) {
          const [user, roomId] = [isAnna ? anna : bob, isTea ? tea : cake];
          receipts.acknowledge(user, roomId, [index, index]);
          given.set(user.name + roomId, [...(given.get(user.name + roomId) ?? []), index]);
          if (rest === 'microtask') await Promise.resolve();
          if (rest === 'turn') await new Promise(setImmediate);
        }
        await receipts.stored();
        for (const user of [anna, bob]) {
          for (const roomId of [tea, cake]) {
            expect(idsIn(rangesOf(user, roomId))).toEqual(given.get(user.name + roomId) ?? []);
          }
        }
      }),
    );
  });
});
