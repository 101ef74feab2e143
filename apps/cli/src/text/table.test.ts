import { expect, test } from '@jest/globals';
import stringWidth from 'string-width';
import { tableLines } from './table.ts';
import type { Column } from './table.ts';

interface Tea {
  name: string;
  cups: number;
}

const columns: Column<Tea>[] = [
  { title: 'CUPS', text: ({ cups }) => String(cups), isNumber: true },
  { title: 'NAME', text: ({ name }) => name },
  { title: 'OF', text: () => 'tea' },
];

test('columns are as wide as their widest text; numbers end together', () => {
  expect(
    tableLines(columns, [
      { name: 'Assam', cups: 1_000_000 },
      { name: 'Oolong tea', cups: 3 },
    ]),
  ).toEqual(['   CUPS  NAME        OF', '1000000  Assam       tea', '      3  Oolong tea  tea']);
});

test('wide letters count as the terminal shows them', () => {
  const lines = tableLines(columns, [
    { name: '日本茶', cups: 1 },
    { name: 'Zoë 👩‍💻', cups: 1 },
  ]);
  expect(new Set(lines.slice(1).map((line) => stringWidth(line))).size).toBe(1);
});

test('what a name holds does not reach the terminal raw', () => {
  const lines = tableLines(columns, [{ name: 'a\u001b[2J\u202eb\nc', cups: 1 }]);
  expect(lines[1]).toBe('   1  a[2Jb c  tea');
});
