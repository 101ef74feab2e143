import { expect, test } from '@jest/globals';
import { RequestQueue } from './request-queue.ts';
import type { RequestRunner } from './request-queue.ts';

/** Carries out requests when it is told; those that begin with `send` are pipelined. */
class Runner implements RequestRunner<string> {
  readonly started: string[] = [];
  readonly sizesAfter: number[] = [];
  readonly queue: RequestQueue<string> = new RequestQueue<string>(this);
  isHeldBack = false;
  readonly #finish = new Map<string, () => void>();

  isPipelined(request: string): boolean {
    return request.startsWith('send');
  }

  mayStart(request: string): boolean {
    return !(this.isHeldBack && request.startsWith('page'));
  }

  run(request: string): Promise<void> {
    this.started.push(request);
    return new Promise((resolve) => this.#finish.set(request, resolve));
  }

  answered(): void {
    this.sizesAfter.push(this.queue.size);
  }

  async finish(...requests: string[]): Promise<void> {
    for (const request of requests) this.#finish.get(request)!();
    await new Promise(setImmediate);
  }
}

test('pipelined requests start at once, everything else waits for what came before', async () => {
  const runner = new Runner();
  for (const request of ['send 1', 'send 2', 'rename', 'send 3', 'list']) runner.queue.add(request);
  expect(runner.started).toEqual(['send 1', 'send 2']);
  await runner.finish('send 2');
  expect(runner.started).toHaveLength(2);
  await runner.finish('send 1');
  expect(runner.started).toEqual(['send 1', 'send 2', 'rename']);
  await runner.finish('rename');
  expect(runner.started.slice(3)).toEqual(['send 3']);
  await runner.finish('send 3');
  expect(runner.started.slice(4)).toEqual(['list']);
});

test('when many are answered at once, each is told of after it is counted out', async () => {
  const runner = new Runner();
  for (const request of ['send 1', 'send 2', 'send 3']) runner.queue.add(request);
  await runner.finish('send 1', 'send 2', 'send 3');
  expect(runner.sizesAfter).toEqual([2, 1, 0]);
});

test('is idle once everything is answered, also what came meanwhile', async () => {
  const runner = new Runner();
  await runner.queue.idle();
  runner.queue.add('rename');
  let isIdle = false;
  const idle = runner.queue.idle().then(() => (isIdle = true));
  runner.queue.add('list');
  await runner.finish('rename');
  expect(isIdle).toBe(false);
  await runner.finish('list');
  await idle;
});

test('what was not started can be forgotten', async () => {
  const runner = new Runner();
  for (const request of ['rename', 'list']) runner.queue.add(request);
  runner.queue.clear();
  await runner.finish('rename');
  expect(runner.started).toEqual(['rename']);
  expect(runner.queue.size).toBe(0);
});

test('one that may not start yet holds up what comes behind it until it is resumed', async () => {
  const runner = new Runner();
  runner.isHeldBack = true;
  for (const request of ['send 1', 'page', 'send 2']) runner.queue.add(request);
  await runner.finish('send 1');
  expect(runner.started).toEqual(['send 1']);
  expect(runner.queue.size).toBe(2);
  runner.isHeldBack = false;
  runner.queue.resume();
  expect(runner.started).toEqual(['send 1', 'page']);
  await runner.finish('page');
  expect(runner.started).toEqual(['send 1', 'page', 'send 2']);
});
