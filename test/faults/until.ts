import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 50;

/** Resolves once the condition holds. @throws Error naming what was waited for, after `longestMs`; when aborted. */
export async function until(
  what: string,
  longestMs: number,
  condition: () => boolean | Promise<boolean>,
  abort: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + longestMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${longestMs} ms for: ${what}`);
    await delay(pollMs, undefined, { signal: abort });
  }
}
