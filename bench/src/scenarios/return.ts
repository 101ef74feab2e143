import { setTimeout as delay } from 'node:timers/promises';
import type { GatewayProcess } from '@parley/local-stack';
import type { Problem } from '../audit.ts';
import { nowMicros } from '../clock.ts';
import { startParleyContender } from '../contenders/index.ts';
import { minContentBytes } from '../frames.ts';
import { Histogram } from '../histogram.ts';
import { LoadGenerator, type LoadResult } from '../load-generator.ts';
import type { Greeting, ReturnAccount } from '../load-plan.ts';
import { counted, summedAudit } from '../loaded.ts';
import { checkOpenFiles } from '../open-files.ts';
import type { Part, Timeline } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { number } from '../table.ts';
import { timesOf } from '../times.ts';
import { longestAbove } from '../trend.ts';

type ReturnOptions = {
  clients: number;
  others: number;
  rate: number;
  members: number;
  bytes: number;
  gateways: number;
  kill: number;
  drain: number;
  firstWait: number;
  longestWait: number;
  warmUp: number;
  seconds: number;
  limit: number;
  loadProcesses: number;
};

const microsPerMs = 1_000;
const microsPerSecond = 1e6;
/** Longest wait for all to be back, beyond the time the gateway has to end, in ms. */
const patienceMs = 120_000;

/** What others notice when a gateway is restarted, and all of its many clients come back at once. */
export const gatewayReturn: Scenario<ReturnOptions> = {
  name: 'return',
  summary: 'a gateway with 10,000 quiet clients is restarted; they come back elsewhere, where others talk',
  peers: [],
  plots: ['worstSecondP99Ms', 'secondsAboveLimit'],
  grows: ['clients'],
  options: {
    clients: {
      doc: 'quiet, logged-in connections on the gateway that is restarted',
      standard: '10000',
      min: 2,
      max: 25_000,
    },
    others: {
      doc: 'connections on the other gateways that talk',
      standard: '500',
      min: 2,
      max: 25_000,
    },
    rate: { doc: 'messages a second over those', standard: '500', min: 1, max: 1_000_000 },
    members: { doc: 'connections in each room, of either', standard: '10', min: 2, max: 10_000 },
    bytes: { doc: 'length of a message’s content', standard: '200', min: minContentBytes, max: 8_192 },
    gateways: { doc: 'processes that take the connections', standard: '2', min: 2, max: 100 },
    kill: { doc: '1: with SIGKILL instead of SIGTERM', standard: '0', min: 0, max: 1 },
    drain: {
      doc: 'DRAIN_MS: how long it may take to end; as docs/operations.md says for so many',
      standard: '60000',
      min: 0,
      max: 600_000,
    },
    firstWait: {
      doc: 'ms: longest (random) wait before the first try; doubles with each, as in packages/client',
      standard: '250',
      min: 0,
      max: 600_000,
    },
    longestWait: { doc: 'ms: longest of these bounds', standard: '10000', min: 0, max: 600_000 },
    warmUp: { doc: 'seconds of talk before it is measured', standard: '2', min: 0, max: 600 },
    seconds: {
      doc: 'of talk before the restart, and after all are back',
      standard: '10',
      min: 1,
      max: 3_600,
    },
    limit: {
      doc: 'ms: seconds whose p99 of delivery is above it are counted',
      standard: '500',
      min: 1,
      max: 60_000,
    },
    loadProcesses: { doc: 'processes that hold the clients', standard: '1', min: 1, max: 16 },
  },

  headline: ({ clients, others, rate, gateways, kill, drain, firstWait }) =>
    `Return: one of ${counted(gateways, 'gateway')} gets ${kill ? 'SIGKILL' : `SIGTERM (DRAIN_MS=${drain})`}, ${counted(clients, 'client')} come back, ` +
    `first tries within ${firstWait} ms; ${counted(others, 'other')} send ${number(rate)} messages a second`,

  async measure({ options, profileDir, log, abort }) {
    const { clients, others, rate, members, bytes, gateways, kill, drain, seconds, limit } = options;
    checkOpenFiles(clients + others);
    const environment = { DRAIN_MS: String(drain) };
    await using contender = await startParleyContender({ gateways, environment, profileDir, log, abort });
    await using talk = await LoadGenerator.start(1, abort);
    await using crowd = await LoadGenerator.start(options.loadProcesses, abort);
    const { wire } = contender;
    const [restarted, ...remaining] = contender.stack.gateways as [GatewayProcess, ...GatewayProcess[]];
    const elsewhere = remaining.map(({ webSocketUrl }) => webSocketUrl);
    const talkers = (await contender.seat({ connections: others, rooms: roomsOf(others, members) })).map(
      (seat) => ({ ...seat, url: elsewhere[seat.number % elsewhere.length]! }),
    );
    const clientRooms = roomsOf(clients, members);
    const quiet = (await contender.seat({ connections: clients, rooms: clientRooms })).map((seat) => ({
      ...seat,
      url: restarted.webSocketUrl,
    }));
    await talk.open({ wire, seats: talkers, contentBytes: bytes, clientIds: false });
    const { firstWait: firstWaitMs, longestWait: longestWaitMs } = options;
    await crowd.stay({ wire, seats: quiet, elsewhere, firstWaitMs, longestWaitMs });

    await talk.start({ kind: 'paced', perSecond: rate, senders: others, timeline: true });
    await delay(options.warmUp * 1_000, undefined, { signal: abort });
    const beganAt = nowMicros();
    await talk.begin();
    await delay(seconds * 1_000, undefined, { signal: abort });
    const endedAt = nowMicros();
    const [restart, returns] = await Promise.all([
      restartGateway(restarted, kill ? 'SIGKILL' : 'SIGTERM'),
      crowd.awaitReturns(drain + patienceMs),
    ]);
    await delay(seconds * 1_000, undefined, { signal: abort });
    await talk.end();
    const talked = await talk.finish();
    const greeting = await crowd.greet(clientRooms);
    const audit = await summedAudit(talk, contender, talkers);

    const found: Found = { beganAt, endedAt, returns, talked, limit };
    return {
      facts: contender.facts,
      parts: partsOf(found),
      audit: {
        text: `${audit.text}\n  ${returnsText(returns)}`,
        problems: [...audit.problems, ...problemsOf(returns, greeting, kill === 0)],
      },
      timelines: timelinesOf(found),
      notes: [
        `gateway gone after ${number(restart.goneMs)} ms, ready again after ${number(restart.readyMs)} ms`,
        verdictOn(found),
      ],
    };
  },
};

/** What was measured. Times are in microseconds of the machine's clock. */
interface Found {
  beganAt: number;
  /** When the gateway was told to end. */
  endedAt: number;
  returns: readonly ReturnAccount[];
  talked: Pick<LoadResult, 'deliveryBySecond' | 'latenessMs'>;
  /** In ms. */
  limit: number;
}

/** @returns When it was gone and when its successor was ready, in ms from the signal. */
async function restartGateway(
  gateway: GatewayProcess,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<{ goneMs: number; readyMs: number }> {
  const startedAt = performance.now();
  await gateway.kill(signal);
  const goneMs = performance.now() - startedAt;
  await gateway.start();
  await gateway.ready();
  return { goneMs, readyMs: performance.now() - startedAt };
}

function roomsOf(connections: number, members: number): number {
  return Math.max(Math.floor(connections / members), 1);
}

function partsOf({ beganAt, endedAt, returns, talked, limit }: Found): Part[] {
  const back = returns.filter(({ backAt }) => backAt > 0);
  const { deliveryBySecond: bySecond } = talked;
  const first = Math.floor((endedAt - beganAt) / microsPerSecond);
  const lastBackAt = Math.max(endedAt, ...back.map(({ backAt }) => backAt));
  const last = Math.floor((lastBackAt - beganAt) / microsPerSecond) + 1;
  const during = deliveryOf(bySecond.slice(first, last));
  return [
    { name: 'others, before', values: deliveryOf(bySecond.slice(0, first)) },
    {
      name: 'others, until all are back',
      values: {
        ...during,
        worstSecondP99Ms: Math.max(0, ...p99BySecond(bySecond.slice(first, last))),
        secondsAboveLimit: longestAbove(p99BySecond(bySecond), limit),
        lateP99Ms: talked.latenessMs.p99,
      },
    },
    { name: 'others, after', values: deliveryOf(bySecond.slice(last)) },
    {
      name: 'clients back, after the signal',
      values: timesOf(back.map(({ backAt }) => (backAt - endedAt) / microsPerMs)),
    },
    {
      name: 'away, each client',
      values: timesOf(back.map(({ lostAt, backAt }) => (backAt - lostAt) / microsPerMs)),
    },
  ];
}

function deliveryOf(seconds: readonly Histogram[]): Part['values'] {
  const { count, p50, p99 } = Histogram.merged(seconds.map((second) => second.snapshot())).summary();
  return count === 0 ? {} : { deliveryP50Ms: p50 / microsPerMs, deliveryP99Ms: p99 / microsPerMs };
}

function p99BySecond(seconds: readonly Histogram[]): number[] {
  return seconds.map((second) => second.percentile(0.99) / microsPerMs);
}

/** One sentence; the signal comes in the middle of a second, which counts as a whole. */
function verdictOn({ talked, limit }: Found): string {
  const p99s = p99BySecond(talked.deliveryBySecond);
  const above = p99s.filter((p99) => p99 > limit).length;
  return (
    `the others' p99 of delivery was above ${limit} ms for ${counted(longestAbove(p99s, limit), 'second')} in a row ` +
    `(${counted(above, 'second')} in all of ${p99s.length}); ${number(Math.max(...p99s))} ms in the worst`
  );
}

function timelinesOf({ beganAt, endedAt, returns, talked }: Found): Timeline[] {
  const seconds = talked.deliveryBySecond.map((delivery, second) => ({ delivery, second }));
  const told = `told to end after ${number((endedAt - beganAt) / microsPerSecond)} s`;
  const pointsOf = (part: number) =>
    seconds.map(({ delivery, second }) => [second, delivery.percentile(part) / microsPerMs] as const);
  const away = seconds.map(
    ({ second }) => [second, countAway(returns, beganAt + second * microsPerSecond)] as const,
  );
  return [
    {
      title: `delivery to the others, ms (${told})`,
      xLabel: 'seconds',
      lines: [
        { name: 'p99 of the messages due in a second', points: pointsOf(0.99) },
        { name: 'p50', points: pointsOf(0.5) },
      ],
    },
    { title: `clients away (${told})`, xLabel: 'seconds', lines: [{ name: 'clients', points: away }] },
  ];
}

/** Those who had lost their connection by then, and were not back. */
export function countAway(returns: readonly Pick<ReturnAccount, 'lostAt' | 'backAt'>[], at: number): number {
  return returns.filter(({ lostAt, backAt }) => lostAt > 0 && lostAt <= at && (backAt === 0 || backAt > at))
    .length;
}

/** @param isTold Whether each client had to be told that its server goes away. */
export function problemsOf(
  returns: readonly Pick<ReturnAccount, 'backAt' | 'losses' | 'failure'>[],
  { deaf, unconfirmed }: Greeting,
  isTold: boolean,
): Problem[] {
  const missing = returns.filter(({ backAt }) => backAt === 0);
  const untold = returns.filter(({ losses: [first] }) => first !== undefined && first !== 'closed with 1001');
  const again = returns.filter(({ losses }) => losses.length > 1);
  const found: Problem[] = [
    { what: 'clients never came back', count: missing.length, example: missing[0]?.failure ?? '' },
    {
      what: 'clients lost their connection again',
      count: again.length,
      example: again[0]?.losses.at(-1) ?? '',
    },
    { what: 'clients heard nothing, or too much, when they were back', count: deaf, example: '' },
    { what: 'clients could not send when they were back', count: unconfirmed, example: '' },
  ];
  if (isTold)
    found.push({
      what: 'clients not told that the server goes away',
      count: untold.length,
      example: untold[0]?.losses[0] ?? '',
    });
  return found.filter(({ count }) => count > 0);
}

function returnsText(returns: readonly ReturnAccount[]): string {
  const retried = returns.filter(({ failures }) => failures > 0);
  const tries = retried.reduce((sum, { failures }) => sum + failures, 0);
  const why = retried[0]?.failure;
  return (
    `${counted(returns.length, 'client')}, ${number(returns.filter(({ backAt }) => backAt > 0).length)} back, each heard in its room; ` +
    `${number(retried.length)} had to try again, ${counted(tries, 'try', 'tries')} failed${why === undefined ? '' : `, as with: ${why}`}`
  );
}
