/** `npm run bench -- send`: how many sends a second are committed, and how long a sender waits to be told. */
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { AuditResult } from './audit.ts';
import { readCpu, readMachineCpu, stackProcesses, type CpuSeconds, type ProcessGroups } from './cpu.ts';
import { minContentBytes } from './frames.ts';
import { startLoadProcess, type LoadProcess } from './load-process.ts';
import type { LoadPlan, LoadResult } from './load.ts';
import { machineText, readMachineFacts } from './machine.ts';
import { wholeNumber } from './options.ts';
import { startBenchStack, type Scenario } from './scenario.ts';
import { number, table } from './table.ts';

const warmUpMs = 2_000;
const maxErrorsShown = 10;
const generator = 'load generator';
const elsewhere = 'rest of machine';

const usage = `  --connections 50   logged-in connections
  --window 32        sends in flight on each, in the first part
  --rate 1000        sends a second over all of them, in the second part
  --seconds 10       measured time of each part, after ${warmUpMs / 1_000} s of warm-up
  --bytes 200        length of a message's content
  --rooms N          the connections are dealt out to so many rooms; by default each has its own
  --gateways 1       the connections are dealt out to so many gateways
  --client-ids       give each message a client_message_id
  --profile FOLDER   keep CPU profiles of our processes there (they cost some speed)`;

interface SendOptions {
  connections: number;
  window: number;
  perSecond: number;
  seconds: number;
  contentBytes: number;
  rooms: number;
  gateways: number;
  clientIds: boolean;
  profileDir: string | undefined;
}

/** One part of the run, measured. */
interface Part {
  name: string;
  load: LoadResult;
  /** CPU seconds spent while it was measured. */
  cpu: CpuSeconds;
}

export const send: Scenario = { summary: 'durable sends: rate, latency, CPU', usage, run };

async function run(args: string[], abort: AbortSignal): Promise<boolean> {
  const options = readOptions(args);
  const { gateways, profileDir } = options;
  await using stack = await startBenchStack({ gateways, profileDir, abort });
  await using load = await startLoadProcess(abort);
  console.log(`${headline(options)}\n${machineText(readMachineFacts(stack))}\n`);

  await load.prepare({ ...options, urls: stack.gateways.map(({ webSocketUrl }) => webSocketUrl) });
  const groups = stackProcesses(stack).set(generator, [load.pid]);
  const measure = (name: string, plan: LoadPlan): Promise<Part> =>
    measurePart(name, plan, load, groups, options.seconds * 1_000, abort);
  const parts = [
    await measure(`${options.window} in flight each`, { kind: 'closed', window: options.window }),
    await measure(`${number(options.perSecond)} a second`, { kind: 'paced', perSecond: options.perSecond }),
  ];
  console.log(`${latencyTable(parts)}\n\n${cpuTable(parts)}\n`);

  const errors = await load.errors();
  if (errors.length > 0) console.log(errorsText(errors));
  const audit = await load.audit();
  console.log(auditText(audit));
  await load.close();
  return audit.problems.length === 0;
}

function readOptions(args: string[]): SendOptions {
  const { values } = parseArgs({
    args,
    options: {
      connections: { type: 'string', default: '50' },
      window: { type: 'string', default: '32' },
      rate: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '10' },
      bytes: { type: 'string', default: '200' },
      rooms: { type: 'string' },
      gateways: { type: 'string', default: '1' },
      'client-ids': { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  const connections = wholeNumber('connections', values.connections, 1, 10_000);
  return {
    connections,
    window: wholeNumber('window', values.window, 1, 10_000),
    perSecond: wholeNumber('rate', values.rate, 1, 1_000_000),
    seconds: wholeNumber('seconds', values.seconds, 1, 3_600),
    contentBytes: wholeNumber('bytes', values.bytes, minContentBytes, 8_192),
    rooms: wholeNumber('rooms', values.rooms ?? values.connections, 1, connections),
    gateways: wholeNumber('gateways', values.gateways, 1, 100),
    clientIds: values['client-ids'],
    profileDir: values.profile === undefined ? undefined : resolve(values.profile),
  };
}

async function measurePart(
  name: string,
  plan: LoadPlan,
  load: LoadProcess,
  groups: ProcessGroups,
  measuredMs: number,
  abort: AbortSignal,
): Promise<Part> {
  await load.start(plan);
  await delay(warmUpMs, undefined, { signal: abort });
  const before = readCpu(groups);
  const machineBefore = readMachineCpu();
  await load.begin();
  await delay(measuredMs, undefined, { signal: abort });
  await load.end();
  const after = readCpu(groups);
  const machine = readMachineCpu() - machineBefore;
  const cpu = new Map(Array.from(after, ([group, seconds]) => [group, seconds - (before.get(group) ?? 0)]));
  const ours = [...cpu.values()].reduce((sum, seconds) => sum + seconds, 0);
  cpu.set(elsewhere, Math.max(machine - ours, 0));
  return { name, load: await load.finish(), cpu };
}

function headline(options: SendOptions): string {
  const { connections, rooms, gateways, contentBytes, clientIds } = options;
  const where = rooms === connections ? 'each in its own room' : `in ${counted(rooms, 'room')}`;
  return (
    `Durable sends: ${counted(connections, 'connection')} on ${counted(gateways, 'gateway')}, ${where}, ` +
    `${contentBytes} bytes a message, ${clientIds ? 'with' : 'without'} client_message_id`
  );
}

function counted(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? '' : 's'}`;
}

function latencyTable(parts: readonly Part[]): string {
  return table([
    ['', 'committed/s', 'p50 ms', 'p99 ms', 'max ms', 'refused/s', 'delivered/s', 'sent late p99 ms'],
    ...parts.map(({ name, load: { confirmed, refused, delivered, elapsedMs, latencyMs, latenessMs } }) => [
      name,
      number((confirmed * 1_000) / elapsedMs),
      number(latencyMs.p50, 1),
      number(latencyMs.p99, 1),
      number(latencyMs.max, 1),
      number((refused * 1_000) / elapsedMs),
      number((delivered * 1_000) / elapsedMs),
      latenessMs.count > 0 ? number(latenessMs.p99, 1) : '-',
    ]),
  ]);
}

/** Our processes with their sum, then those that are only around. */
function cpuTable(parts: readonly Part[]): string {
  const around = [generator, elsewhere];
  const ours = [...parts[0]!.cpu.keys()].filter((group) => !around.includes(group));
  const perThousand = ({ cpu, load }: Part, groups: readonly string[]): string => {
    const seconds = groups.reduce((sum, group) => sum + (cpu.get(group) ?? 0), 0);
    return number((seconds * 1_000) / Math.max(load.confirmed, 1), 3);
  };
  return table([
    ['CPU s per 1,000 sends', ...ours, 'all', ...around],
    ...parts.map((part) => [
      part.name,
      ...ours.map((group) => perThousand(part, [group])),
      perThousand(part, ours),
      ...around.map((group) => perThousand(part, [group])),
    ]),
  ]);
}

function errorsText(errors: readonly string[]): string {
  const shown = errors.slice(0, maxErrorsShown).map((text) => `  ${text}`);
  return [`Error frames and lost connections, the first ${shown.length}:`, ...shown, ''].join('\n');
}

function auditText({ rooms, messages, confirmed, refused, unanswered, problems }: AuditResult): string {
  const counts =
    `${counted(confirmed, 'send')} confirmed, ${number(refused)} refused, ${number(unanswered)} unanswered; ` +
    `${counted(messages, 'message')} in the history of ${counted(rooms, 'room')}`;
  const lines = problems.map(
    ({ what, count, example }) => `  ${what}: ${number(count)}${example && `, first ${example}`}`,
  );
  return [`Audit ${problems.length === 0 ? 'passed' : 'FAILED'}: ${counts}`, ...lines].join('\n');
}
