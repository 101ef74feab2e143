import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLog, Database } from '@parley/service-kit';
import { password, startParley, startTraceCollector, until } from '@parley/test-kit';
import type { LoginClient, Parley, TraceCollector } from '@parley/test-kit';

interface Line {
  level: number;
  time: number;
  service: string;
  pid: number;
  msg: string;
  method?: string;
  code?: string;
  requestId?: string;
  traceId?: string;
}

const levels = { debug: 20, info: 30, warn: 40, error: 50 };

const folder = mkdtempSync(join(tmpdir(), 'parley-logs-'));
const file = join(folder, 'all.log');
let collector: TraceCollector;
let parley: Parley;
let alice: LoginClient;
beforeAll(async () => {
  collector = await startTraceCollector();
  parley = await startParley({
    serviceOutput: { file },
    environment: { LOG_LEVEL: 'trace', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    environmentOf: { rooms: { LOG_LEVEL: 'warn' } },
  });
  alice = await parley.logIn('alice');
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** What all processes have written, each line whole and JSON. */
function lines(): Line[] {
  const text = readFileSync(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

async function lineThat(what: string, accepts: (line: Line) => boolean): Promise<Line> {
  await until(what, () => lines().some(accepts));
  return lines().find(accepts)!;
}

/** A sends' table that is not there: what nobody foresaw. */
async function whileBroken(work: () => Promise<void>): Promise<void> {
  const { databaseUrl } = parley.stack.servers.addresses;
  const log = createLog('test', 'silent');
  await using database = new Database({ databaseUrl, connections: 1, timeoutMs: 5_000, log });
  await database.query({ name: '', text: 'alter table messages.room rename to room_away' });
  try {
    await work();
  } finally {
    await database.query({ name: '', text: 'alter table messages.room_away rename to room' });
  }
}

test('one request that fails has one id in the lines of the gateway and of the service, and that of its trace', async () => {
  const { room_id } = await alice.ask('create_room', { room_name: 'Tea', participants: [] });
  await whileBroken(async () => {
    const reply = await alice.request('send_message', { room_id, content: 'hello' });
    expect(reply).toMatchObject({ status: 'error', code: 'internal' });
  });
  const isSend = ({ method }: Line): boolean => method === 'messages.commitSends';
  const failed = await lineThat(
    'the service',
    (line) => isSend(line) && line.msg === 'request failed unexpectedly',
  );
  expect(failed).toMatchObject({
    level: levels.error,
    service: 'messages',
    requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
    err: { message: expect.stringContaining('messages.room') },
  });
  const told = await lineThat('the gateway', (line) => isSend(line) && line.msg === 'a service failed');
  expect(told).toMatchObject({ level: levels.warn, service: 'gateway' });
  expect([told.requestId, told.traceId]).toEqual([failed.requestId, failed.traceId]);

  const span = () => collector.spans.find(({ name, isFailure }) => name === 'send_message' && isFailure);
  await until('the span of its frame', () => span() !== undefined);
  expect(told.traceId).toBe(span()!.traceId);
});

test('what is refused is told to who looks closely only: by its code, with the id', async () => {
  const room_id = 'room_0123456789abcdef01234567';
  expect(await alice.request('join_room', { room_id })).toMatchObject({ code: 'room_not_found' });
  const refused = await lineThat('the refusal', ({ code }) => code === 'room_not_found');
  expect(refused).toMatchObject({
    level: levels.debug,
    service: 'gateway',
    method: 'rooms.join',
    requestId: expect.any(String),
  });
});

test('each process writes what its LOG_LEVEL lets through', () => {
  const started = lines().filter(({ msg }) => msg === 'service started');
  expect(started.map(({ service }) => service).sort()).toEqual(['auth', 'files', 'gateway', 'messages']);
  for (const line of lines().filter(({ service }) => service === 'rooms'))
    expect(line.level).toBeGreaterThanOrEqual(levels.warn);
});

test('whatever fails, at whatever level: no password, no key of a session and no address with a password is in any line', async () => {
  const wrong = 'a wrong password, typed';
  const other = await parley.connect();
  const { code: refusal } = await other.request('login', { chatid: 'alice', password: wrong });
  const token = await parley.getToken('bob');
  await fetch(`${parley.stack.gateways[0]!.url}/api/rooms?token=${token}`);
  await fetch(`${parley.stack.gateways[0]!.url}/api/rooms`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await lineThat('the failed login', ({ code }) => code !== undefined && code === refusal);
  const all = readFileSync(file, 'utf8');
  for (const secret of [password, wrong, token, alice.sessionKey]) expect(all).not.toContain(secret);
  expect(all).not.toMatch(/\w+:\/\/[^/\s"]*:[^/\s"]*@/);
});
