import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const log = new URL('log.ts', import.meta.url).href;

test('lines are JSON with the name of the service, and secrets never reach them', async () => {
  const [line, nested, none] = await linesLogged(`
    const secrets = { password: 'hunter2', sessionKey: 'hunter2', session_key: 'hunter2', token: 'hunter2',
      authorization: 'hunter2', cookie: 'hunter2' };
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

/** What a process of its own writes to its stdout. */
async function linesLogged(script: string): Promise<Record<string, unknown>[]> {
  const program = `import { createLog } from ${JSON.stringify(log)};\nconst log = createLog('test', 'info');${script}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
