import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { loginDialect } from './dialects/login/index.ts';
import { readFrame } from './frame.ts';
import { parseJson } from './json.ts';

const character = fc.oneof(
  fc.constantFrom('\\', '\\', '"', '\n', '\0', '/', 'a', 'n', 'u', ' ', ':', ',', '{', 'é', '\ud83d', '😀'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);
const text = fc.array(character, { maxLength: 4 }).map((characters) => characters.join(''));
const value = fc.oneof(fc.integer(), text, fc.constantFrom(null, true), fc.array(text, { maxLength: 3 }));
const entries = fc.uniqueArray(fc.tuple(text, value), { maxLength: 4, selector: ([key]) => key });

/** One of the ways to write a string: every character that has one may be given as an escape. */
const written = (inner: string) =>
  fc.infiniteStream(fc.nat(3)).map((choices) => {
    const units = inner.split('').map((unit) => {
      const escaped = `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
      return choices.next().value === 0 ? escaped : JSON.stringify(unit).slice(1, -1);
    });
    return `"${units.join('')}"`;
  });

/** Keys and values as they are meant, and a text that says so. */
const objects = entries.chain((pairs) =>
  fc.record({
    pairs: fc.constant(pairs),
    keys: fc.tuple(...pairs.map(([key]) => written(key))),
    space: fc.constantFrom('', ' ', '\n\t'),
  }),
);

function entriesOf(parsed: unknown): [string, unknown][] {
  return Object.entries(parsed as object);
}

/** Whole numbers come first in every object. */
function sorted(pairs: readonly (readonly [string, unknown])[]) {
  return pairs.toSorted(([one], [other]) => (one < other ? -1 : 1));
}

describe('JSON', () => {
  test('has the keys that were written, whatever keys others have written before', () => {
    parseJson('{"\\\\":1}');
    parseJson('{"{":1,"\\\\":1}');
    parseJson('{"ab\\\\":1}');
    expect(entriesOf(parseJson('{"\\n":1}'))).toEqual([['\n', 1]]);
    expect(entriesOf(parseJson('{"{":1,"\\"":2}'))).toEqual([
      ['{', 1],
      ['"', 2],
    ]);
    expect(entriesOf(parseJson('{"ab\\u00e9":1}'))).toEqual([['abé', 1]]);
  });

  test('is read as it is meant, however it is written', () => {
    fc.assert(
      fc.property(objects, ({ pairs, keys, space }) => {
        const fields = pairs.map(([, field], index) => `${keys[index]!}${space}:${JSON.stringify(field)}`);
        const object = `{${space}${fields.join(`${space},${space}`)}}`;
        expect(sorted(entriesOf(parseJson(object)))).toEqual(sorted(pairs));
        const nested = parseJson(`{"list":[${object},${object}],"data":${object}}`) as any;
        for (const inner of [nested.list[0], nested.list[1], nested.data]) {
          expect(sorted(entriesOf(inner))).toEqual(sorted(pairs));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('that is none is refused as ever', () => {
    const broken = fc.array(
      fc.oneof(text, fc.constantFrom('{', '}', '"', ':', ',', '"\\n"', '"\\q"', '\\', '"a,"', '"a":1')),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(broken, (parts) => {
        const json = parts.join('');
        expect(isRead(parseJson, json)).toBe(isRead(JSON.parse, json));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['a key that looks like ours', '{"escaped 0":1,"\\n":2}', { 'escaped 0': 1, '\n': 2 }],
    [
      'a key that looks like ours, written in escapes',
      '{"escaped\\u00200":1,"\\n":2}',
      { 'escaped 0': 1, '\n': 2 },
    ],
    ['the same key twice', '{"\\n":1,"\\u000a":2}', { '\n': 2 }],
    [
      'strings that look like keys',
      '{"a":"{\\"\\\\n\\":1","b":["x","\\n"]}',
      { a: '{"\\n":1', b: ['x', '\n'] },
    ],
    ['strings that end like an object begins', '{"{":"a,","\\n":"{"}', { '{': 'a,', '\n': '{' }],
  ])('may have %s', (_what, json, expected) => {
    expect(parseJson(json)).toEqual(expected);
  });

  test('can have __proto__ for a key, which is an ordinary one', () => {
    const parsed = parseJson('{"\\n":1,"__proto\\u005f_":{"a":1}}') as { a?: number };
    expect(Object.keys(parsed)).toEqual(['\n', '__proto__']);
    expect(parsed.a).toBeUndefined();
  });

  test.each([
    ['one long string', `["x","${'\\n'.repeat(500_000)}"]`],
    ['one long string of quotes', `{"text":"${'\\"'.repeat(200_000)}"}`],
    ['one long key', `{"${'\\n'.repeat(500_000)}":1}`],
    ['many keys', `{${Array.from({ length: 60_000 }, (_, index) => `"\\n${index}":1`).join(',')}}`],
    ['mostly spaces', `{"\\n"${' '.repeat(1_000_000)}`],
    ['mostly quotes', `{"\\n":1${',"'.repeat(500_000)}`],
    ['what looks like keys of ours', `{"\\n":1,"escaped ${'- '.repeat(500_000)}":2}`],
    ['what looks like keys of ours and is no JSON', `\\escaped ${'- '.repeat(500_000)}`],
    ['mostly spaces and quotes', `{"\\n":1${', "'.repeat(300_000)}`],
  ])(
    'of a million characters in %s is read in the time that it takes',
    (_what, json) => {
      const start = performance.now();
      isRead(parseJson, json);
      // Were the work to grow with the square of the length, it would take minutes.
      expect(performance.now() - start).toBeLessThan(30_000);
    },
    60_000,
  );

  test('nested a hundred thousand times behind an escaped key is an error of the client', () => {
    const nested = '['.repeat(100_000) + ']'.repeat(100_000);
    const { error } = readFrame(`{"action":"get_rooms","\\n":${nested}}`, undefined, loginDialect);
    expect(error === undefined || error.code === 'invalid_json').toBe(true);
  });
});

test('the letter frequencies of one client are not spoiled by those of another', () => {
  const count = (json: string) =>
    readFrame(
      `{"action":"character_count","data":{"transaction_id":"t","letter_frequencies":${json}}}`,
      undefined,
      loginDialect,
    ).command!.request as { letterFrequencies: object };
  count('{"{":1,"\\\\":1}');
  expect(entriesOf(count('{"{":1,"\\"":24}').letterFrequencies)).toEqual([
    ['{', 1],
    ['"', 24],
  ]);
});

function isRead(parse: (json: string) => unknown, json: string): boolean {
  try {
    parse(json);
    return true;
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(SyntaxError);
    return false;
  }
}
