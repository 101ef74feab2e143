import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** Narrower than this, text is left to the terminal to break. */
const leastColumns = 10;

/**
 * The body beside a gutter of its own, broken between words to the width. Only the first line has something in the gutter, so
 * nothing that somebody wrote can look like another message.
 * @param columns Of gutter and body together; Infinity breaks nothing.
 */
export function besideGutter(gutter: string, body: string, columns: number): string {
  const indent = stringWidth(gutter);
  const room = columns - indent;
  const breaks = Number.isFinite(room) && room >= leastColumns;
  const lines = breaks ? wrapAnsi(body, room, { hard: true, trim: false }) : body;
  return gutter + lines.replaceAll('\n', `\n${' '.repeat(indent)}`);
}
