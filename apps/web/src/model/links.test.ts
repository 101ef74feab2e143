import { expect, test } from '@jest/globals';
import { isEmojiOnly, textParts } from './links.ts';

test.each([
  ['see https://parley.example/a?b=c.', 'https://parley.example/a?b=c'],
  ['www.example.org, perhaps', 'https://www.example.org'],
  ['(http://example.org/x_(y))', 'http://example.org/x_(y)'],
  ['ask ada@example.org', 'mailto:ada@example.org'],
])('%s has a link', (content, href) => {
  const parts = textParts(content);
  expect(parts.map((part) => part.href).filter(Boolean)).toEqual([href]);
  expect(parts.map(({ text }) => text).join('')).toBe(content);
});

test.each(['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'hello\nworld', 'a < b > c'])(
  '%s has none',
  (content) => {
    const parts = textParts(content);
    expect(parts.every(({ href }) => href === undefined)).toBe(true);
    expect(parts.map(({ text }) => text).join('')).toBe(content);
  },
);

test.each([
  ['🎉', true],
  ['👩‍👩‍👧 🇸🇪', true],
  ['👍🏽👍🏽👍🏽', true],
  ['🎉🎉🎉🎉', false],
  ['12', false],
  ['yes 🎉', false],
  ['', false],
])('%s is nothing but a few emoji: %s', (content, expected) => {
  expect(isEmojiOnly(content)).toBe(expected);
});
