import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dialects, isErrorCode, matches, ParleyError, readFrame, validated } from '@parley/protocol';
import type { Method } from '@parley/protocol';
import * as contract from '@parley/protocol';
import { SeededRandom } from '../faults/random.ts';
import { readCorpus } from './corpus.ts';
import { FrameSource } from './generation/frame-source.ts';
import { hostileValues, mutatedObject } from './generation/hostile.ts';
import { valuesOf } from './generation/schema-values.ts';
import type { JsonSchema } from './generation/schema-values.ts';
import { Vocabulary } from './generation/vocabulary.ts';
import { leakIn } from './leaks.ts';
import { problemWith } from './reading-rules.ts';

/*
 * What the wire is fuzzed with, in this process: without a system behind it there is time for more of it, and what fails is made
 * small by fast-check.
 */

const framesPerRun = 200;
const faults: readonly string[] = ['internal', 'unavailable'];
const corpus = readCorpus('frames').map(({ text }) => text);
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

/** What is wrong with how a text is read; undefined where nothing is. */
function problemWithText(text: string): string | undefined {
  for (const dialect of dialects) {
    const problem = problemWith(() => readFrame(text, undefined, dialect));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

test.each(dialects.map(({ name }) => name))('what is sent in %s is read, or refused in words', (name) => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const source = new FrameSource(name, new SeededRandom(seed), new Vocabulary(), corpus);
      const frames = Array.from({ length: framesPerRun }, () => source.next());
      const failed = frames.find((text) => problemWithText(text) !== undefined);
      expect(failed && [failed, problemWithText(failed)]).toBeUndefined();
    }),
    { numRuns: 10 },
  );
});

test('whatever was sent once is read, or refused in words', () => {
  const failed = readCorpus('frames').filter(({ text }) => problemWithText(text) !== undefined);
  expect(failed.map(({ why, text }) => [why, problemWithText(text)])).toEqual([]);
});

const methods = Object.values<unknown>(contract).filter(
  (value): value is Method => typeof value === 'object' && value !== null && 'endpoint' in value,
);

test.each(methods.map((method) => [method.name, method] as const))(
  'a request of %s that is changed is taken, or refused in words',
  (_name, { request }) => {
    expect(hostileValues.filter((value) => !isTakenOrRefused(request, value))).toEqual([]);
    fc.assert(
      fc.property(valuesOf(request as JsonSchema), seeds, (value, seed) => {
        expect(isTakenOrRefused(request, mutatedObject(value as object, new SeededRandom(seed)))).toBe(true);
      }),
      { numRuns: 50 },
    );
  },
);

/** Whether the value is taken, or refused as a client may see it. */
function isTakenOrRefused(request: Method['request'], value: unknown): boolean {
  try {
    return matches(request, validated(request, value));
  } catch (thrown) {
    if (!(thrown instanceof ParleyError)) throw thrown;
    return isErrorCode(thrown.code) && !faults.includes(thrown.code) && leakIn(thrown.message) === undefined;
  }
}
