import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const log = new URL('log.ts', import.meta.url).href;
const context = new URL('context.ts', import.meta.url).href;

test('lines are JSON with the name of the service, and secrets never reach them', async () => {
  const [line, nested, none] = await linesLogged(`
    const secrets = { password: 'hunter2', sessionKey: 'hunter2', session_key: 'hunter2', token: 'hunter2',
      authorization: 'hunter2', cookie: 'hunter2', passwordHash: 'hunter2', secretAccessKey: 'hunter2' };
    log.info({ ...secrets, user: 'anna' }, 'said at once');
    log.warn({ proof: secrets, headers: secrets }, 'said within');
    log.debug('not said');
  `);
  expect(line).toMatchObject({ service: 'test', msg: 'said at once', user: 'anna', password: '[redacted]' });
  expect(nested).toMatchObject({
    msg: 'said within',
    proof: { password: '[redacted]', token: '[redacted]' },
  });
  expect(none).toBeUndefined();
  expect(JSON.stringify([line, nested])).not.toContain('hunter2');
});

test('a line that a request set off has its ids, others have none', async () => {
  const [within, traced, outside] = await linesLogged(`
    const { createContext, withContext } = await import(${JSON.stringify(context)});
    const say = async () => log.info('said');
    const request = { ...createContext(1_000), requestId: 'r-1' };
    await withContext(request, say);
    await withContext({ ...request, traceparent: '00-${'4b'.repeat(16)}-${'0a'.repeat(8)}-01' }, say);
    await say();
  `);
  expect(within).toMatchObject({ msg: 'said', requestId: 'r-1' });
  expect(within).not.toHaveProperty('traceId');
  expect(traced).toMatchObject({ msg: 'said', requestId: 'r-1', traceId: '4b'.repeat(16) });
  expect(outside).not.toHaveProperty('requestId');
});

test('what a refused command was given is not told', async () => {
  const lines = await linesLogged(`
    const refused = Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['parley', 'hunter2'] } });
    log.warn({ err: refused }, 'refused');
    log.warn({ err: new Error('redis is away', { cause: refused }) }, 'refused, further up');
  `);
  expect(lines[0]).toMatchObject({
    err: { message: 'WRONGPASS', command: { name: 'auth', args: '[redacted]' } },
  });
  expect(lines).toHaveLength(2);
  expect(JSON.stringify(lines)).not.toContain('hunter2');
});

/** What a process of its own writes to its stdout. */
async function linesLogged(script: string): Promise<Record<string, unknown>[]> {
  const program = `import { createLog } from ${JSON.stringify(log)};\nconst log = createLog('test', 'info');${script}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
