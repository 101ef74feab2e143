import { createLog } from '@parley/service-kit';
import { afterEach, expect, test } from '@jest/globals';
import { until } from '@parley/test-kit';
import { Leases } from './leases.ts';

const log = createLog('test', 'silent');
let leases: Leases | undefined;
afterEach(() => leases?.[Symbol.dispose]());

/** Keeps a lease whose renewals end so, the last one again and again; tells what was done. */
function keep(...outcomes: ('known' | 'not known' | 'lost')[]): string[] {
  const done: string[] = [];
  leases = new Leases({
    log,
    leases: {
      rooms: {
        renew: () => {
          const outcome = outcomes.length > 1 ? outcomes.shift()! : outcomes[0]!;
          done.push(outcome);
          if (outcome === 'lost') return Promise.reject(new Error('no answer'));
          return Promise.resolve({ known: outcome === 'known', leaseMs: 3_000 });
        },
        tellAnew: () => {
          done.push('told anew');
          return Promise.resolve();
        },
      },
    },
    touchSessions: () => Promise.resolve(),
  });
  return done;
}

test('while the lease is known nothing is told anew', async () => {
  const done = keep('known');
  await until('it is renewed', () => done.length >= 3);
  expect(new Set(done)).toEqual(new Set(['known']));
  await expect(leases!.check('rooms')).resolves.toBeUndefined();
});

test('where there was none everything is told anew', async () => {
  const done = keep('known', 'not known', 'known');
  await until('it is renewed', () => done.length >= 4);
  expect(done.slice(0, 4)).toEqual(['known', 'not known', 'told anew', 'known']);
});

test('an answer that gets lost may have said that there was none: everything is told anew with the next', async () => {
  const done = keep('known', 'lost', 'known');
  await until('it is renewed', () => done.length >= 5);
  expect(done.slice(0, 5)).toEqual(['known', 'lost', 'known', 'told anew', 'known']);
});
