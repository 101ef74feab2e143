import { Histogram, type HistogramSnapshot, type Summary } from './histogram.ts';
import type { ChurnPlan, ConnectionAccount, LoadPlan, OpenPlan } from './load-plan.ts';
import { startLoadProcess, type LoadProcess } from './load-process.ts';
import type { Seat } from './wires/index.ts';

const microsPerMs = 1_000;

/** What was measured. Times are in ms. */
export interface LoadResult {
  elapsedMs: number;
  confirmed: number;
  refused: number;
  delivered: number;
  reads: number;
  latencyMs: Summary;
  deliveryMs: Summary;
  latenessMs: Summary;
}

export interface ChurnResult {
  elapsedMs: number;
  opened: number;
  failed: number;
  errors: readonly string[];
  latencyMs: Summary;
}

/** A load generator of as many processes as are needed: the seats are dealt out to them, and what they measured is one result. */
export class LoadGenerator implements AsyncDisposable {
  readonly #processes: readonly LoadProcess[];

  private constructor(processes: readonly LoadProcess[]) {
    this.#processes = processes;
  }

  /** @param abort Kills it; what is asked of it then is rejected. */
  static async start(processes: number, abort: AbortSignal): Promise<LoadGenerator> {
    return new LoadGenerator(
      await Promise.all(Array.from({ length: processes }, () => startLoadProcess(abort))),
    );
  }

  get pids(): number[] {
    return this.#processes.map(({ pid }) => pid);
  }

  /** Connects all seats. @throws LoadError in the server's words. */
  async open(plan: OpenPlan): Promise<void> {
    await this.#all((process, index) => process.open({ ...plan, seats: this.#dealt(plan.seats, index) }));
  }

  async start(plan: LoadPlan): Promise<void> {
    await this.#all((process) => process.start(plan));
  }

  async begin(): Promise<void> {
    await this.#all((process) => process.begin());
  }

  async end(): Promise<void> {
    await this.#all((process) => process.end());
  }

  async finish(): Promise<LoadResult> {
    const counts = await this.#all((process) => process.finish());
    const total = (of: 'confirmed' | 'refused' | 'delivered' | 'reads'): number =>
      counts.reduce((sum, each) => sum + each[of], 0);
    return {
      elapsedMs: Math.max(...counts.map(({ elapsed }) => elapsed)) / microsPerMs,
      confirmed: total('confirmed'),
      refused: total('refused'),
      delivered: total('delivered'),
      reads: total('reads'),
      latencyMs: summaryOf(counts.map(({ latency }) => latency)),
      deliveryMs: summaryOf(counts.map(({ delivery }) => delivery)),
      latenessMs: summaryOf(counts.map(({ lateness }) => lateness)),
    };
  }

  /** Waits for deliveries still under way. @param expected How many each connection is to have, by its number. */
  async settle(expected: ReadonlyMap<number, number>): Promise<void> {
    await this.#all((process) => process.settle(expected));
  }

  async accounts(): Promise<ConnectionAccount[]> {
    return (await this.#all((process) => process.accounts())).flat();
  }

  async churn(plan: ChurnPlan): Promise<ChurnResult> {
    const atOnce = Math.ceil(plan.atOnce / this.#processes.length);
    const counts = await this.#all((process, index) =>
      process.churn({ ...plan, atOnce, seats: this.#dealt(plan.seats, index) }),
    );
    return {
      elapsedMs: Math.max(...counts.map(({ elapsed }) => elapsed)) / microsPerMs,
      opened: counts.reduce((sum, { opened }) => sum + opened, 0),
      failed: counts.reduce((sum, { failed }) => sum + failed, 0),
      errors: counts.flatMap(({ errors }) => errors),
      latencyMs: summaryOf(counts.map(({ latency }) => latency)),
    };
  }

  async close(): Promise<void> {
    await this.#all((process) => process.close());
  }

  #dealt(seats: readonly Seat[], index: number): Seat[] {
    return seats.filter((_, position) => position % this.#processes.length === index);
  }

  #all<Result>(ask: (process: LoadProcess, index: number) => Promise<Result>): Promise<Result[]> {
    return Promise.all(this.#processes.map(ask));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process[Symbol.asyncDispose]()));
  }
}

function summaryOf(snapshots: readonly HistogramSnapshot[]): Summary {
  const { count, p50, p99, max } = Histogram.merged(snapshots).summary();
  return { count, p50: p50 / microsPerMs, p99: p99 / microsPerMs, max: max / microsPerMs };
}
