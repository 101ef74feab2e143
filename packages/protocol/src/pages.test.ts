import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { firstThatFit, maxPageBytes } from './pages.ts';

test('everything fits where there is room', () => {
  expect(firstThatFit([])).toEqual([]);
  expect(firstThatFit(['a', 'b', 'c'])).toEqual(['a', 'b', 'c']);
});

test('bytes of UTF-8 count, not characters', () => {
  expect(firstThatFit(['aa', 'aa', 'aa'], 8)).toEqual(['aa', 'aa']); // 4 bytes each, with quotes
  expect(firstThatFit(['üü', 'üü'], 8)).toEqual(['üü']); // 6 bytes each
  expect(firstThatFit(['\n\n', '\n\n'], 8)).toEqual(['\n\n']); // 6 bytes each, escaped
});

test('one item is always given, however large, so that a reader gets on', () => {
  const huge = 'a'.repeat(maxPageBytes);
  expect(firstThatFit([huge, 'b'])).toEqual([huge]);
});

test('a full page stays well below the largest frame', () => {
  const messages = Array.from({ length: 1_000 }, () => ({ content: 'ü'.repeat(8_192) }));
  const page = firstThatFit(messages);
  expect(page.length).toBeGreaterThan(1);
  expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThan(600 * 1_024);
});

test('pages are the longest beginnings that fit', () => {
  const items = fc.array(fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(items, fc.integer({ min: 1, max: 100 }), (all, maxBytes) => {
      const page = firstThatFit(all, maxBytes);
      const bytes = (some: string[]) =>
        some.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0);
      expect(page).toEqual(all.slice(0, page.length));
      expect(page.length <= 1 || bytes(page) <= maxBytes).toBe(true);
      const oneMore = all.slice(0, page.length + 1);
      expect(page.length === all.length || bytes(oneMore) > maxBytes).toBe(true);
    }),
  );
});
