/** `npm run bench -- report`: one page of all results that are kept: the latest beside those before, and beside the peers. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contenderNames, contenderTitles } from './contenders/index.ts';
import { metricOf, metricsIn } from './metrics.ts';
import { factsText } from './print.ts';
import { loadResults, type OptionValue, type Result } from './results.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';
import { medians, ratiosOf } from './statistics.ts';
import { barSvg, escapeText, lineSvg } from './svg.ts';
import { number } from './table.ts';

const pageName = 'report.html';

const style = `
  :root { color-scheme: light dark; }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 980px; margin: 2rem auto; padding: 0 1rem; }
  table { border-collapse: collapse; margin: 0.5rem 0 1rem; font-variant-numeric: tabular-nums; font-size: 13px; }
  th, td { padding: 2px 10px 2px 0; text-align: right; border-bottom: 1px solid #8884; }
  th { max-width: 9em; vertical-align: bottom; }
  th:first-child, td:first-child { text-align: left; white-space: nowrap; }
  .scroll { overflow-x: auto; }
  .plots { display: flex; flex-wrap: wrap; gap: 16px; }
  .machine { color: #777; font-size: 13px; white-space: pre-line; }
  .bad { color: #c30; }
  svg { max-width: 100%; height: auto; }
  svg text { fill: currentColor; font: 11px system-ui, sans-serif; }
  svg text.title { font-weight: 600; font-size: 12px; }
  svg .grid { stroke: #8884; }`;

/** Writes the page into the folder of the results. @returns Its path. */
export function writeReport(folder: string): string {
  const path = join(folder, pageName);
  writeFileSync(path, reportPage(loadResults(folder)));
  return path;
}

/** The whole page, with everything it needs in itself. */
export function reportPage(results: readonly Result[]): string {
  const sections = scenarios.flatMap((scenario) => {
    const own = results.filter((result) => result.scenario === scenario.name);
    return own.length === 0 ? [] : [sectionOf(scenario, own)];
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Parley: measured</title>
<style>${style}
</style>
</head>
<body>
<h1>Parley: measured</h1>
<p>Made by <code>npm run bench -- report</code> of the results that are kept beside this page. Numbers are medians of the runs of one day
with the same options; ratios compare runs that were neighbours.</p>
${sections.join('\n')}
</body>
</html>
`;
}

function sectionOf(scenario: Scenario, results: readonly Result[]): string {
  const single = results.filter(({ factor }) => factor === undefined);
  const series = results.filter(({ factor }) => factor !== undefined);
  const setups = [...Map.groupBy(single, ({ options }) => JSON.stringify(options)).values()];
  return [
    `<h2>${escapeText(scenario.name)}</h2>`,
    paragraph(scenario.summary),
    ...setups.map((same) => setupOf(scenario, same)),
    ...(series.length > 0 ? [growthOf(scenario, series)] : []),
  ].join('\n');
}

/** Runs with the same options: the latest day's in numbers, and all days as lines. */
function setupOf(scenario: Scenario, results: readonly Result[]): string {
  const days = [...Map.groupBy(results, ({ at }) => at.slice(0, 10))];
  const [day, latest] = days.at(-1)!;
  const last = latest.at(-1)!;
  return [
    `<h3>${escapeText(scenario.headline(numbersOf(last.options)))}</h3>`,
    `<p class="machine">${escapeText(`${day}, commit ${last.commit ?? 'unknown'}\n${factsText(last.facts)}`)}</p>`,
    mediansTable(latest),
    ratiosTable(latest),
    notesList(last),
    problemsList(latest),
    `<div class="plots">`,
    ...(last.timelines ?? []).map((timeline) => lineSvg(timeline)),
    ...barsOf(scenario, latest),
    ...(days.length > 1 ? linesOverDays(scenario, days) : []),
    `</div>`,
  ].join('\n');
}

function numbersOf(options: Readonly<Record<string, OptionValue>>): Record<string, number> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, Number(value)]));
}

/** The medians of each contender's runs, those of Parley first. */
function summaries(results: readonly Result[]) {
  return contenderNames.flatMap((contender) => {
    const runs = results.filter((result) => result.contender === contender);
    return medians(runs.map(({ parts }) => parts)).map((part) => ({ contender, runs: runs.length, ...part }));
  });
}

function mediansTable(results: readonly Result[]): string {
  const rows = summaries(results);
  const names = metricsIn(rows.map(({ values }) => values));
  return tableOf([
    ['', 'runs', ...names.map((name) => metricOf(name).label)],
    ...rows.map(({ contender, runs, name, values }) => [
      `${contender}: ${name}`,
      String(runs),
      ...names.map((metric) => {
        const value = values[metric];
        return value === undefined ? '' : number(value, metricOf(metric).digits);
      }),
    ]),
  ]);
}

/** A row for each number, a column for each peer. */
function ratiosTable(results: readonly Result[]): string {
  const runsOf = (contender: string): Result[] => results.filter((result) => result.contender === contender);
  const peers = contenderNames.slice(1).filter((peer) => runsOf(peer).length > 0);
  const cells = new Map<string, Map<string, string>>();
  for (const peer of peers) {
    for (const { part, metric, better } of ratiosOf(runsOf('parley'), runsOf(peer))) {
      const row = `${part}, ${metricOf(metric).label}`;
      cells.set(row, (cells.get(row) ?? new Map<string, string>()).set(peer, `× ${number(better, 2)}`));
    }
  }
  if (cells.size === 0) return '';
  return tableOf([
    ['How many times better Parley is than', ...peers.map((peer) => contenderTitles[peer])],
    ...Array.from(cells, ([row, byPeer]) => [row, ...peers.map((peer) => byPeer.get(peer) ?? '')]),
  ]);
}

/** What the latest run says of itself. */
function notesList({ notes = [] }: Result): string {
  return notes.length === 0 ? '' : `<ul>${notes.map((note) => `<li>${escapeText(note)}</li>`).join('')}</ul>`;
}

function problemsList(results: readonly Result[]): string {
  const found = results.flatMap(({ contender, audit }) =>
    audit.problems.map(({ what, count }) => ({ contender, what, count })),
  );
  const kinds = Map.groupBy(found, ({ contender, what }) => `${contender}: ${what}`);
  const items = Array.from(kinds, ([kind, same]) => {
    const total = same.reduce((sum, { count }) => sum + count, 0);
    return `<li class="bad">${escapeText(`${kind}: ${number(total)}`)}</li>`;
  });
  return items.length === 0 ? paragraph('All audits passed.') : `<ul>${items.join('')}</ul>`;
}

function barsOf(scenario: Scenario, results: readonly Result[]): string[] {
  const rows = summaries(results);
  const parts = new Set(rows.map(({ name }) => name));
  return scenario.plots.flatMap((metric) =>
    Array.from(parts).flatMap((part) => {
      const bars = rows.flatMap(({ contender, name, values }) => {
        const value = name === part ? values[metric] : undefined;
        return value === undefined ? [] : [{ name: contender, value }];
      });
      return bars.length < 2 ? [] : [barSvg({ title: `${metricOf(metric).label}, ${part}`, bars })];
    }),
  );
}

function linesOverDays(
  scenario: Scenario,
  days: readonly (readonly [string, readonly Result[]])[],
): string[] {
  return scenario.plots.map((metric) => {
    const lines = new Map<string, [number, number][]>();
    days.forEach(([, results], index) => {
      for (const { contender, name, values } of summaries(results)) {
        addPoint(lines, `${contender}: ${name}`, index, values[metric]);
      }
    });
    return lineSvg({
      title: `${metricOf(metric).label}, by day`,
      xLabel: '',
      xTicks: days.map(([day]) => day.slice(5)),
      lines: Array.from(lines, ([name, points]) => ({ name, points })),
    });
  });
}

/** How cost grows with size, of the latest series. */
function growthOf(scenario: Scenario, results: readonly Result[]): string {
  const latest = results.at(-1)!.at.slice(0, 10);
  const series = results.filter(({ at }) => at.startsWith(latest));
  const size = scenario.grows?.[0] ?? '';
  const plots = scenario.plots.map((metric) => {
    const lines = new Map<string, [number, number][]>();
    for (const [value, same] of Map.groupBy(series, ({ options }) => Number(options[size]))) {
      for (const { contender, name, values } of summaries(same)) {
        addPoint(lines, `${contender}: ${name}`, value, values[metric]);
      }
    }
    return lineSvg({
      title: `${metricOf(metric).label}, by ${size}`,
      xLabel: size,
      lines: Array.from(lines, ([name, points]) => ({ name, points })),
    });
  });
  return [`<h3>Growth, ${latest}</h3>`, `<div class="plots">`, ...plots, `</div>`].join('\n');
}

function addPoint(
  lines: Map<string, [number, number][]>,
  name: string,
  x: number,
  y: number | undefined,
): void {
  if (y === undefined) return;
  lines.set(name, [...(lines.get(name) ?? []), [x, y]]);
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const row = (cells: readonly string[], cell: string): string =>
    `<tr>${cells.map((content) => `<${cell}>${escapeText(content)}</${cell}>`).join('')}</tr>`;
  return `<div class="scroll"><table>\n${[row(head, 'th'), ...body.map((cells) => row(cells, 'td'))].join('\n')}\n</table></div>`;
}

function paragraph(content: string): string {
  return `<p>${escapeText(content)}</p>`;
}
