import { expect, test } from '@jest/globals';
import { isOvergrown } from './json-shape.ts';

const filler = `"filler":"${'x'.repeat(5_000)}"`;

test.each([
  ['a thousand levels of lists', `{${filler},"data":${'['.repeat(1_000)}${']'.repeat(1_000)}}`],
  ['levels that are never closed', '{"data":'.repeat(1_000)],
  ['more fields than a text can have letters', JSON.stringify(Object.fromEntries(numbers(20_000)))],
  [
    'levels behind a quote that a backslash only seems to escape',
    `{${filler},"a":"\\\\","b":${'['.repeat(65)}`,
  ],
])('%s', (_, text) => {
  expect(isOvergrown(text)).toBe(true);
});

test.each([
  ['brackets and colons of a text', `{"content":"${'{[:'.repeat(20_000)}"}`],
  ['those behind an escaped quote', `{"content":"\\"${'{[:'.repeat(20_000)}"}`],
  ['many objects beside each other', JSON.stringify(numbers(10_000).map(([key]) => [{ key }]))],
  ['the frequencies of many letters', JSON.stringify(Object.fromEntries(numbers(16_000)))],
  ['a text without an end', `{"content":"${'{[:'.repeat(20_000)}`],
  ['short text, which is left to the parser', '['.repeat(4_096)],
])('is not: %s', (_, text) => {
  expect(isOvergrown(text)).toBe(false);
});

function numbers(count: number): [string, number][] {
  return Array.from({ length: count }, (_, index) => [`letter ${index}`, index]);
}
