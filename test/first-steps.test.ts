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
const page = await readFile(new URL('../docs/first-steps.md', import.meta.url), 'utf8');

let parley: Parley;
beforeAll(async () => {
  await findPrograms(['curl'], () => undefined);
  parley = await startParley();
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

/** What differs from run to run; who is counted as present already may, too. */
function masked(text: string): string {
  return text
    .replaceAll(/"users":\d+/g, '"users":COUNT')
    .replaceAll(/room_[0-9a-f]{24}/g, 'ROOM')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/"(session_key|token)":"[\w-]{43}"/g, '"$1":"SECRET"')
    .trimEnd();
}

/** What one user sent and received, in order: how the lines of two connections mix is left to chance. */
function linesOf(user: string, conversation: string): string[] {
  return masked(conversation)
    .split('\n')
    .filter((line) => line.startsWith(`${user} `));
}

test('what the page shows of each dialect is what happens', async () => {
  const examples = [...page.matchAll(/```sh\n([^`]*)```\n\n```text\n([^`]*)```/g)];
  expect(examples).toHaveLength(3);
  const { host } = new URL(parley.stack.gateways[0]!.url);
  for (const [, shown, output] of examples) {
    // wscat hangs up after its wait, answered or not: it is longer here, for a machine that is busy with other tests.
    const script = shown!.replaceAll('localhost:20200', host).replace(' -w 1 ', ' -w 8 ');
    const { stdout } = await run('bash', ['-ec', script], { cwd: root });
    expect(masked(stdout)).toBe(masked(output!));
  }
}, 120_000);

test('the conversation on the page is what the example prints', async () => {
  const [, shown = ''] = /## The conversation\n.*?\n```\n(.*?)```/s.exec(page) ?? [];
  const { webSocketUrl } = parley.stack.gateways[0]!;
  const { stdout } = await run(process.execPath, ['examples/talk.ts', '--url', webSocketUrl], { cwd: root });
  for (const user of ['user123', 'user456']) {
    const lines = linesOf(user, shown);
    expect(lines.length).toBeGreaterThan(5);
    expect(linesOf(user, stdout)).toEqual(lines);
  }
});
