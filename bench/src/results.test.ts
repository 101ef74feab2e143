import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readHostFacts } from './machine.ts';
import { writeReport } from './report.ts';
import { loadResults, saveResults, type Result } from './results.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-results-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function result(day: string, contender: Result['contender'], cpu: number, factor?: number): Result {
  return {
    scenario: 'fanout',
    contender,
    at: `${day}T12:00:00.000Z`,
    options: { connections: 200 * (factor ?? 1), gateways: 2, bytes: 200, senders: 16 },
    facts: readHostFacts(),
    parts: [{ name: '128 in flight', values: { cpuPerMillionDeliveries: cpu } }],
    audit: {
      text: '',
      problems: contender === 'socket.io' ? [{ what: 'lost <1>', count: 3, example: '' }] : [],
    },
    ...(factor !== undefined && { factor }),
  };
}

test('what was seen over time is kept with a line for each point, and drawn on the page beside what it says', () => {
  const here = mkdtempSync(join(tmpdir(), 'parley-results-'));
  try {
    const points = [[0, 99.5] as const, [10, 101] as const];
    const path = saveResults(here, [
      {
        ...result('2026-11-21', 'parley', 1),
        timelines: [{ title: 'private memory, MB', xLabel: 'minutes', lines: [{ name: 'gateway', points }] }],
        notes: ['gateway grew by 1 MB/hour: flat'],
      },
    ]);
    expect(readFileSync(path, 'utf8')).toContain('[10, 101]');
    expect(loadResults(here)[0]!.timelines![0]!.lines[0]!.points).toEqual(points);
    const page = readFileSync(writeReport(here), 'utf8');
    expect(page).toContain('aria-label="private memory, MB"');
    expect(page).toContain('<li>gateway grew by 1 MB/hour: flat</li>');
  } finally {
    rmSync(here, { recursive: true });
  }
});

test('runs are kept by day and scenario, and the page shows them beside each other', () => {
  saveResults(folder, [result('2026-11-21', 'parley', 1.5)]);
  const path = saveResults(folder, [result('2026-11-22', 'parley', 1)]);
  saveResults(folder, [result('2026-11-22', 'socket.io', 12)]);
  saveResults(folder, [result('2026-11-22', 'parley', 1, 1), result('2026-11-22', 'parley', 1, 2)]);
  expect(path).toMatch(/2026-11-22-fanout\.json$/);
  expect(loadResults(folder).map(({ at, contender }) => [at.slice(0, 10), contender])).toEqual([
    ['2026-11-21', 'parley'],
    ['2026-11-22', 'parley'],
    ['2026-11-22', 'socket.io'],
    ['2026-11-22', 'parley'],
    ['2026-11-22', 'parley'],
  ]);

  const page = readFileSync(writeReport(folder), 'utf8');
  expect(page).toContain('Fan-out: one room of 200 connections on 2 gateways');
  expect(page).toContain('× 12.00');
  expect(page).toContain('lost &#60;1&#62;: 3');
  expect(page).toContain('CPU s/million deliveries, by day');
  expect(page).toContain('CPU s/million deliveries, by connections');
  expect(page).not.toMatch(/(src|href)=/);
});
