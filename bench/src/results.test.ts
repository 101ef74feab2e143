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
