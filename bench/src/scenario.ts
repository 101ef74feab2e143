import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack, type Stack } from '@parley/local-stack';

/** Something that can be measured: `npm run bench -- <its name in main.ts> [options]`. */
export interface Scenario {
  /** One line. */
  summary: string;
  /** The options with their defaults, a line each. */
  usage: string;
  /**
   * Measures and prints.
   * @returns Whether the audit found nothing; numbers are never judged.
   * @throws UsageError
   */
  run(args: string[], abort: AbortSignal): Promise<boolean>;
}

export interface BenchStackOptions {
  gateways: number;
  /** Where each process of ours leaves its CPU profile (`*.cpuprofile`, for Chrome's DevTools). Default: no profiles. */
  profileDir?: string | undefined;
  abort: AbortSignal;
}

/** A Parley of its own for one run: no rate limits, free ports, data in a temporary folder that is removed at the end. */
export async function startBenchStack({ gateways, profileDir, abort }: BenchStackOptions): Promise<Stack> {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-bench-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const profile = profileDir && `--cpu-prof --cpu-prof-dir=${profileDir}`;
  const stack = opened.use(
    await startStack({
      dataDir,
      gateways,
      port: 0,
      restart: false,
      environment: {
        RATE_LIMITS: 'off',
        LOG_LEVEL: 'warn',
        ...(profile && { NODE_OPTIONS: [process.env.NODE_OPTIONS, profile].filter(Boolean).join(' ') }),
      },
      log: (line) => {
        console.error(line);
      },
      abort,
    }),
  );
  const open = opened.move();
  return { ...stack, [Symbol.asyncDispose]: () => open.disposeAsync() };
}
