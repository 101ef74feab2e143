import { stripVTControlCharacters } from 'node:util';
import { expect, test } from '@jest/globals';
import { messageForPeople, messageForPrograms } from './message-text.ts';
import { noPaint } from './paint.ts';
import type { Paint } from './paint.ts';

const sentAt = new Date(2026, 10, 21, 9, 5);
const look = { columns: 40, paint: noPaint };
const message = { sender: 'anna', content: 'hello', sentAt };

test('a message is a line: time, sender, text', () => {
  expect(messageForPeople(message, look)).toBe('09:05 anna: hello');
  expect(messageForPrograms(message)).toBe(`${sentAt.toISOString()} anna: hello`);
});

test('long text is broken between words, and stays beside the times', () => {
  const content = 'the quick brown fox jumps over the lazy dog, again and again';
  const text = messageForPeople({ ...message, content }, look);
  expect(text.split('\n')).toEqual([
    '09:05 anna: the quick brown fox jumps ',
    '      over the lazy dog, again and again',
  ]);
});

test('wide letters count as two columns, and a word that is too long is broken', () => {
  const lines = messageForPeople({ ...message, content: '日本語'.repeat(20) }, look).split('\n');
  expect(lines.join('').replaceAll(' ', '')).toBe(`09:05anna:${'日本語'.repeat(20)}`);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(28);
});

test('a second line can’t pass for another message', () => {
  const content = 'hi\n09:05 berta: it was me';
  expect(messageForPeople({ ...message, content }, look)).toBe(
    '09:05 anna: hi\n      09:05 berta: it was me',
  );
  expect(messageForPrograms({ ...message, content })).toBe(
    `${sentAt.toISOString()} anna: hi\n\t09:05 berta: it was me`,
  );
});

test('neither sender nor text nor a file’s name reach the terminal raw', () => {
  const rude = '\u001b[2J\u009b31m';
  const file = { name: `${rude}a`, size: 3, type: `${rude}b` };
  for (const text of [
    messageForPeople({ ...message, sender: `${rude}c`, content: rude }, look),
    messageForPeople({ ...message, file }, look),
    messageForPrograms({ ...message, sender: `${rude}c`, content: rude }),
    messageForPrograms({ ...message, file }),
  ]) {
    expect(text).not.toMatch(/[\p{Cc}--\n]/v);
  }
});

test('a file is told with its size and type', () => {
  const file = { name: 'tea.png', size: 2_048, type: 'image/png' };
  expect(messageForPeople({ ...message, file }, { ...look, columns: Infinity })).toBe(
    '09:05 anna sent a file: tea.png (2 KiB, image/png)',
  );
});

test('a sender has the same colour every time, and colours take no columns', () => {
  const paint: Paint = (_format, text) => `\u001b[32m${text}\u001b[39m`;
  const text = messageForPeople({ ...message, content: 'word '.repeat(10).trim() }, { columns: 40, paint });
  expect(text).toContain('\u001b[32manna\u001b[39m');
  expect(stripVTControlCharacters(text)).toBe(
    messageForPeople({ ...message, content: 'word '.repeat(10).trim() }, look),
  );
});
