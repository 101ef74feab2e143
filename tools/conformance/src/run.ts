import { checks } from './checks/index.ts';
import type { Check, Dialect } from './check.ts';
import { Failure, NotApplicable } from './failure.ts';
import { Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

export interface RunOptions extends StageOptions {
  /** What the server speaks; only checks that need no other are run. */
  dialects: readonly Dialect[];
  /** Only these checks: ids, or how they begin (`handshake`, `messages.order`); none: all. */
  only: readonly string[];
}

export interface Result {
  id: string;
  says: string;
  /** A heading of docs/protocol.md. */
  section: string;
  outcome: 'passed' | 'failed' | 'skipped';
  durationMs: number;
  /** Why it failed or was skipped. */
  reason?: string;
  /** What passed on the wire, where it failed. */
  transcript?: string[];
}

/** @returns Those that are meant; none where there is no such check. */
export function chosen({ dialects, only }: Pick<RunOptions, 'dialects' | 'only'>): Check[] {
  const isMeant = ({ id }: Check) =>
    only.length === 0 ||
    only.some((name) => id === name || id.startsWith(`${name}.`) || id.startsWith(`${name}-`));
  return checks.filter(
    (check) => check.dialects.every((dialect) => dialects.includes(dialect)) && isMeant(check),
  );
}

/** Runs the checks one after the other and gives each result as it is there. Nothing is thrown for a server that fails. */
export async function* runConformance(options: RunOptions): AsyncGenerator<Result, void, undefined> {
  for (const check of chosen(options)) yield await runCheck(check, options);
}

async function runCheck(check: Check, options: StageOptions): Promise<Result> {
  const { id, says, section } = check;
  const startedAt = performance.now();
  using stage = new Stage(options);
  const result = (outcome: Result['outcome'], more: Partial<Result> = {}): Result => ({
    id,
    says,
    section,
    outcome,
    durationMs: Math.round(performance.now() - startedAt),
    ...more,
  });
  try {
    await check.run(stage);
    return result('passed');
  } catch (error) {
    if (error instanceof NotApplicable) return result('skipped', { reason: error.message });
    // Whatever else goes wrong went wrong with this server: it does not answer, or not as anybody could expect.
    const reason = error instanceof Failure ? error.message : String(error);
    return result('failed', { reason, transcript: stage.transcript.lines() });
  }
}
