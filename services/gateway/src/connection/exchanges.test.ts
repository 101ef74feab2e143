import { describe, expect, test } from '@jest/globals';
import { createId, listRooms } from '@parley/protocol';
import type { Command } from '@parley/protocol';
import { Exchanges } from './exchanges.ts';

const command: Command = { method: listRooms, request: {}, action: 'get_rooms', claimedName: undefined };
const timeoutMs = 60_000;
/** Of one request, and of as many as may wait. */
const [size, maxSize] = [100, 6_400];

function beginMany(exchanges: Exchanges, count: number): string[] {
  return Array.from({ length: count }, () => exchanges.begin(command, size, timeoutMs).transactionId);
}

const unknownTransaction: unknown = expect.objectContaining({
  code: 'invalid_field',
  details: { field: 'transaction_id' },
});

describe('an exchange', () => {
  test('is taken once, with its command', () => {
    const exchanges = new Exchanges(maxSize);
    const other = { ...command, action: 'get_rooms again' };
    const [first, second] = [
      exchanges.begin(command, size, timeoutMs),
      exchanges.begin(other, size, timeoutMs),
    ];
    expect(first.transactionId).not.toBe(second.transactionId);
    expect(exchanges.has(second.transactionId)).toBe(true);
    expect(exchanges.take(second.transactionId).command).toBe(other);
    expect(exchanges.has(second.transactionId)).toBe(false);
    expect(() => exchanges.take(second.transactionId)).toThrow(unknownTransaction);
    expect(exchanges.take(first.transactionId).command).toBe(command);
  });

  test.each(['', 'unique_transaction_id', createId('exchange'), '__proto__', 'constructor'])(
    'that never began is unknown, and changes nothing: %p',
    (transactionId) => {
      const exchanges = new Exchanges(maxSize);
      const [pending] = beginMany(exchanges, 1);
      expect(exchanges.has(transactionId)).toBe(false);
      expect(() => exchanges.take(transactionId)).toThrow(unknownTransaction);
      expect(exchanges.has(pending!)).toBe(true);
    },
  );

  test('of another connection is unknown', () => {
    const [mine, theirs] = [new Exchanges(maxSize), new Exchanges(maxSize)];
    const [transactionId] = beginMany(theirs, 1);
    expect(() => mine.take(transactionId!)).toThrow(unknownTransaction);
    expect(theirs.has(transactionId!)).toBe(true);
  });
});

describe('the 65th pending exchange', () => {
  const refused: unknown = expect.objectContaining({ code: 'rate_limited' });

  test('is refused until one is taken', () => {
    const exchanges = new Exchanges(maxSize);
    const pending = beginMany(exchanges, 64);
    expect(new Set(pending).size).toBe(64);
    expect(() => exchanges.begin(command, size, timeoutMs)).toThrow(refused);
    expect(pending.every((transactionId) => exchanges.has(transactionId))).toBe(true);
    exchanges.take(pending[10]!);
    beginMany(exchanges, 1);
    expect(() => exchanges.begin(command, size, timeoutMs)).toThrow(refused);
  });

  test('is refused until some have expired', () => {
    const exchanges = new Exchanges(maxSize);
    beginMany(exchanges, 64);
    expect(exchanges.takeExpired(Date.now() + timeoutMs)).toHaveLength(64);
    beginMany(exchanges, 64);
    expect(() => exchanges.begin(command, size, timeoutMs)).toThrow(refused);
  });
});

describe('what those that wait take in memory', () => {
  const refused: unknown = expect.objectContaining({ code: 'rate_limited' });

  test('is bounded, and free again when one is taken or has expired', () => {
    const exchanges = new Exchanges(1_000);
    const { transactionId } = exchanges.begin(command, 600, timeoutMs);
    expect(() => exchanges.begin(command, 401, timeoutMs)).toThrow(refused);
    exchanges.begin(command, 400, 1_000);
    expect(exchanges.size).toBe(1_000);
    exchanges.take(transactionId);
    expect(exchanges.size).toBe(400);
    exchanges.begin(command, 600, timeoutMs);
    exchanges.takeExpired(Date.now() + 1_000);
    expect(exchanges.size).toBe(600);
  });

  test('may be more than that for one alone', () => {
    const exchanges = new Exchanges(1_000);
    exchanges.begin(command, 5_000, timeoutMs);
    expect(() => exchanges.begin(command, 1, timeoutMs)).toThrow(refused);
  });
});

describe('an exchange that is not confirmed', () => {
  test('expires when its time is over, and is told once', () => {
    const exchanges = new Exchanges(maxSize);
    const before = Date.now();
    const [transactionId] = beginMany(exchanges, 1);
    const after = Date.now();
    expect(exchanges.takeExpired(before + timeoutMs - 1)).toEqual([]);
    expect(exchanges.has(transactionId!)).toBe(true);
    expect(exchanges.takeExpired(after + timeoutMs)).toMatchObject([{ command, transactionId }]);
    expect(exchanges.takeExpired(after + timeoutMs)).toEqual([]);
    expect(() => exchanges.take(transactionId!)).toThrow(unknownTransaction);
  });

  test('expires alone: neither those taken before nor those begun later go with it', () => {
    const exchanges = new Exchanges(maxSize);
    const short = Array.from({ length: 3 }, () => exchanges.begin(command, size, 1_000).transactionId);
    const [later] = beginMany(exchanges, 1);
    exchanges.take(short[1]!);
    const expired = exchanges.takeExpired(Date.now() + 1_000);
    expect(expired.map(({ transactionId }) => transactionId)).toEqual([short[0], short[2]]);
    expect(exchanges.has(later!)).toBe(true);
  });
});
