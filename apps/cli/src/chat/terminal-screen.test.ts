import { expect, test } from '@jest/globals';
import { rowsOf } from './terminal-screen.ts';

test.each([
  ['', 0],
  ['tea> hello', 0],
  ['x'.repeat(19), 0],
  ['x'.repeat(20), 1],
  ['x'.repeat(45), 2],
  ['status\ntea> hello', 1],
  [`${'x'.repeat(20)}\ntea> `, 1],
  [`${'x'.repeat(21)}\ntea> `, 2],
  ['\n\n', 2],
  // The tenth wide character would begin in the last column of 19.
  ['日'.repeat(10), 1],
  ['\u001b[1mtea>\u001b[22m hello', 0],
])('%j takes %d rows before its last', (text, rows) => {
  expect(rowsOf(text, text.startsWith('日') ? 19 : 20)).toBe(rows);
});
