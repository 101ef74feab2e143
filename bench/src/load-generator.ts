import { Histogram, type HistogramSnapshot, type Summary } from './histogram.ts';
import type {
  ChurnPlan,
  ConnectionAccount,
  Greeting,
  LoadPlan,
  OpenPlan,
  ReturnAccount,
  StayPlan,
} from './load-plan.ts';
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
  /** Deliveries of the sends of each second, in microseconds; see `LoadCounts`. */
  deliveryBySecond: readonly Histogram[];
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
      deliveryBySecond: mergedBySecond(counts.map(({ deliveryBySecond }) => deliveryBySecond)),
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
    const { length } = this.#processes;
    const atOnce = Math.ceil(plan.atOnce / length);
    const everyMs = (plan.everyMs ?? 0) * length;
    const counts = await this.#all((process, index) =>
      process.churn({ ...plan, atOnce, everyMs, seats: this.#dealt(plan.seats, index) }),
    );
    return {
      elapsedMs: Math.max(...counts.map(({ elapsed }) => elapsed)) / microsPerMs,
      opened: counts.reduce((sum, { opened }) => sum + opened, 0),
      failed: counts.reduce((sum, { failed }) => sum + failed, 0),
      errors: counts.flatMap(({ errors }) => errors),
      latencyMs: summaryOf(counts.map(({ latency }) => latency)),
    };
  }

  /** Connects clients that come back whenever they lose their connection. @throws LoadError in the server's words. */
  async stay(plan: StayPlan): Promise<void> {
    await this.#all((process, index) => process.stay({ ...plan, seats: this.#dealt(plan.seats, index) }));
  }

  /** Waits until all of them were away and are back. @param patienceMs At the longest. */
  async awaitReturns(patienceMs: number): Promise<ReturnAccount[]> {
    return (await this.#all((process) => process.awaitReturns(patienceMs))).flat();
  }

  /** Has those whose number is below `speakers` say something in their rooms; tells who did not hear it. */
  async greet(speakers: number): Promise<Greeting> {
    const greetings = await this.#all((process) => process.greet(speakers));
    return {
      deaf: greetings.reduce((sum, { deaf }) => sum + deaf, 0),
      unconfirmed: greetings.reduce((sum, { unconfirmed }) => sum + unconfirmed, 0),
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

/** @param timelines One of each process, by the second; they may differ in length. */
function mergedBySecond(timelines: readonly (readonly HistogramSnapshot[])[]): Histogram[] {
  const seconds = Math.max(...timelines.map(({ length }) => length));
  return Array.from({ length: seconds }, (_, second) =>
    Histogram.merged(timelines.flatMap((timeline) => timeline[second] ?? [])),
  );
}
