import { expect, test } from '@jest/globals';
import { freeName, pastedName } from './file-names.ts';

test.each([
  ['plan.pdf', [], 'plan.pdf'],
  ['plan.pdf', ['plan.pdf'], 'plan (2).pdf'],
  ['plan.pdf', ['plan.pdf', 'plan (2).pdf'], 'plan (3).pdf'],
  ['README', ['README'], 'README (2)'],
  ['.env', ['.env'], '.env (2)'],
])('%s beside %j becomes %s', (name, taken, expected) => {
  expect(freeName(name, new Set(taken))).toBe(expected);
});

test('a long name stays within 255 bytes and whole characters', () => {
  const name = `${'é'.repeat(200)}.txt`;
  const free = freeName(name, new Set());
  expect(Buffer.byteLength(free)).toBeLessThanOrEqual(255);
  expect(free).toMatch(/^é+\.txt$/);
  expect(freeName(name, new Set([free]))).toMatch(/^é+ \(2\)\.txt$/);
});

test('what is pasted is told apart by its time', () => {
  expect(pastedName({ name: 'image.png' }, new Date('2026-03-03T10:32:05Z'))).toBe(
    'pasted 2026-03-03 10.32.05.png',
  );
});
