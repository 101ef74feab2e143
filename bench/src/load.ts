import { setTimeout as delay } from 'node:timers/promises';
import { Histogram, type Summary } from './histogram.ts';
import type { LoadConnection } from './load-connection.ts';

/**
 * - `closed`: each connection keeps `window` sends in flight, a confirmation sets off the next send.
 * - `paced`: `perSecond` sends over all connections in turn, however long confirmations take; a send's latency counts from
 *   when it was due, so that a stall is seen in all sends it held up.
 */
export type LoadPlan = { kind: 'closed'; window: number } | { kind: 'paced'; perSecond: number };

/** What was measured. Times are in ms. */
export interface LoadResult {
  elapsedMs: number;
  /** Confirmations, and errors in their place, that came within the measured time. */
  confirmed: number;
  refused: number;
  /** Messages of others that came within the measured time, over all connections. */
  delivered: number;
  /** From the beginning of a send to its confirmation, for the sends that began within the measured time. */
  latencyMs: Summary;
  /** By how much paced sends went out later than due: what the generator itself adds. All 0 in a closed loop. */
  latenessMs: Summary;
}

const drainMs = 30_000;
const microseconds = 1_000;

/** One load on the given connections: started, measured for a while, then finished. */
export class Load {
  readonly #connections: readonly LoadConnection[];
  readonly #plan: LoadPlan;
  readonly #latency = new Histogram();
  readonly #lateness = new Histogram();
  #isRunning = true;
  #timer: NodeJS.Timeout | undefined;
  #beganAt = Infinity;
  #endedAt = Infinity;
  #confirmed = 0;
  #refused = 0;
  #deliveredBefore = 0;
  #delivered = 0;

  constructor(connections: readonly LoadConnection[], plan: LoadPlan) {
    this.#connections = connections;
    this.#plan = plan;
    for (const connection of connections) connection.onAnswers = this.#onAnswers;
    if (plan.kind === 'closed') for (const connection of connections) connection.send(plan.window, now());
    else this.#pace(plan.perSecond);
  }

  readonly #onAnswers = (connection: LoadConnection, first: number, count: number): void => {
    const at = now();
    const isMeasured = at >= this.#beganAt && at < this.#endedAt;
    for (let sequence = first; sequence < first + count; sequence += 1) {
      if (!connection.isConfirmed(sequence)) {
        if (isMeasured) this.#refused += 1;
        continue;
      }
      if (isMeasured) this.#confirmed += 1;
      const begunAt = connection.begunAt(sequence);
      if (begunAt >= this.#beganAt && begunAt < this.#endedAt) {
        this.#latency.record((at - begunAt) * microseconds);
      }
    }
    if (this.#isRunning && this.#plan.kind === 'closed') connection.send(count, at);
  };

  #pace(perSecond: number): void {
    const startedAt = now();
    let sent = 0;
    const sendDue = (): void => {
      const at = now();
      const due = Math.floor(((at - startedAt) * perSecond) / 1_000);
      for (; sent < due; sent += 1) {
        const dueAt = startedAt + ((sent + 1) * 1_000) / perSecond;
        if (dueAt >= this.#beganAt && dueAt < this.#endedAt) {
          this.#lateness.record((at - dueAt) * microseconds);
        }
        this.#connections[sent % this.#connections.length]!.send(1, dueAt);
      }
      this.#timer = setTimeout(sendDue, 1);
    };
    sendDue();
  }

  /** Measures from now on. */
  begin(): void {
    this.#beganAt = now();
    this.#deliveredBefore = this.#deliveries;
  }

  /** Measures until now. */
  end(): void {
    this.#endedAt = now();
    this.#delivered = this.#deliveries - this.#deliveredBefore;
  }

  get #deliveries(): number {
    return this.#connections.reduce((sum, { deliveries }) => sum + deliveries, 0);
  }

  /** Sends no more and waits for the answers that are due, 30 s at the most. */
  async finish(): Promise<LoadResult> {
    this.#isRunning = false;
    clearTimeout(this.#timer);
    const deadline = now() + drainMs;
    while (this.#connections.some((connection) => connection.inFlight > 0 && !connection.isClosed)) {
      if (now() > deadline) break;
      await delay(10);
    }
    return {
      elapsedMs: this.#endedAt - this.#beganAt,
      confirmed: this.#confirmed,
      refused: this.#refused,
      delivered: this.#delivered,
      latencyMs: inMilliseconds(this.#latency.summary()),
      latenessMs: inMilliseconds(this.#lateness.summary()),
    };
  }
}

function now(): number {
  return performance.now();
}

function inMilliseconds({ count, p50, p99, max }: Summary): Summary {
  return { count, p50: p50 / microseconds, p99: p99 / microseconds, max: max / microseconds };
}
