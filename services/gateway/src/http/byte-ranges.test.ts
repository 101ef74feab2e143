import { describe, expect, test } from '@jest/globals';
import { byteRange } from './byte-ranges.ts';

describe('of 10 bytes', () => {
  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-', 0, 9],
    ['bytes=3-5', 3, 5],
    ['bytes=9-', 9, 9],
    ['bytes=5-99999999999999999999', 5, 9],
    ['bytes=-1', 9, 9],
    ['bytes=-10', 0, 9],
    ['bytes=-11', 0, 9],
    ['Bytes= 1-2 ', 1, 2],
  ])('%s are those from %d to %d', (header, first, last) => {
    expect(byteRange(header, 10)).toEqual({ first, last });
  });

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=99999999999999999999-'])(
    '%s are none',
    (header) => {
      expect(byteRange(header, 10)).toBe('unsatisfiable');
    },
  );

  test.each([
    'bytes=5-4',
    'bytes=20-10',
    'bytes=-',
    'bytes=',
    'bytes',
    'bytes=a-b',
    'bytes=0-1,3-4',
    'bytes=-1-',
    'lines=0-1',
    '',
  ])('%p asks for all', (header) => {
    expect(byteRange(header, 10)).toBeUndefined();
  });
});

test('an empty file has no ranges', () => {
  for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-1'])
    expect(byteRange(header, 0)).toBe('unsatisfiable');
});
