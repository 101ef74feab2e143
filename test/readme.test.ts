import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findPrograms } from '@parley/local-stack';
import { startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

let parley: Parley;
let examples: { script: string; output: string }[];
beforeAll(async () => {
  await findPrograms(['curl'], () => undefined);
  parley = await startParley();
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  examples = [...readme.matchAll(/```sh\n(.*?)```\n\n```text\n(.*?)```/gs)].map(([, script, output]) => ({
    script: script!,
    output: output!,
  }));
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

/** What differs from run to run. */
function masked(text: string): string {
  return text
    .replaceAll(/room_[0-9a-f]{24}/g, 'ROOM')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/"(session_key|token)":"[\w-]{43}"/g, '"$1":"SECRET"')
    .trimEnd();
}

test('what the README shows of each dialect is what happens', async () => {
  expect(examples).toHaveLength(3);
  const { host } = new URL(parley.stack.gateways[0]!.url);
  for (const { script, output } of examples) {
    const { stdout } = await run('bash', ['-ec', script.replaceAll('localhost:20200', host)], { cwd: root });
    expect(masked(stdout)).toBe(masked(output));
  }
}, 120_000);
