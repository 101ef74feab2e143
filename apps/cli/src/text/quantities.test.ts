import { expect, test } from '@jest/globals';
import { count, formatBytes, formatDay, formatTime } from './quantities.ts';

test.each([
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_024, '1 KiB'],
  [1_536, '1.5 KiB'],
  [20 * 1_048_576, '20 MiB'],
  [2_500_000_000, '2.3 GiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test('one and many', () => {
  expect([count(1, 'message'), count(2, 'message')]).toEqual(['1 message', '2 messages']);
});

test('times and days are those of the reader', () => {
  const at = new Date(2026, 10, 21, 9, 5);
  expect(formatTime(at)).toBe('09:05');
  expect(formatDay(at).replace(',', '')).toBe('Saturday 21 November 2026');
});
