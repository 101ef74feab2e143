import { randomInt } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { partNames } from './arguments.ts';
import { describeFindings, summary } from './report.ts';
import { run } from './run.ts';

const enoughFrames = 1_000_000;
const forMs = 12_000;
/** With the start of the system, what is looked at afterwards and, where something is found, making its input small. */
const timeoutMs = 240_000;

test(
  'whatever is sent is answered, harms nobody, and shows nothing of the inside',
  async () => {
    const seed = randomInt(1_000_000);
    const { signal } = new AbortController();
    const result = await run({ seed, forMs, mostFrames: enoughFrames, only: partNames, abort: signal });
    process.stdout.write(`${summary(result, { seed })}\n`);
    expect(describeFindings(result.findings, { seed })).toBe('');
    for (const part of partNames) expect(result.sent[part]).toBeGreaterThan(0);
  },
  timeoutMs,
);
