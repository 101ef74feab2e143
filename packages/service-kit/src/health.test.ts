import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { freePort } from '@parley/local-stack';
import { Health } from './health.ts';
import { createTestLog } from './test-support.ts';

/** How long the readiness probe of k8s/base/pod.yaml waits. */
const probeTimeoutMs = 4_000;

let health: Health;
let address: string;
let closing: AsyncDisposable;

beforeEach(async () => {
  const port = await freePort();
  health = new Health();
  address = `http://127.0.0.1:${port}`;
  closing = await health.listen('127.0.0.1', port, createTestLog().log);
});
afterEach(async () => {
  jest.useRealTimers();
  await closing[Symbol.asyncDispose]();
});

test('a process is alive before it is ready, and ready once it is started', async () => {
  expect(await ask('/livez')).toEqual([200, { status: 'ok' }]);
  expect(await ask('/readyz')).toEqual([503, { status: 'not ready', notReady: ['process'] }]);
  health.started();
  expect(await ask('/readyz')).toEqual([200, { status: 'ok', notReady: [] }]);
});

test('a process that drains is alive and not ready', async () => {
  health.started();
  health.draining();
  expect(await ask('/readyz')).toEqual([503, { status: 'not ready', notReady: ['process'] }]);
  expect((await ask('/livez'))[0]).toBe(200);
});

test('a process is ready while all that it requires answers, and names what does not', async () => {
  let answers = true;
  health.require('nats', () => Promise.resolve());
  health.require('postgres', () => (answers ? Promise.resolve() : Promise.reject(new Error('away'))));
  health.started();
  expect(await ask('/readyz')).toEqual([200, { status: 'ok', notReady: [] }]);
  answers = false;
  expect(await ask('/readyz')).toEqual([503, { status: 'not ready', notReady: ['postgres'] }]);
  answers = true;
  expect((await ask('/readyz'))[0]).toBe(200);
});

test('what hangs or throws is not ready, and is not waited for longer than a probe waits', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const checking = Promise.withResolvers<undefined>();
  health.require('frozen', () => {
    checking.resolve(undefined);
    return new Promise(() => {});
  });
  health.require('frozen too', () => new Promise(() => {}));
  health.require('broken', () => {
    throw new Error('before it even promised');
  });
  health.started();
  const asked = ask('/readyz');
  await checking.promise;
  jest.advanceTimersByTime(probeTimeoutMs - 1);
  expect(await asked).toEqual([503, { status: 'not ready', notReady: ['frozen', 'frozen too', 'broken'] }]);
  expect((await ask('/livez'))[0]).toBe(200);
});

test('metrics are in the text format of Prometheus', async () => {
  const response = await fetch(`${address}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
  const body = await response.text();
  expect(body).toContain('parley_process_cpu_seconds_total');
  expect(body).toContain('parley_bus_call_seconds');
  expect(body).toContain('parley_bus_serve_seconds');
});

test('there is nothing else, and nothing can be sent', async () => {
  expect((await fetch(`${address}/`)).status).toBe(404);
  expect((await fetch(`${address}/livez`, { method: 'POST', body: 'x' })).status).toBe(404);
  expect((await fetch(`${address}/livez?verbose`, { method: 'HEAD' })).status).toBe(200);
});

test('once closed nobody answers', async () => {
  await closing[Symbol.asyncDispose]();
  await expect(fetch(`${address}/livez`)).rejects.toThrow('fetch failed');
});

async function ask(path: string): Promise<[number, unknown]> {
  // Who never gets an answer hangs up, as a server with somebody on the line could not be closed.
  const response = await fetch(`${address}${path}`, { signal: AbortSignal.timeout(30_000) });
  return [response.status, await response.json()];
}
