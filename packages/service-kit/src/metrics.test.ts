import { expect, test } from '@jest/globals';
import { databaseMetrics } from './database-metrics.ts';
import { metrics, Reading, Tally } from './metrics.ts';

async function valueOf(name: string): Promise<number | undefined> {
  const { values } = await metrics.getSingleMetric(name)!.get();
  return values[0]?.value;
}

test('a tally begins with 0 and is what was counted, however often it is read', async () => {
  const tally = new Tally('parley_test_things_total', 'Things.');
  expect(await valueOf('parley_test_things_total')).toBe(0);
  tally.add(2);
  tally.add(3);
  expect(await valueOf('parley_test_things_total')).toBe(5);
  expect(await valueOf('parley_test_things_total')).toBe(5);
  tally.add(1);
  expect(await valueOf('parley_test_things_total')).toBe(6);
});

test('a reading is what its sources say when it is read, as long as they are there', async () => {
  const reading = new Reading('parley_test_waiting', 'What waits.');
  expect(await valueOf('parley_test_waiting')).toBe(0);
  const queue = ['a'];
  const source = reading.from(() => queue.length);
  reading.from(() => 10);
  expect(await valueOf('parley_test_waiting')).toBe(11);
  queue.push('b');
  expect(await valueOf('parley_test_waiting')).toBe(12);
  source[Symbol.dispose]();
  expect(await valueOf('parley_test_waiting')).toBe(10);
});

test('there are no metrics of databases where there is no database', async () => {
  expect(metrics.getSingleMetric('parley_database_waiting')).toBeUndefined();
  const watched = databaseMetrics().watch({ totalCount: 4, idleCount: 1, waitingCount: 7 }, 10);
  expect(await valueOf('parley_database_connections')).toBe(4);
  expect(await valueOf('parley_database_idle_connections')).toBe(1);
  expect(await valueOf('parley_database_max_connections')).toBe(10);
  expect(await valueOf('parley_database_waiting')).toBe(7);
  watched[Symbol.dispose]();
  expect(await valueOf('parley_database_waiting')).toBe(0);
});
