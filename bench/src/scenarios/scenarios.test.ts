import { describe, expect, test } from '@jest/globals';
import type { ContenderName } from '../contenders/index.ts';
import { metricsIn, type MetricName } from '../metrics.ts';
import { readOptions, type Scenario } from '../scenario.ts';
import { dealt } from './fanout.ts';
import { scenarios } from './index.ts';

function scenario(name: string): Scenario {
  return scenarios.find((known) => known.name === name)!;
}

/** Measures once, as small as it gets. */
async function measure(name: string, contender: ContenderName, given: Record<string, number>) {
  const { signal } = new AbortController();
  const options = readOptions(scenario(name), given);
  const { parts, audit, facts } = await scenario(name).measure({ options, contender, abort: signal });
  expect(facts.cores).toBeGreaterThan(0);
  return { parts, audit, found: metricsIn(parts.map(({ values }) => values)) };
}

const load = { seconds: 1, 'warm-up': 0 };
const loadMetrics: MetricName[] = ['committedPerSecond', 'sendP50Ms', 'sendP99Ms', 'cpuPerThousandSends'];
const deliveryMetrics: MetricName[] = [
  'deliveredPerSecond',
  'deliveryP50Ms',
  'deliveryP99Ms',
  'cpuPerMillionDeliveries',
];

describe('a tiny run of Parley passes its audit and measures', () => {
  const runs: [string, Record<string, number>, number, MetricName[]][] = [
    [
      'fanout',
      { ...load, connections: 12, window: 8, fewer: 2, 'load-processes': 2 },
      2,
      [...loadMetrics, ...deliveryMetrics],
    ],
    ['send', { ...load, connections: 4, window: 4, rate: 50, 'client-ids': 1 }, 3, loadMetrics],
    ['rooms', { ...load, connections: 12, members: 4, rate: 60 }, 1, [...deliveryMetrics, 'lateP99Ms']],
    [
      'idle',
      { connections: 20, first: 5, settle: 0, seconds: 1 },
      1,
      ['kilobytesPerConnection', 'coresUsed'],
    ],
    [
      'connect',
      { users: 10, 'at-once': 2, 'warm-up': 0, seconds: 1 },
      1,
      ['connectsPerSecond', 'connectP99Ms'],
    ],
    ['scale', { members: 20, rooms: 3, times: 3 }, 10, ['requestP50Ms', 'requestP99Ms']],
    ['history', { messages: 2_000, pages: 5 }, 8, ['pageP50Ms', 'serviceMeanMs']],
  ];

  test.each(runs)('%s', async (name, options, partCount, expected) => {
    const { parts, audit, found } = await measure(name, 'parley', options);
    expect(audit.problems).toEqual([]);
    expect(parts).toHaveLength(partCount);
    expect(found).toEqual(expect.arrayContaining(expected));
    for (const { values } of parts)
      for (const value of Object.values(values)) expect(value).toBeGreaterThanOrEqual(0);
  });
});

describe('the peers take part in it', () => {
  const peers: ContenderName[] = ['socket.io', 'ws', 'joined'];

  test.each(peers)('%s', async (peer) => {
    const { audit, found } = await measure('fanout', peer, { ...load, connections: 12, window: 8, fewer: 2 });
    expect(audit.problems).toEqual([]);
    expect(found).toEqual(expect.arrayContaining([...loadMetrics, ...deliveryMetrics]));
  });

  test('socket.io-postgres, which stores what it confirms', async () => {
    // One in flight for each: with more its pool of connections lets a sender's messages overtake each other.
    const options = { ...load, connections: 4, window: 1, rate: 20 };
    const { audit, parts } = await measure('send', 'socket.io-postgres', options);
    expect(audit.problems).toEqual([]);
    expect(audit.text).toContain('in the history of 4 rooms');
    expect(parts[0]!.values.committedPerSecond).toBeGreaterThan(0);
  });
});

test.each([
  [128, 16, { senders: 16, window: 8 }],
  [16, 16, { senders: 16, window: 1 }],
  [4, 16, { senders: 4, window: 1 }],
])('%i in flight over %i senders', (inFlight, senders, expected) => {
  expect(dealt(inFlight, senders)).toEqual(expected);
});
