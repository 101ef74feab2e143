import { expect, test } from '@jest/globals';
import { toJsonLine, toPlainLine, toPlainText } from './plain-text.ts';

test.each([
  ['an escape sequence', 'a\u001b[31mred\u001b[0m', 'a[31mred[0m'],
  ['an escape sequence in one character', 'a\u009b2J', 'a2J'],
  ['a title, and a bell', '\u001b]0;title\u0007x', ']0;titlex'],
  ['what would be overwritten', 'secret\u0008\u0008x', 'secretx'],
  ['text that runs backwards', 'evil\u202egpj.exe', 'evilgpj.exe'],
  ['a lone surrogate', 'a\ud800', 'a\ufffd'],
  ['other ends of lines', 'a\r\nb\rc\u2028d', 'a\nb\nc\nd'],
  ['a tab', 'a\tb', 'a    b'],
  ['letters, signs and emoji', 'Grüße 👩‍💻 日本', 'Grüße 👩‍💻 日本'],
])('%s', (_what, text, plain) => {
  expect(toPlainText(text)).toBe(plain);
  expect(toPlainLine(text)).toBe(plain.replaceAll('\n', ' '));
});

test('JSON has no raw control characters, and means the same', () => {
  const value = { content: '\u001b[31m\u009b2J\u202e\nä' };
  const line = toJsonLine(value);
  expect(line).toBe(String.raw`{"content":"\u001b[31m\u009b2J\u202e\nä"}`);
  expect(JSON.parse(line)).toEqual(value);
});
