import { expect, test } from '@jest/globals';
import { describeFault, faultKinds, onlyFaults, planFaults } from './schedule.ts';

const minuteMs = 60_000;

test('the plan is a function of the seed', () => {
  expect(planFaults(7, minuteMs)).toEqual(planFaults(7, minuteMs));
  expect(planFaults(8, minuteMs)).not.toEqual(planFaults(7, minuteMs));
});

test('a shorter run sees the beginning of a longer one', () => {
  const long = planFaults(7, 5 * minuteMs);
  const short = planFaults(7, minuteMs);
  expect(short.length).toBeGreaterThan(20);
  expect(long.slice(0, short.length)).toEqual(short);
});

test('every kind of fault comes up, at times that grow, with numbers from 1', () => {
  const plan = planFaults(1, 10 * minuteMs);
  expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
  expect(plan.map(({ number }) => number)).toEqual(plan.map((_, index) => index + 1));
  expect(plan.map(({ atMs }) => atMs)).toEqual(
    plan.map(({ atMs }) => atMs).sort((one, other) => one - other),
  );
});

test('faults that are picked by kind or number keep their times', () => {
  const plan = planFaults(3, minuteMs);
  const picked = onlyFaults(plan, ['2', 'kill']);
  expect(picked).toContain(plan[1]);
  expect(picked.every(({ kind, number }) => kind === 'kill' || number === 2)).toBe(true);
  expect(onlyFaults(plan, [])).toEqual(plan);
});

test('a fault is told in one line', () => {
  expect(describeFault({ kind: 'hold', target: 'nats', forMs: 250, number: 3, atMs: 1_000 })).toBe(
    '#3 hold nats forMs 250',
  );
});
