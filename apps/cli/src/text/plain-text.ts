/*
 * What others wrote goes to a terminal, which obeys control characters: it could be made to recolour, overwrite or answer what
 * the reader typed. So nothing from outside is printed but through these functions.
 */

/** C0 and C1 without tab and newline (U+009B begins an escape sequence, too), and what changes the direction of text. */
const unsafe = /[[\p{Cc}--[\t\n]]\u200e\u200f\u202a-\u202e\u2066-\u2069]/gv;
const lineEnds = /\r\n|[\r\n\u2028\u2029]/gu;

/** The text without what a terminal would obey; it keeps its lines. */
export function toPlainText(text: string): string {
  return text.toWellFormed().replace(lineEnds, '\n').replaceAll('\t', '    ').replace(unsafe, '');
}

/** The same in one line: for names, and for lines that programs read. */
export function toPlainLine(text: string): string {
  return toPlainText(text).replaceAll('\n', ' ');
}

/** One line of JSON without raw control characters, so that it is safe to look at, and the same to a program. */
export function toJsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    unsafe,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
