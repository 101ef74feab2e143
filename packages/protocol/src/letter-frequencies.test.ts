import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { loginDialect } from './dialects/login/index.ts';
import { createId } from './ids.ts';
import { parseJson } from './json.ts';
import { LetterFrequencies, letterFrequencies, sameFrequencies } from './letter-frequencies.ts';
import { matches } from './validation.ts';

const character = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  fc.constantFrom('a', 'a', 'b', '"', '\\', '\n', '0', '7', '\0', '\u007f', '\u0080'),
  fc.constantFrom('\u0301', 'é', '\uffff', '\u{10000}', '😀', '👩', '\u200d', '\u{10ffff}'),
  fc.constantFrom('\ud800', '\ud83d', '\udbff', '\udc00', '\ude00', '\udfff'),
);
const text = fc.array(character, { maxLength: 60 }).map((characters) => characters.join(''));

/** The same characters as whole code points: halves of a pair that met have become one. */
function codePointsOf(frame: string): string[] {
  return Array.from(frame);
}

/** Counts in the simplest way there is. */
function counted(frame: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const codePoint of codePointsOf(frame)) counts.set(codePoint, (counts.get(codePoint) ?? 0) + 1);
  return counts;
}

function throughJson(frequencies: LetterFrequencies): LetterFrequencies {
  return parseJson(JSON.stringify(frequencies)) as LetterFrequencies;
}

describe('letter frequencies', () => {
  test.each<[string, string, LetterFrequencies]>([
    ['nothing', '', {}],
    ['ASCII', 'Hello', { H: 1, e: 1, l: 2, o: 1 }],
    ['digits', '2020', { 0: 2, 2: 2 }],
    ['quotes, spaces and control characters', '" "\n\0', { '"': 2, ' ': 1, '\n': 1, '\0': 1 }],
    ['an emoji, which is one character', '😀😀', { '😀': 2 }],
    ['an emoji of several characters', '👩‍👩', { '👩': 2, '\u200d': 1 }],
    ['a letter with an accent of its own', 'e\u0301', { e: 1, '\u0301': 1 }],
    ['a letter with its accent in it', 'é', { é: 1 }],
    ['lone surrogates', '\ud83d\ud83d\ude00\ude00', { '\ud83d': 1, '😀': 1, '\ude00': 1 }],
    [
      'the ends of the planes',
      '\u007f\u0080\uffff\u{10000}',
      toOnes(['\u007f', '\u0080', '\uffff', '\u{10000}']),
    ],
  ])('count %s', (_what, frame, frequencies) => {
    expect(letterFrequencies(frame)).toEqual(frequencies);
  });

  test('agree with counting one code point after the other, whatever the text', () => {
    fc.assert(
      fc.property(text, (frame) => {
        expect(new Map(Object.entries(letterFrequencies(frame)))).toEqual(counted(frame));
      }),
      { numRuns: 1_000 },
    );
  });

  test('are valid, and the same after JSON', () => {
    fc.assert(
      fc.property(text, (frame) => {
        const frequencies = letterFrequencies(frame);
        expect(matches(LetterFrequencies, frequencies)).toBe(true);
        expect(sameFrequencies(throughJson(frequencies), frequencies)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('add up to the number of characters', () => {
    fc.assert(
      fc.property(text, (frame) => {
        const sum = Object.values(letterFrequencies(frame)).reduce((total, count) => total + count, 0);
        expect(sum).toBe(codePointsOf(frame).length);
      }),
    );
  });

  test('differ between the escaped and the raw form of one text: they are different frames', () => {
    const raw = '{"content":"Zoë 😀"}';
    const escaped = '{"content":"Zo\\u00eb \\ud83d\\ude00"}';
    expect(JSON.parse(escaped)).toEqual(JSON.parse(raw));
    expect(sameFrequencies(letterFrequencies(escaped), letterFrequencies(raw))).toBe(false);
    expect(letterFrequencies(raw)).toMatchObject({ ë: 1, '😀': 1 });
    expect(letterFrequencies(escaped)).toMatchObject({ '\\': 3, u: 3, d: 3 });
  });

  test('of a frame of ours are those that a client counts in what it got', () => {
    fc.assert(
      fc.property(text, (content) => {
        const [frame] = loginDialect.encodeEvent({
          type: 'message',
          roomId: createId('room'),
          id: 1,
          senderId: createId('user'),
          sender: 'Zoë',
          content,
          sentAt: '2024-01-01T12:00:00.000Z',
        });
        const received = Buffer.from(frame!).toString();
        expect(sameFrequencies(letterFrequencies(received), letterFrequencies(frame!))).toBe(true);
      }),
    );
  });

  test('of a million characters are counted in no time to speak of', () => {
    const frame = 'abc😀'.repeat(250_000);
    expect(letterFrequencies(frame)).toEqual(toCounts(['a', 'b', 'c', '😀'], 250_000));
  });
});

describe('the same frequencies', () => {
  /** Whole code points, in any order and number. */
  const codePoints = text.map(codePointsOf);
  /** Without surrogates, which could become one with what comes beside them. */
  const whole = fc
    .array(character, { maxLength: 40 })
    .map((characters) => characters.filter((one) => one.isWellFormed()));
  const wellFormed = character.filter((one) => one.isWellFormed());
  const same = (one: readonly string[], other: readonly string[]) =>
    sameFrequencies(letterFrequencies(one.join('')), letterFrequencies(other.join('')));

  test('are those of any order of the same code points', () => {
    const shuffled = whole.chain((one) =>
      fc.tuple(fc.constant(one), fc.shuffledSubarray(one, { minLength: one.length, maxLength: one.length })),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(same(one, other)).toBe(true);
      }),
    );
  });

  test('are not those of a text with one code point more, less or another', () => {
    fc.assert(
      fc.property(whole, fc.nat(), wellFormed, wellFormed, (one, anywhere, first, second) => {
        const at = anywhere % (one.length + 1);
        const more = one.toSpliced(at, 0, first);
        expect(same(one, more)).toBe(false);
        expect(same(more, one)).toBe(false);
        fc.pre(first !== second);
        expect(same(more, one.toSpliced(at, 0, second))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('are those of the same counts, no others, however two texts came about', () => {
    const few = fc.array(fc.constantFrom('a', 'b', '1', '😀', '\u0301', '\ud83d'), { maxLength: 5 });
    fc.assert(
      fc.property(fc.oneof(few, codePoints), few, (one, other) => {
        const [counts, others] = [counted(one.join('')), counted(other.join(''))];
        const expected =
          counts.size === others.size && [...counts].every(([key, count]) => others.get(key) === count);
        expect(same(one, other)).toBe(expected);
        expect(same(other, one)).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  test('may count what does not occur 0 times', () => {
    expect(sameFrequencies({ a: 1 }, { a: 1, b: 0, c: 0 })).toBe(true);
    expect(sameFrequencies({ a: 1, b: 0 }, { a: 1, c: 0 })).toBe(true);
    expect(sameFrequencies({ a: 0 }, { a: 1 })).toBe(false);
  });

  test.each(['__proto__', 'toString', 'constructor', 'hasOwnProperty', 'valueOf'])(
    'know no character by the name of %s',
    (name) => {
      const claimed = JSON.parse(`{"a":1,"${name}":1}`) as LetterFrequencies;
      expect(Object.hasOwn(claimed, name)).toBe(true);
      for (const honest of [{ a: 1 }, { a: 1, b: 1 }, {}] as LetterFrequencies[]) {
        expect(sameFrequencies(claimed, honest)).toBe(false);
        expect(sameFrequencies(honest, claimed)).toBe(false);
      }
      expect(sameFrequencies(claimed, JSON.parse(JSON.stringify(claimed)))).toBe(true);
    },
  );

  test('are not inherited', () => {
    const claimed = JSON.parse('{"__proto__":{"a":1}}') as LetterFrequencies;
    expect(sameFrequencies(claimed, { a: 1 })).toBe(false);
    expect(sameFrequencies({ a: 1 }, claimed)).toBe(false);
    expect(sameFrequencies({ a: 1 }, Object.create({ a: 1 }) as LetterFrequencies)).toBe(false);
  });
});

function toOnes(characters: string[]): LetterFrequencies {
  return toCounts(characters, 1);
}

function toCounts(characters: string[], count: number): LetterFrequencies {
  return Object.fromEntries(characters.map((one) => [one, count]));
}
