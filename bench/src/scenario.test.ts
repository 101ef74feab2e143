import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { UsageError } from './options.ts';
import { loadResults } from './results.ts';
import { runScenario, usageOf } from './scenario.ts';
import { fanout } from './scenarios/fanout.ts';
import { handshake } from './scenarios/handshake.ts';

const { signal } = new AbortController();
let folder: string;
let printed: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-results-'));
  printed = '';
  jest.spyOn(console, 'log').mockImplementation((text: string) => {
    printed += `${text}\n`;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test('each run is printed and kept, with the options it was made with', async () => {
  expect(await runScenario(handshake, ['--megabytes', '1', '--runs', '2', '--results', folder], signal)).toBe(
    true,
  );
  const results = loadResults(folder);
  expect(results).toHaveLength(2);
  expect(results[0]).toMatchObject({
    scenario: 'handshake',
    contender: 'parley',
    options: { megabytes: 1 },
    parts: [{ name: 'ASCII' }, { name: 'Latin, accents' }, { name: 'Cyrillic, emoji' }],
  });
  expect(printed).toContain('Audit passed');
  expect(printed).toContain('Medians of 2');
});

test.each([
  [handshake, ['--megabytes', '0'], '--megabytes: expected a whole number from 1 to'],
  [handshake, ['--series'], '--series: nothing grows'],
  [handshake, ['--peer', 'socket.io'], '--peer: expected one of (none here)'],
  [fanout, ['--peer', 'irc'], '--peer: expected one of socket.io-postgres'],
  [fanout, ['--runs', 'many'], '--runs: expected a whole number'],
])('a mistake in the command is told before anything starts', async (scenario, args, message) => {
  const run = runScenario(scenario, [...args, '--results', folder], signal);
  await expect(run).rejects.toThrow(UsageError);
  await expect(run).rejects.toThrow(message);
});

test('the usage names every option with its default', () => {
  const usage = usageOf(fanout);
  for (const part of ['--connections 200', '--load-processes 1', '--compare', 'peers: socket.io-postgres'])
    expect(usage).toContain(part);
});
