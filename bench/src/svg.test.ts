import { expect, test } from '@jest/globals';
import { barSvg, lineSvg, ticksUpTo } from './svg.ts';

test.each([
  [10, [0, 5, 10]],
  [9.3, [0, 5, 10]],
  [0.43, [0, 0.2, 0.4, 0.6]],
  [1_200, [0, 500, 1_000, 1_500]],
  [0, [0, 1]],
])('ticks up to %d are round and reach it', (highest, expected) => {
  expect(ticksUpTo(highest)).toEqual(expected);
});

test('a line goes through its points in the order of x, higher values higher up', () => {
  const svg = lineSvg({
    title: 'cost',
    xLabel: 'n',
    lines: [
      {
        name: 'Parley',
        points: [
          [8, 10],
          [0, 0],
          [4, 5],
        ],
      },
    ],
  });
  const points = /points="([^"]+)"/
    .exec(svg)![1]!
    .split(' ')
    .map((point) => point.split(',').map(Number));
  expect(points).toHaveLength(3);
  const [[x0, y0], [x1, y1], [x2, y2]] = points as [[number, number], [number, number], [number, number]];
  expect([x0 < x1, x1 < x2, y0 > y1, y1 > y2]).toEqual([true, true, true, true]);
  expect(x1 - x0).toBeCloseTo(x2 - x1, 0);
});

test('a long line has no dots', () => {
  const dots = (count: number): number => {
    const points = Array.from({ length: count }, (_, x) => [x, 1] as const);
    return lineSvg({ title: 'memory', xLabel: 's', lines: [{ name: 'gateway', points }] }).split('<circle')
      .length;
  };
  expect(dots(10)).toBe(11);
  expect(dots(180)).toBe(1);
});

test('bars are as long as their values, and what they are called can’t break the page', () => {
  const svg = barSvg({
    title: '<b>',
    bars: [
      { name: 'a & b', value: 10 },
      { name: 'c', value: 5 },
    ],
  });
  const [long, half] = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect(long).toBeCloseTo(half! * 2, 0);
  expect(svg).not.toContain('<b>');
  expect(svg).toContain('a &#38; b');
});
