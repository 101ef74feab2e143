import { expect, test } from '@jest/globals';
import { progressLine } from './progress.ts';

test('a line has the name, a bar, percent and sizes', () => {
  expect(progressLine('tea.png', { bytes: 1_048_576, total: 4_194_304 })).toBe(
    `tea.png                  ${'█'.repeat(6)}${'░'.repeat(18)}  25%  1 MiB of 4 MiB`,
  );
});

test('long names are cut, and rude ones are harmless; the line fits 80 columns', () => {
  const line = progressLine(`\u001b[2J${'n'.repeat(100)}`, {
    bytes: 1_023 * 1_024 ** 3,
    total: 1_023 * 1_024 ** 3,
  });
  expect(line).toMatch(/^\[2Jn{20}… █{24} 100% {2}1023 GiB of 1023 GiB$/u);
  expect(line.length).toBeLessThanOrEqual(80);
});

test('an empty file is all there', () => {
  expect(progressLine('empty', { bytes: 0, total: 0 })).toContain('100%');
});
