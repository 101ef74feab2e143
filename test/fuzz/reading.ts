import { setImmediate as nextTurn } from 'node:timers/promises';
import { createContext, Script } from 'node:vm';
import { dialects, readFrame } from '@parley/protocol';
import type { FrameRead } from '@parley/protocol';
import { SeededRandom } from '../faults/random.ts';
import { readCorpus } from './corpus.ts';
import { Findings } from './findings.ts';
import type { Finding } from './findings.ts';
import { FrameSupply } from './generation/frame-supply.ts';
import { minimised } from './minimise.ts';
import { isSameProblem } from './parts/frame-connection.ts';
import { problemWith } from './reading-rules.ts';

export interface ReadingOptions {
  seed: number;
  /** Over when so many frames were read. */
  mostFrames: number;
  /** Or when this process has used so much of a processor, in ms. */
  processorMs: number;
  abort: AbortSignal;
  /** What is tried: what the gateway does with a text, up to the request that goes on the bus. */
  read?: typeof readFrame;
  /** After this time, in ms, reading has stopped for good. Far beyond what even the longest frame takes. */
  hangMs?: number;
}

export interface ReadingResult {
  findings: readonly Finding[];
  frames: number;
  /** How many of them ask for something. */
  commands: number;
  /** Of processor time. */
  seconds: number;
}

/** Frames between two looks at the clock. */
const framesAtOnce = 500;
/** A frame that takes longer, in ms of processor time, holds up everybody else. The longest there are take a tenth of it. */
const slowMs = 250;
const minimisingMs = 5_000;
/** Of a stack, to be told by: to gather more of it for each error takes longer than to read the frame. */
const stackFrames = 2;

/**
 * Reads frames of all dialects as a gateway does, in this process: without a system around it there is time for a million. What is
 * read depends on nothing but the seed.
 */
export async function readFrames({
  seed,
  mostFrames,
  processorMs,
  abort,
  read = readFrame,
  hangMs = 20_000,
}: ReadingOptions): Promise<ReadingResult> {
  const { stackTraceLimit } = Error;
  using restored = new DisposableStack();
  restored.defer(() => (Error.stackTraceLimit = stackTraceLimit));
  Error.stackTraceLimit = stackFrames;
  const startedAt = processorTime();
  const findings = new Findings();
  const reader = new Reader(new SeededRandom(seed), read);
  const isOver = (): boolean =>
    abort.aborted || reader.frames >= mostFrames || processorTime() - startedAt >= processorMs;
  while (!isOver()) {
    const problem = reader.readSome(Math.min(framesAtOnce, mostFrames - reader.frames), hangMs);
    if (problem) await note(problem, findings);
    await nextTurn();
  }
  const seconds = (processorTime() - startedAt) / 1_000;
  return { findings: findings.all, frames: reader.frames, commands: reader.commands, seconds };
}

/** One line about it. */
export function readingSummary(
  { frames, commands, seconds, findings }: ReadingResult,
  { seed }: Pick<ReadingOptions, 'seed'>,
): string {
  const each = ((seconds * 1_000_000) / frames).toFixed(0);
  return (
    `Seed ${seed}, reading: ${frames} frames, of which ${commands} ask for something, in ${seconds.toFixed(0)} s of processor time ` +
    `(${each} µs each); findings: ${findings.length}`
  );
}

/** A frame that is not read as it should be. */
interface Problem {
  what: string;
  text: string;
  /** Which one of the seed's it is, from 1. */
  number: number;
  /** What is wrong with another text, read in its place; undefined where reading takes too long to be tried again. */
  retry: ((text: string) => string | undefined) | undefined;
}

class Reader {
  /** So far. */
  frames = 0;
  commands = 0;
  readonly #random: SeededRandom;
  readonly #supply: FrameSupply;
  readonly #read: typeof readFrame;
  readonly #guarded: (timeoutMs: number) => void;
  #left = 0;
  #text = '';
  #problem: Problem | undefined;

  constructor(random: SeededRandom, read: typeof readFrame) {
    this.#random = random;
    this.#supply = new FrameSupply(
      random.fork(),
      readCorpus('frames').map(({ text }) => text),
    );
    this.#read = read;
    // Nothing but a script's own timeout ends what never comes back.
    const script = new Script('readOn()');
    const context = createContext({
      readOn: () => {
        this.#readOn();
      },
    });
    this.#guarded = (timeout) => {
      script.runInContext(context, { timeout });
    };
  }

  /** Reads so many, or until there is a problem. */
  readSome(count: number, hangMs: number): Problem | undefined {
    this.#left = count;
    this.#problem = undefined;
    try {
      this.#guarded(hangMs);
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw thrown;
      return { what: 'is never read', text: this.#text, number: this.frames, retry: undefined };
    }
    return this.#problem;
  }

  #readOn(): void {
    for (; this.#left > 0 && !this.#problem; this.#left -= 1) {
      // As it comes out of UTF-8.
      this.#text = this.#supply.next().toWellFormed();
      this.frames += 1;
      this.#problem = this.#readOne(this.#text);
    }
  }

  #readOne(text: string): Problem | undefined {
    const random = this.#random;
    const spoken = random.isTrue(0.6) ? undefined : random.pick(dialects);
    const initial = random.pick(dialects);
    const read = (other: string): FrameRead => this.#read(other, spoken, initial);
    const startedAt = performance.now();
    const what = problemWith(() => {
      const result = read(text);
      if (result.command) this.commands += 1;
      return result;
    });
    const isSlow = performance.now() - startedAt > slowMs && takesLong(() => problemWith(() => read(text)));
    const found = { text, number: this.frames };
    if (isSlow) return { ...found, what: `takes more than ${slowMs} ms`, retry: undefined };
    if (what === undefined) return undefined;
    return { ...found, what, retry: (other) => problemWith(() => read(other)) };
  }
}

/** By the processor's time, as all else that runs on the machine makes the clock's longer. */
function takesLong(work: () => unknown): boolean {
  const startedAt = processorTime();
  work();
  return processorTime() - startedAt > slowMs;
}

async function note({ what, text, number, retry }: Problem, findings: Findings): Promise<void> {
  const finding = { part: 'reading', what: `frame ${number}: ${what}` } as const;
  if (!findings.isNew(finding)) return;
  let input = text;
  if (retry) {
    const fails = (some: readonly string[]) => Promise.resolve(isSameProblem(retry(some.join('')), what));
    input = (await minimised(Array.from(text), fails, Date.now() + minimisingMs)).join('');
  }
  findings.add({ ...finding, input: [input] });
}

/** What this process has used so far, in ms. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
