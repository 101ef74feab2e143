import { Failure } from './failure.ts';

/** How often each code point occurs, by its one-character string. */
export type Frequencies = ReadonlyMap<string, number>;

const field = '"letter_frequencies":{';
const entry = /\s*("(?:[^"\\]|\\.)*")\s*:\s*(\d+)\s*(,|\})/y;

/** Counts every code point of a frame's text. */
export function countCharacters(text: string): Frequencies {
  const frequencies = new Map<string, number>();
  for (const character of text) frequencies.set(character, (frequencies.get(character) ?? 0) + 1);
  return frequencies;
}

export function asObject(frequencies: Frequencies): Record<string, number> {
  return Object.fromEntries(frequencies);
}

/**
 * The counts that a frame tells, read from its text: V8 takes an escaped key such as `"\""` for the key `\` where it saw
 * that one before in an object of the same form (https://github.com/nodejs/node/issues/63785).
 * @throws Failure where it tells none.
 */
export function frequenciesIn(frameText: string): Frequencies {
  const start = frameText.indexOf(field);
  if (start === -1) throw new Failure('the frame has no `letter_frequencies`');
  const frequencies = new Map<string, number>();
  entry.lastIndex = start + field.length;
  for (let match = entry.exec(frameText); match; match = entry.exec(frameText)) {
    const [, key = '', count, end] = match;
    frequencies.set(JSON.parse(key) as string, Number(count));
    if (end === '}') return frequencies;
  }
  throw new Failure('`letter_frequencies` is not an object of counts');
}

/** To count a character 0 times is to leave it out. */
export function isSameCount(one: Frequencies, other: Frequencies): boolean {
  const characters = new Set([...one.keys(), ...other.keys()]);
  return [...characters].every((character) => (one.get(character) ?? 0) === (other.get(character) ?? 0));
}
