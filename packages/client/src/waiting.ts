import { ParleyClientError } from './errors.ts';

/** What a caller is told whose signal ended the waiting. */
export function abortedBy(signal: AbortSignal): ParleyClientError {
  return new ParleyClientError('aborted', { cause: signal.reason });
}

/** @throws ParleyClientError `aborted`. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedBy(signal);
}

/**
 * The promise's result, or the end of the waiting; the promise itself goes on.
 * @throws ParleyClientError `aborted`; whatever the promise rejects with.
 */
export async function unlessAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (!signal) return promise;
  if (signal.aborted) {
    promise.catch(() => undefined);
    throw abortedBy(signal);
  }
  let stop = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    const onAbort = () => {
      reject(abortedBy(signal));
    };
    signal.addEventListener('abort', onAbort);
    stop = () => {
      signal.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stop();
  }
}

/** @throws ParleyClientError `aborted`. */
export async function delay(ms: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await unlessAborted(over, signal);
  } finally {
    clearTimeout(timer);
  }
}
