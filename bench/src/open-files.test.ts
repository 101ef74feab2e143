import { expect, test } from '@jest/globals';
import { checkOpenFiles, openFilesIn } from './open-files.ts';

const limits = (soft: string) =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax processes             7       7       processes\nMax open files            ${soft.padEnd(20)} 20000                files\n`;

test.each([
  ['1024', 1_024],
  ['unlimited', Infinity],
])('of %s open files, %d are allowed', (soft, expected) => {
  expect(openFilesIn(limits(soft))).toBe(expected);
});

test('a system that tells nothing is taken at its word later', () => {
  expect(openFilesIn('')).toBe(Infinity);
});

test('more connections than a process may have are told before anything starts', () => {
  expect(() => {
    checkOpenFiles(10);
  }).not.toThrow();
  expect(() => {
    checkOpenFiles(2 ** 40);
  }).toThrow('ulimit -n 1099511627976');
});
