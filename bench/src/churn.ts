import { setTimeout as delay } from 'node:timers/promises';
import { nowMicros } from './clock.ts';
import { minContentBytes } from './frames.ts';
import { Histogram } from './histogram.ts';
import { LoadConnection } from './load-connection.ts';
import type { ChurnCounts, ChurnPlan } from './load-plan.ts';

const maxErrorsKept = 10;

/**
 * Opens connections as fast as the server lets them in or as the plan says, a few at a time, and closes each as soon as it is in. A user comes again only
 * when all others have been there.
 */
export async function churn({
  wire,
  seats,
  atOnce,
  durationMs,
  everyMs = 0,
}: ChurnPlan): Promise<ChurnCounts> {
  const latency = new Histogram();
  const errors: string[] = [];
  const startedAt = nowMicros();
  const endAt = startedAt + durationMs * 1_000;
  let nextAt = startedAt;
  let begun = 0;
  let failed = 0;

  async function openAndClose(): Promise<void> {
    for (;;) {
      const dueAt = Math.max(nextAt, nowMicros());
      nextAt = dueAt + everyMs * 1_000;
      if (dueAt >= endAt) return;
      if (everyMs > 0) await delay(Math.max((dueAt - nowMicros()) / 1_000, 0));
      const seat = seats[begun % seats.length]!;
      begun += 1;
      const at = nowMicros();
      try {
        const connection = await LoadConnection.open(seat, wire, minContentBytes);
        latency.record(nowMicros() - at);
        connection.close();
      } catch (error) {
        failed += 1;
        if (errors.length < maxErrorsKept) errors.push((error as Error).message);
      }
    }
  }

  await Promise.all(Array.from({ length: atOnce }, openAndClose));
  const elapsed = nowMicros() - startedAt;
  return { elapsed, opened: latency.count, failed, errors, latency: latency.snapshot() };
}
