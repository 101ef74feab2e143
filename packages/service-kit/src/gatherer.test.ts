import { expect, test } from '@jest/globals';
import { Gatherer } from './gatherer.ts';

/** A gatherer whose batches end when told to, with an echo of each item. */
function observed(maxItems = 10, maxWaitMs?: number) {
  const batches: { items: number[]; end: (outcome?: Error) => void }[] = [];
  const gatherer = new Gatherer<number, string>(
    maxItems,
    (items) => {
      const { promise, resolve, reject } = Promise.withResolvers<(string | Error)[]>();
      batches.push({
        items,
        end: (outcome) => {
          if (outcome) reject(outcome);
          else resolve(items.map((item) => (item < 0 ? new Error(`no ${item}`) : `done ${item}`)));
        },
      });
      return promise;
    },
    maxWaitMs,
  );
  return { gatherer, batches };
}

const turn = () => new Promise(setImmediate);

test('what comes in one turn is done together, each with its own result', async () => {
  const { gatherer, batches } = observed();
  const results = [1, -2, 3].map((item) => gatherer.add(item));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1, -2, 3]]);
  batches[0]!.end();
  const settled = await Promise.allSettled(results);
  expect(settled).toEqual([
    { status: 'fulfilled', value: 'done 1' },
    { status: 'rejected', reason: new Error('no -2') },
    { status: 'fulfilled', value: 'done 3' },
  ]);
});

test('what comes while a batch is under way goes together with the next', async () => {
  const { gatherer, batches } = observed(10, 60_000);
  const first = gatherer.add(1);
  await turn();
  const later = [gatherer.add(2)];
  await turn();
  later.push(gatherer.add(3));
  await turn();
  expect(batches).toHaveLength(1);
  batches[0]!.end();
  await first;
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3]]);
  batches[1]!.end();
  expect(await Promise.all(later)).toEqual(['done 2', 'done 3']);
});

test('a batch that never ends holds nobody up for long', async () => {
  const { gatherer, batches } = observed();
  void gatherer.add(1);
  await turn();
  const second = gatherer.add(2);
  while (batches.length < 2) await turn();
  batches[1]!.end();
  expect(await second).toBe('done 2');
});

test('where nothing waits for what is under way, each turn is a batch', async () => {
  const { gatherer, batches } = observed(10, 0);
  const results = [gatherer.add(1), gatherer.add(2)];
  await turn();
  results.push(gatherer.add(3));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1, 2], [3]]);
  for (const { end } of batches) end();
  expect(await Promise.all(results)).toEqual(['done 1', 'done 2', 'done 3']);
});

test('a batch holds no more than it may', async () => {
  const { gatherer, batches } = observed(2);
  const results = [1, 2, 3].map((item) => gatherer.add(item));
  await turn();
  batches[0]!.end();
  await Promise.all(results.slice(0, 2));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1, 2], [3]]);
  batches[1]!.end();
  expect(await results[2]).toBe('done 3');
});

test('where the batch fails all have failed, and the next is tried', async () => {
  const { gatherer, batches } = observed();
  const failed = [gatherer.add(1), gatherer.add(2)];
  await turn();
  batches[0]!.end(new Error('away'));
  const outcomes = await Promise.allSettled(failed);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const next = gatherer.add(3);
  await turn();
  batches[1]!.end();
  expect(await next).toBe('done 3');
});
