import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadMethods } from './load-plan.ts';

export interface LoadCall {
  call: number;
  method: keyof LoadMethods;
  parameter: unknown;
}

export type LoadReply = { call: number } & ({ result: unknown; error?: never } | { error: string });

/** The load generator could not do what it was asked. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}

/** The load generator in its own process. */
export interface LoadProcess extends LoadMethods, AsyncDisposable {
  readonly pid: number;
}

/**
 * @param abort Kills it; what is asked of it then is rejected.
 * @throws LoadError Each of its methods, in the words of what went wrong.
 */
export async function startLoadProcess(abort: AbortSignal): Promise<LoadProcess> {
  abort.throwIfAborted();
  const child = fork(fileURLToPath(new URL('load-worker.ts', import.meta.url)), {
    serialization: 'advanced',
  });
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  let calls = 0;
  let isGone = false;

  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      isGone = true;
      for (const { reject } of waiting.values()) {
        reject(new LoadError(`the load generator ended with ${signal ?? `code ${code}`}`));
      }
      resolve();
    });
  });
  child.on('message', (reply: LoadReply) => {
    const { resolve, reject } = waiting.get(reply.call)!;
    waiting.delete(reply.call);
    if (reply.error === undefined) resolve(reply.result);
    else reject(new LoadError(reply.error));
  });
  abort.addEventListener('abort', () => child.kill('SIGKILL'));
  await once(child, 'spawn');

  function call<Result>(method: keyof LoadMethods, parameter?: unknown): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (isGone) {
        reject(new LoadError('the load generator has ended'));
        return;
      }
      calls += 1;
      waiting.set(calls, { resolve: resolve as (result: unknown) => void, reject });
      child.send({ call: calls, method, parameter } satisfies LoadCall);
    });
  }

  return {
    pid: child.pid!,
    open: (plan) => call('open', plan),
    start: (plan) => call('start', plan),
    begin: () => call('begin'),
    end: () => call('end'),
    finish: () => call('finish'),
    settle: (expected) => call('settle', expected),
    accounts: () => call('accounts'),
    churn: (plan) => call('churn', plan),
    stay: (plan) => call('stay', plan),
    awaitReturns: (patienceMs) => call('awaitReturns', patienceMs),
    greet: (speakers) => call('greet', speakers),
    close: () => call('close'),
    [Symbol.asyncDispose]: () => {
      child.kill('SIGKILL');
      return gone;
    },
  };
}
