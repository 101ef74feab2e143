import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { password, startParley } from '@parley/test-kit';
import type { Parley } from '@parley/test-kit';
import { newClient } from './peers.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const readme = await readFile(join(root, 'README.md'), 'utf8');
const examples = [...readme.matchAll(/```ts\n(.*?)```\n\n```text\n(.*?)```/gs)].map(
  ([, script, output], index) => ({ script: script!, output: output!, index }),
);

let parley: Parley;
beforeAll(async () => {
  parley = await startParley();
});
afterAll(async () => {
  await parley[Symbol.asyncDispose]();
});

/** The next example has rooms of these names, too. */
afterEach(async () => {
  await using anna = newClient(parley);
  await anna.logIn('anna', password);
  await Promise.all(anna.rooms.map((room) => room.delete()));
});

/** What the README says that its examples begin with: the first makes the account and begins by itself. */
const setting = (index: number) =>
  index === 0
    ? ''
    : `
import { createClient } from '@parley/client';
const client = createClient({ url: 'http://localhost:20200' });
await client.logIn('anna', 'password123');
const room = await client.createRoom('Kitchen', { visibility: 'public' });
`;

test.each(examples)('example $index of the README does what it says', async ({ script, output, index }) => {
  const whole = `${setting(index)}${script}\nawait client.close();\n`;
  const code = whole.replaceAll('http://localhost:20200', parley.stack.gateways[0]!.url);
  // In the package's folder it is found by its name, as by those who install it.
  const { stdout } = await run(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    cwd: root,
  });
  expect(stdout).toBe(output);
});

test('every example of the README is run', async () => {
  await using anna = newClient(parley);
  await anna.register('anna', password).catch(() => undefined);
  expect(examples).toHaveLength(readme.match(/```ts/g)!.length);
});
