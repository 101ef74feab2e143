import { expect, test } from '@jest/globals';
import { normalizeTime, Time, TimeInput } from './times.ts';
import { matches } from './validation.ts';

test.each([
  ['2024-01-01T12:00:00Z', '2024-01-01T12:00:00.000Z'],
  ['2024-01-01T12:00:00.5Z', '2024-01-01T12:00:00.500Z'],
  ['2024-01-01T12:00:00.123456789Z', '2024-01-01T12:00:00.123Z'],
  ['2024-01-01T12:00:00+02:00', '2024-01-01T10:00:00.000Z'],
  ['2024-01-01T00:30:00-23:59', '2024-01-02T00:29:00.000Z'],
  ['2024-02-29t12:00:00z', '2024-02-29T12:00:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
])('%s is %s', (text, canonical) => {
  expect(matches(TimeInput, text)).toBe(true);
  expect(normalizeTime(text)).toBe(canonical);
  expect(matches(Time, canonical)).toBe(true);
});

test.each([
  ['without a zone', '2024-01-01T12:00:00'],
  ['with a space', '2024-01-01 12:00:00Z'],
  ['with a zone without a colon', '2024-01-01T12:00:00+0200'],
  ['only a date', '2024-01-01'],
  ['words', 'yesterday'],
  ['empty', ''],
  ['a number', 1_704_110_400_000],
  ['null', null],
  ['of the 13th month', '2024-13-01T00:00:00Z'],
  ['of the 25th hour', '2024-01-01T25:00:00Z'],
  ['of a leap second', '2016-12-31T23:59:60Z'],
  ['before the year 1 in UTC', '0001-01-01T00:00:00+00:01'],
  ['of the year 0', '0000-06-01T00:00:00Z'],
  ['after the year 9999 in UTC', '9999-12-31T23:59:00-00:01'],
  ['with text behind', '2024-01-01T12:00:00Z\n'],
])('a time %s is none', (_what, text) => {
  expect(matches(TimeInput, text)).toBe(false);
});
