import type { FuzzArguments } from './arguments.ts';
import type { Finding } from './findings.ts';
import { inMebibytes } from './memory.ts';
import type { RunResult } from './run.ts';

/** Longest that one item of an input is shown, in UTF-16 units. */
const shownUnits = 2_000;
const shownItems = 20;

/** What a run has shown, in a few lines. */
export function summary(result: RunResult, { seed }: Pick<FuzzArguments, 'seed'>): string {
  const { sent, seconds, gatewaySeconds, held, findings } = result;
  const memory = held.after.map(({ name, resident }, index) => {
    const before = held.before[index]?.resident ?? 0;
    return `${name} ${inMebibytes(before)}, ${inMebibytes(resident)}`;
  });
  return [
    `Seed ${seed}, ${seconds.toFixed(0)} s: ${sent.frames} frames, ${sent.http} HTTP requests, ` +
      `${sent.bus} bus requests, ${sent.bytes} connections of raw bytes`,
    `Frames: ${perSecond(sent.frames, seconds)}; for each second of the gateway's processor time ` +
      perSecond(sent.frames, gatewaySeconds),
    `Memory held after the first quarter, and at the end: ${memory.join('; ')}`,
    `Findings: ${findings.length}`,
  ].join('\n');
}

function perSecond(count: number, seconds: number): string {
  return `${(count / seconds).toFixed(0)} a second`;
}

/** Each finding with what causes it, and how to see it again. */
export function describeFindings(
  findings: readonly Finding[],
  { seed }: Pick<FuzzArguments, 'seed'>,
): string {
  return findings.map((finding) => `${describeOne(finding)}\n  seed ${seed}`).join('\n\n');
}

function describeOne({ part, what, input, reproduced }: Finding): string {
  const again =
    reproduced === undefined ? '' : reproduced ? ' (again on a connection of its own)' : ' (not again)';
  const shown = input.slice(-shownItems).map((item) => `  > ${item.slice(0, shownUnits)}`);
  const left = input.length - shown.length;
  return [`${part}: ${what}${again}`, ...(left > 0 ? [`  > ... ${left} before`] : []), ...shown].join('\n');
}
