import { expect, test } from '@jest/globals';
import { Histogram } from './histogram.ts';

test('small values are kept exactly', () => {
  const histogram = new Histogram();
  for (let value = 1; value <= 100; value += 1) histogram.record(value);
  expect(histogram.summary()).toEqual({ count: 100, p50: 50, p99: 99, max: 100 });
});

test('a percentile is never too low, and at most 1/64 too high', () => {
  const values = Array.from({ length: 5_000 }, (_, index) => Math.round(1.005 ** index) % 2 ** 31);
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  values.sort((a, b) => a - b);
  for (const part of [0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1]) {
    const exact = values[Math.ceil(part * values.length) - 1]!;
    expect(histogram.percentile(part)).toBeGreaterThanOrEqual(exact);
    expect(histogram.percentile(part)).toBeLessThanOrEqual(exact * (1 + 1 / 64));
  }
});

test('the longest value is kept exactly, however long', () => {
  const histogram = new Histogram();
  for (const value of [3, 1_234_567, 40]) histogram.record(value);
  expect(histogram.summary()).toMatchObject({ p50: 40, p99: 1_234_567, max: 1_234_567 });
});

test('what does not fit counts as the nearest that does', () => {
  const histogram = new Histogram();
  histogram.record(-5);
  histogram.record(2 ** 40);
  expect(histogram.percentile(0.5)).toBe(0);
  expect(histogram.percentile(1)).toBe(2 ** 31 - 1);
});

test('an empty histogram says 0', () => {
  expect(new Histogram().summary()).toEqual({ count: 0, p50: 0, p99: 0, max: 0 });
});

test('what several counted is one histogram', () => {
  const [one, other] = [new Histogram(), new Histogram()];
  for (let value = 1; value <= 50; value += 1) one.record(value);
  for (let value = 51; value <= 100; value += 1) other.record(value);
  expect(Histogram.merged([one.snapshot(), other.snapshot()]).summary()).toEqual({
    count: 100,
    p50: 50,
    p99: 99,
    max: 100,
  });
});
