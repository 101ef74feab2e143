import { setTimeout as delay } from 'node:timers/promises';

/** Longest wait for anything a test expects, in ms: far beyond what it takes, so that only a bug reaches it. */
export const patienceMs = 45_000;

/** Longest wait for one answer, of a service or in a test, in ms: that a disk or a processor is busy for seconds is no failure. */
export const answerMs = 15_000;

/** Resolves once the condition holds. @throws Error naming what was waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs} ms for: ${what}`);
    await delay(10);
  }
}

/** The promise's result, or an error naming what did not come in time. */
export async function inTime<Result>(what: string, promise: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`waited ${patienceMs} ms for: ${what}`));
    }, patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
