import { startBenchStack } from '../bench-stack.ts';
import { readMachineFacts } from '../machine.ts';
import { moveAll, type MovingResult } from '../moving.ts';
import type { Part } from '../results.ts';
import type { Problem } from '../audit.ts';
import type { Scenario } from '../scenario.ts';
import { timesOf } from '../times.ts';
import { number } from '../table.ts';

type DrainOptions = { connections: number; rooms: number; rate: number; seconds: number };

/** What users notice when a gateway is replaced while they talk. */
export const drain: Scenario<DrainOptions> = {
  name: 'drain',
  summary: 'a gateway is told to end under load, its connections go on at another one',
  peers: [],
  plots: ['requestP99Ms'],
  grows: ['connections', 'rooms'],
  options: {
    connections: {
      doc: 'logged-in connections, all on the gateway that ends',
      standard: '1000',
      min: 1,
      max: 10_000,
    },
    rooms: { doc: 'the connections are dealt out to so many rooms', standard: '100', min: 1, max: 10_000 },
    rate: { doc: 'messages a second over all of them', standard: '500', min: 1, max: 1_000_000 },
    seconds: { doc: 'of talk before the end, and after all are back', standard: '3', min: 1, max: 3_600 },
  },
  headline: ({ connections, rooms, rate }) =>
    `Drain: ${number(connections)} connections in ${number(rooms)} rooms, ${number(rate)} messages a second; the first of two gateways gets SIGTERM`,

  async measure({ options, profileDir, log, abort }) {
    const { connections, rooms, rate, seconds } = options;
    await using stack = await startBenchStack({ gateways: 2, profileDir, log, abort });
    const result = await moveAll(stack, {
      connections,
      rooms: Math.min(rooms, connections),
      perSecond: rate,
      talkMs: seconds * 1_000,
      abort,
    });
    return {
      facts: readMachineFacts(stack.servers),
      parts: partsOf(result),
      audit: { text: outcomeText(result), problems: problemsOf(result) },
    };
  },
};

function partsOf({ closedAfterMs, awayMs, sendMs }: MovingResult): Part[] {
  const rows = {
    'closed, after SIGTERM': closedAfterMs,
    'away, each connection': awayMs,
    'sends meanwhile': sendMs,
  };
  return Object.entries(rows).map(([name, times]) => ({ name, values: timesOf(times) }));
}

/** Whatever somebody lost or got twice, and who was not told where to go. */
function problemsOf({ reasons, misdelivered, incomplete, audit }: MovingResult): Problem[] {
  const untold = [...reasons].filter(([reason]) => reason !== 'closed with 1001');
  const found = [
    ...untold.map(([reason, count]) => ({ what: reason, count, example: '' })),
    { what: 'delivered twice or out of order', count: misdelivered, example: '' },
    { what: 'connections without all messages', count: incomplete, example: '' },
    ...audit.problems,
  ];
  return found.filter(({ count }) => count > 0);
}

function outcomeText({ drainMs, reasons, servedWhileDraining, audit }: MovingResult): string {
  const { messages, confirmed, refused, unanswered } = audit;
  const ends = Array.from(reasons, ([reason, count]) => `${number(count)} ${reason}`).join(', ');
  return (
    `gateway gone ${number(drainMs)} ms after SIGTERM, its connections: ${ends}; it answered ${number(servedWhileDraining)} sends after the ` +
    `first was closed; ${number(confirmed)} sends confirmed, ${number(refused)} refused, ${number(unanswered)} unanswered, ${number(messages)} in history`
  );
}
