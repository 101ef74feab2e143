import { startContender, type Contender } from './contenders/index.ts';
import { minContentBytes } from './frames.ts';
import { LoadGenerator } from './load-generator.ts';
import type { AuditSummary, Measured, Part } from './results.ts';
import { auditRun } from './run-audit.ts';
import type { OptionSpec, Run } from './scenario.ts';
import { number } from './table.ts';
import type { Seat } from './wires/index.ts';

const maxErrorsShown = 10;

/** What all scenarios with a load can be told. */
export type LoadOptions = {
  connections: number;
  seconds: number;
  warmUp: number;
  bytes: number;
  gateways: number;
  loadProcesses: number;
};

/** Their common options. */
export function loadOptions(standards: {
  connections: number;
  gateways: number;
}): Record<keyof LoadOptions, OptionSpec> {
  return {
    connections: {
      doc: 'logged-in connections',
      standard: String(standards.connections),
      min: 2,
      max: 100_000,
    },
    seconds: { doc: 'measured time of each part', standard: '10', min: 1, max: 3_600 },
    warmUp: { doc: 'seconds of the same load before it is measured', standard: '2', min: 0, max: 600 },
    bytes: { doc: 'length of a message’s content', standard: '200', min: minContentBytes, max: 8_192 },
    gateways: {
      doc: 'processes that take the connections',
      standard: String(standards.gateways),
      min: 1,
      max: 100,
    },
    loadProcesses: { doc: 'processes that make the load', standard: '1', min: 1, max: 16 },
  };
}

export interface LoadContext {
  contender: Contender;
  load: LoadGenerator;
}

/**
 * Starts the contender, connects everybody, lets the scenario measure, and audits the whole of it.
 * @param work Measures; what it sent is in the audit.
 */
export async function underLoad(
  { options, contender: name, profileDir, log, abort }: Run<LoadOptions>,
  {
    rooms,
    clientIds = false,
    environment = {},
  }: { rooms: number; clientIds?: boolean; environment?: Record<string, string> },
  work: (context: LoadContext) => Promise<Part[]>,
): Promise<Measured> {
  const { connections, bytes, gateways, loadProcesses } = options;
  await using contender = await startContender(name, { gateways, environment, profileDir, log, abort });
  await using load = await LoadGenerator.start(loadProcesses, abort);
  const seats = await contender.seat({ connections, rooms });
  await load.open({ wire: contender.wire, seats, contentBytes: bytes, clientIds });
  const parts = await work({ contender, load });
  return { facts: contender.facts, parts, audit: await summedAudit(load, contender, seats) };
}

/** {@link auditRun}, in words. */
export async function summedAudit(
  load: LoadGenerator,
  contender: Contender,
  seats: readonly Seat[],
): Promise<AuditSummary> {
  const audit = await auditRun(load, contender, seats);
  const text =
    `${number(audit.confirmed)} sends confirmed, ${number(audit.refused)} refused, ${number(audit.unanswered)} unanswered; ` +
    (contender.readHistory
      ? `${number(audit.messages)} in the history of ${counted(audit.rooms, 'room')}; `
      : '') +
    `${number(audit.deliveries)} deliveries`;
  const errors = audit.errors.slice(0, maxErrorsShown).map((error) => `\n  ${error}`);
  return { text: text + errors.join(''), problems: audit.problems };
}

/** As `1 room`, `1,000 rooms`. @param plural Where it is not made with an s. */
export function counted(count: number, what: string, plural = `${what}s`): string {
  return `${number(count)} ${count === 1 ? what : plural}`;
}
