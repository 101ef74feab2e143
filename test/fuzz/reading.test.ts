import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { dialects, ParleyError, readFrame } from '@parley/protocol';
import type { FrameRead } from '@parley/protocol';
import { problemWith } from './reading-rules.ts';
import { readFrames } from './reading.ts';
import { describeFindings } from './report.ts';

/** Far beyond the half minute of a processor that it takes, where others share it. */
const timeoutMs = 240_000;
const processorMs = 30_000;

const { signal: abort } = new AbortController();

test(
  'a million frames are each a request that can be passed on, or refused in words that name the field',
  async () => {
    const { code, output } = await runMain('--only', 'reading', '--seed', String(randomInt(1_000_000)));
    process.stdout.write(output);
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('findings: 0') });
    const [, frames, commands] = /reading: (\d+) frames, of which (\d+) ask/.exec(output)!.map(Number);
    expect(commands).toBeGreaterThan(0);
    expect(frames).toBeGreaterThan(commands!);
  },
  timeoutMs,
);

/** In a process of its own, as jest makes every use of a global dear. */
async function runMain(...args: string[]): Promise<{ code: number; output: string }> {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [main, ...args], { timeout: timeoutMs });
    return { code: 0, output: stdout };
  } catch (failed) {
    const { code, stdout, stderr } = failed as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

test('the same seed gives the same frames', async () => {
  const texts: string[][] = [[], []];
  for (const seen of texts) {
    const read: typeof readFrame = (text, spoken, initial) => {
      seen.push(`${spoken?.name ?? ''} ${initial.name} ${text}`);
      return readFrame(text, spoken, initial);
    };
    await readFrames({ seed: 7, mostFrames: 4_000, processorMs, abort, read });
  }
  expect(texts[0]).toHaveLength(4_000);
  expect(texts[1]).toEqual(texts[0]);
});

const [dialect] = dialects as [(typeof dialects)[number]];
const taken = readFrame('{"action":"get_rooms","data":{"chatid":"anna"}}', undefined, dialect);
const request = taken as Extract<FrameRead, { error?: never }>;

function refused(...error: ConstructorParameters<typeof ParleyError>): FrameRead {
  return { dialect, recognised: true, action: 'get_rooms', error: new ParleyError(...error) };
}

const field = 'room_id';

test.each<[string, () => FrameRead]>([
  ['reading that throws', () => dialect.decode(null as never) as never],
  ['what nobody foresaw', () => refused('internal', {}, { cause: new TypeError('x is not a function') })],
  ['a code that is of another part', () => refused('not_in_room')],
  ['a stack', () => refused('invalid_json', {}, { message: 'no\n    at parse (json.ts:1:2)' })],
  ['no words', () => refused('invalid_json', {}, { message: ' ' })],
  ['a field that is not named', () => refused('invalid_field', {}, { message: 'It is invalid.' })],
  ['a field that words leave out', () => refused('missing_field', { field }, { message: 'Add it.' })],
  ['too many words', () => refused('invalid_json', {}, { message: 'no '.repeat(1_000) })],
  ['half a character', () => refused('unknown_action', { field: '\ud800' })],
  ['a detail too many', () => refused('invalid_json', { users: ['anna'] })],
  ['an action of nobody', () => ({ ...request, action: 'fly' })],
  ['a request unlike its schema', () => ({ ...request, command: { ...request.command, request: 5 } })],
  ['a name that is none', () => ({ ...request, command: { ...request.command, claimedName: ' anna' } })],
])('%s is a problem', (_what, read) => {
  expect(problemWith(read)).toBeDefined();
});

test('a request and a refusal are none', () => {
  expect(problemWith(() => taken)).toBeUndefined();
  expect(problemWith(() => readFrame('{}', undefined, dialect))).toBeUndefined();
});

test('what is never read and what takes long is found, and what is wrong is made small', async () => {
  // Planted by the text: on a busy machine any may seem slow, and is read once more then.
  const first: string[] = [];
  const read: typeof readFrame = (text, spoken, initial) => {
    if (first.length < 5 && !first.includes(text)) first.push(text);
    if (text === first[2]) spin(Infinity);
    if (text === first[4]) spin(260);
    if (text.includes('"sendMessage"')) throw new Error('the planted one');
    return readFrame(text, spoken, initial);
  };
  const result = await readFrames({ seed: 7, mostFrames: 1_000, processorMs, abort, read, hangMs: 6_000 });
  const described = describeFindings(result.findings, { seed: 7 });
  expect(described).toContain('reading: frame 3: is never read');
  expect(described).toContain('reading: frame 5: takes more than 250 ms');
  expect(result.findings.at(-1)).toMatchObject({
    what: expect.stringContaining('the planted one'),
    input: ['"sendMessage"'],
  });
  expect(described).toContain('seed 7');
  expect(result.findings).toHaveLength(3);
});

/** Takes so long, in ms, by the clock and of a processor: either alone may go faster, as one process has several threads. */
function spin(ms: number): void {
  const startedAt = performance.now();
  const since = process.cpuUsage();
  for (let used = 0; used < ms * 1_000 || performance.now() - startedAt < ms;) {
    const { user, system } = process.cpuUsage(since);
    used = user + system;
  }
}
