import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { LineScreen } from './line-screen.ts';

test('lines that come before anybody reads them are not lost', async () => {
  const input = new PassThrough();
  using screen = new LineScreen(input, new PassThrough());
  const lines = screen.lines();
  input.end('hi\nhow are you\n');
  // As while the first room is entered.
  for (let passed = 0; passed < 5; passed += 1) await turn();
  const heard: string[] = [];
  for await (const line of lines) heard.push(line);
  expect(heard).toEqual(['hi', 'how are you']);
});
