/** `npm run bench -- drain`: what users notice when a gateway is replaced while they talk. */
import { parseArgs } from 'node:util';
import { Histogram } from './histogram.ts';
import { machineText, readMachineFacts } from './machine.ts';
import { moveAll, type MovingResult } from './moving.ts';
import { wholeNumber } from './options.ts';
import { startBenchStack, type Scenario } from './scenario.ts';
import { number, table } from './table.ts';

const microseconds = 1_000;

export const drain: Scenario = {
  summary: 'a gateway is told to end under load, its connections go on at another one',
  usage: `  --connections 1000   logged-in connections, all on the gateway that ends
  --rooms 100          the connections are dealt out to so many rooms
  --rate 500           messages a second over all of them
  --seconds 3          of talk before the end, and after all are back`,

  async run(args, abort) {
    const { values } = parseArgs({
      args,
      options: {
        connections: { type: 'string', default: '1000' },
        rooms: { type: 'string', default: '100' },
        rate: { type: 'string', default: '500' },
        seconds: { type: 'string', default: '3' },
      },
    });
    const connections = wholeNumber('connections', values.connections, 1, 10_000);
    const rooms = wholeNumber('rooms', values.rooms, 1, connections);
    const perSecond = wholeNumber('rate', values.rate, 1, 1_000_000);
    const talkMs = wholeNumber('seconds', values.seconds, 1, 3_600) * 1_000;
    await using stack = await startBenchStack({ gateways: 2, abort });
    console.log(
      `Drain: ${number(connections)} connections in ${number(rooms)} rooms, ${number(perSecond)} messages a second\n` +
        `${machineText(readMachineFacts(stack))}\n`,
    );
    const result = await moveAll(stack, { connections, rooms, perSecond, talkMs, abort });
    console.log(`${timesTable(result)}\n\n${outcomeText(result)}`);
    return isFlawless(result);
  },
};

/** Whether nobody lost anything or got it twice, and all were told where to go. */
export function isFlawless({ reasons, misdelivered, incomplete, audit }: MovingResult): boolean {
  const isTold = [...reasons.keys()].every((reason) => reason === 'closed with 1001');
  return isTold && misdelivered === 0 && incomplete === 0 && audit.problems.length === 0;
}

function timesTable({ closedAfterMs, awayMs, sendMs }: MovingResult): string {
  const rows = {
    'closed, after SIGTERM': closedAfterMs,
    'away, each connection': awayMs,
    'sends meanwhile': sendMs,
  };
  return table([
    ['ms', 'count', 'p50', 'p99', 'max'],
    ...Object.entries(rows).map(([name, values]) => {
      const histogram = new Histogram();
      for (const value of values) histogram.record(value * microseconds);
      const { count, p50, p99, max } = histogram.summary();
      return [name, number(count), ...[p50, p99, max].map((value) => number(value / microseconds, 1))];
    }),
  ]);
}

function outcomeText({
  drainMs,
  reasons,
  servedWhileDraining,
  misdelivered,
  incomplete,
  audit,
}: MovingResult): string {
  const { messages, confirmed, refused, unanswered, problems } = audit;
  const lines = [
    `Gateway gone ${number(drainMs)} ms after SIGTERM; its connections: ${Array.from(reasons, ([reason, count]) => `${number(count)} ${reason}`).join(', ')}`,
    `It answered ${number(servedWhileDraining)} sends after the first connection was closed`,
    `${number(confirmed)} sends confirmed, ${number(refused)} refused, ${number(unanswered)} unanswered; ${number(messages)} messages in history`,
    `${number(misdelivered)} deliveries twice or out of order; ${number(incomplete)} connections without all messages`,
    ...problems.map(
      ({ what, count, example }) => `  ${what}: ${number(count)}${example && `, first ${example}`}`,
    ),
  ];
  return lines.join('\n');
}
