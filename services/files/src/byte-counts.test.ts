import { expect, test } from '@jest/globals';
import { createId } from '@parley/protocol';
import { ByteCounts } from './byte-counts.ts';

function uploadOf(size: number, packets: number) {
  return { uploadId: createId('upload'), size, packets };
}

test('an upload may have as many bytes as it announced, and not one more', () => {
  const [counts, upload] = [new ByteCounts(), uploadOf(100, 3)];
  expect(counts.add(upload, 1, 60)).toBe(true);
  expect(counts.add(upload, 2, 41)).toBe(false);
  expect(counts.add(upload, 2, 40)).toBe(true);
  expect(counts.add(upload, 3, 1)).toBe(false);
  expect(counts.add(upload, 3, 0)).toBe(true);
});

test('a chunk that comes again counts once, with its last size', () => {
  const [counts, upload] = [new ByteCounts(), uploadOf(100, 3)];
  for (const bytes of [60, 100, 60, 10]) expect(counts.add(upload, 1, bytes)).toBe(true);
  expect(counts.add(upload, 0, 90)).toBe(true);
  expect(counts.add(upload, 1, 11)).toBe(false);
});

test('of very many uploads those are forgotten that got no chunk for longest', () => {
  const counts = new ByteCounts();
  const [first, ...others] = Array.from({ length: 10 }, () => uploadOf(10, 2 ** 20));
  const last = others.at(-1)!;
  for (const upload of [first!, ...others]) counts.add(upload, 1, 10);
  expect(counts.add(last, 2, 1)).toBe(false);
  expect(counts.add(first!, 2, 1)).toBe(true);
});
