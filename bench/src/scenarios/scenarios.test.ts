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
/** What is the difference of two readings, which for so few connections is mostly chance. */
const mayFall: string[] = ['growthMegabytesPerHour', 'kilobytesPerConnection'];
const deliveryMetrics: MetricName[] = [
  'deliveredPerSecond',
  'deliveryP50Ms',
  'deliveryP99Ms',
  'cpuPerMillionDeliveries',
];

/** Those that have something of their own: `rooms`, `connect` and `startup` are made of the same parts. */
describe('a tiny run of Parley passes its audit and measures', () => {
  const runs: [string, Record<string, number>, number, MetricName[]][] = [
    [
      'fanout',
      { ...load, connections: 12, window: 8, fewer: 2, 'load-processes': 2 },
      2,
      [...loadMetrics, ...deliveryMetrics],
    ],
    ['send', { ...load, connections: 4, window: 4, rate: 50, 'client-ids': 1 }, 3, loadMetrics],
    [
      'idle',
      { connections: 20, first: 5, settle: 0, seconds: 1 },
      1,
      ['kilobytesPerConnection', 'coresUsed'],
    ],
    [
      'return',
      { clients: 12, others: 8, rate: 40, members: 4, 'first-wait': 50, 'warm-up': 0, seconds: 1 },
      5,
      ['deliveryP99Ms', 'worstSecondP99Ms', 'requestMaxMs'],
    ],
    [
      'soak',
      { ...load, connections: 8, members: 4, rate: 40, visits: 10, visitors: 60, sample: 1, collect: 1 },
      6,
      [...deliveryMetrics, 'privateMegabytes', 'heldMegabytes', 'heapMegabytes', 'growthMegabytesPerHour'],
    ],
    [
      'attacks',
      { seconds: 1, 'warm-up': 0, users: 4, members: 2, rate: 40, only: 3 },
      2,
      ['sendP99Ms', 'gatewayMegabytes', 'attackerCores'],
    ],
    [
      'traces',
      { ...load, connections: 12, window: 8, only: 3 },
      1,
      ['committedPerSecond', 'cpuPerMillionDeliveries', 'deliveryP99Ms'],
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
      for (const [metric, value] of Object.entries(values))
        expect(value).toBeGreaterThanOrEqual(mayFall.includes(metric) ? -Infinity : 0);
  });
});

describe('the peers take part in it', () => {
  test('ws', async () => {
    const { audit, found } = await measure('fanout', 'ws', { ...load, connections: 12, window: 8, fewer: 2 });
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
