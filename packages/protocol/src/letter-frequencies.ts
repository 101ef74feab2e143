import { Type } from '@parley/schema';

/** How often each code point occurs in a text: its one-character string -> its count. */
export type LetterFrequencies = Record<string, number>;
/** Not a `Type.Record`: that leaves keys with a line break unchecked, and its errors repeat a key of any length. */
export const LetterFrequencies = Type.Refine(
  Type.Unsafe<LetterFrequencies>(Type.Object({})),
  (frequencies) => Object.values(frequencies).every((count) => Number.isSafeInteger(count) && count >= 0),
  () => 'must give each character its count',
);

const asciiEnd = 0x80;
const basicPlaneEnd = 0xffff;

/**
 * Counts every code point of a frame's text: the `letter_frequencies` of the integrity handshake (seed 000). Linear in the
 * text's length; ASCII is counted in a flat table.
 */
export function letterFrequencies(text: string): LetterFrequencies {
  const ascii = new Uint32Array(asciiEnd);
  const others = new Map<number, number>();
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < asciiEnd) {
      ascii[unit]! += 1;
    } else {
      const codePoint = text.codePointAt(index)!;
      if (codePoint > basicPlaneEnd) index += 1;
      others.set(codePoint, (others.get(codePoint) ?? 0) + 1);
    }
  }
  const frequencies: LetterFrequencies = {};
  ascii.forEach((count, codePoint) => {
    if (count > 0) frequencies[String.fromCharCode(codePoint)] = count;
  });
  for (const [codePoint, count] of others) frequencies[String.fromCodePoint(codePoint)] = count;
  return frequencies;
}

/**
 * Whether both count the same characters equally often; to count one 0 times is to leave it out. Linear in the number of
 * different characters.
 */
export function sameFrequencies(one: LetterFrequencies, other: LetterFrequencies): boolean {
  return agrees(one, other) && agrees(other, one);
}

/** Whether the other has the same count for every character of the one. */
function agrees(one: LetterFrequencies, other: LetterFrequencies): boolean {
  return Object.keys(one).every(
    (character) => one[character] === (Object.hasOwn(other, character) ? other[character] : 0),
  );
}
