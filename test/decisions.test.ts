import { beforeAll, describe, expect, test } from '@jest/globals';
import { readSources } from './contributing/sources.ts';
import type { Source } from './contributing/sources.ts';

const folder = 'docs/decisions/';
/** Files of others that decisions speak of. */
const foreign = ['lib/node_transport.js'];

let sources: Source[];
let index: string;
let decisions: Source[];
beforeAll(async () => {
  sources = await readSources();
  index = sources.find(({ path }) => path === `${folder}README.md`)!.text;
  decisions = sources.filter(({ path }) => path.startsWith(folder) && !path.endsWith('README.md'));
});

test('the index has each decision once, by its number and title, and no other', () => {
  const rows = index.split('\n').filter((line) => line.startsWith('| ['));
  const expected = decisions.map(({ path, text }) => {
    const [, number, title] = /^# (\d{4}) (.+)\n/.exec(text) ?? [];
    return `| [${number}](${path.slice(folder.length)}) | ${title} |`;
  });
  expect(rows.sort()).toEqual(expected.sort());
});

test('numbers are those of the files, one behind the other', () => {
  const numbers = decisions.map(({ path, text }) => [
    path.slice(folder.length, folder.length + 4),
    text.slice(2, 6),
  ]);
  const expected = decisions.map((_decision, place) => String(place + 1).padStart(4, '0'));
  expect(numbers.sort()).toEqual(expected.map((number) => [number, number]));
});

describe('each decision', () => {
  test('has context, decision and consequences, in at most thirty lines', () => {
    for (const { path, text } of decisions) {
      const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
      expect({ path, headings }).toEqual({ path, headings: ['Context', 'Decision', 'Consequences'] });
      expect({ path, isShort: text.split('\n').length <= 31 }).toEqual({ path, isShort: true });
    }
  });

  test('names files that are there', () => {
    const missing = decisions.flatMap(({ path, text }) =>
      [...text.matchAll(/`([\w.-]+(?:\/[\w.-]+)*\.(?:conf|js|mjs|md|sql|ts|ya?ml))`/g)]
        .map(([, name]) => name!)
        .filter((name) => !sources.some((source) => `/${source.path}`.endsWith(`/${name}`)))
        .map((name) => `${path}: ${name}`),
    );
    expect(missing.filter((line) => !foreign.some((name) => line.endsWith(` ${name}`)))).toEqual([]);
  });
});
