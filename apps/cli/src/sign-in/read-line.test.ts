import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { readLine } from './read-line.ts';

test.each([
  ['in one piece', ['secret\nrest\nof it']],
  ['in pieces', ['sec', 'ret', '\nrest', '\nof it']],
  ['with the line’s end at the end of a piece', ['secret\n', 'rest\nof it']],
  ['with two characters at its end', ['secret\r\nrest\nof it']],
])('the first line, %s; the rest stays', async (_how, pieces) => {
  const input = Readable.from(
    pieces.map((piece) => Buffer.from(piece)),
    { objectMode: false },
  );
  expect(await readLine(input)).toBe('secret');
  expect(await text(input)).toBe('rest\nof it');
});

test('where nothing ends the line, the end does', async () => {
  const input = new PassThrough();
  const line = readLine(input);
  input.write('gr\u00fc');
  input.end('n');
  expect(await line).toBe('gr\u00fcn');
  expect(await readLine(Readable.from([]))).toBe('');
});
