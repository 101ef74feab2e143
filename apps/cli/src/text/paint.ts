import { styleText } from 'node:util';

/** Formats of `styleText` that we use. */
export type Format = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

/** Gives text a colour, where there are colours. */
export type Paint = (format: Format, text: string) => string;

/** Colours for a stream: none where it is no terminal, or with `NO_COLOR`; also elsewhere with `FORCE_COLOR`. */
export function createPaint(stream: NodeJS.WritableStream): Paint {
  return (format, text) => styleText(format, text, { stream });
}

/** No colours. */
export const noPaint: Paint = (_format, text) => text;

const nameColours: readonly Format[] = ['green', 'yellow', 'blue', 'magenta', 'cyan'];

/** The colour of a person: always the same one for the same name. */
export function colourOf(name: string): Format {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)!) >>> 0;
  return nameColours[hash % nameColours.length]!;
}
