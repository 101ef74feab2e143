import stringWidth from 'string-width';
import type { Output } from '../output.ts';
import { toPlainLine } from './plain-text.ts';

/** One column of a table. */
export interface Column<Row> {
  title: string;
  /** What it shows of a row; whatever it holds, it can't harm the terminal. */
  text: (row: Row) => string;
  /** Numbers are read by their ends. */
  isNumber?: boolean;
}

const gap = '  ';

/**
 * The rows as lines below a heading, each column as wide as its widest text.
 * @param rows At least one.
 */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ text }) => toPlainLine(text(row)))),
  ];
  const widths = columns.map((_column, index) => Math.max(...cells.map((row) => stringWidth(row[index]!))));
  return cells.map((row) =>
    row
      .map((text, index) => {
        const padding = ' '.repeat(widths[index]! - stringWidth(text));
        return columns[index]!.isNumber ? padding + text : text + padding;
      })
      .join(gap)
      .trimEnd(),
  );
}

/**
 * Writes rows as they come, a page at a time: a table for people, with its heading above the first row; for programs each row
 * is a value. Of no rows nothing is written.
 */
export async function writeTable<Row extends object>(
  output: Output,
  columns: readonly Column<Row>[],
  pages: AsyncIterable<readonly Row[]>,
): Promise<void> {
  let isFirst = true;
  for await (const rows of pages) {
    if (rows.length === 0) continue;
    const [heading, ...lines] = tableLines(columns, rows);
    for (const [index, row] of rows.entries()) {
      const above = isFirst ? `${heading!}\n` : '';
      isFirst = false;
      await output.write(row, () => above + lines[index]!);
    }
  }
}
