import { readdir, readFile } from 'node:fs/promises';

/** Where a panel is: in columns, of which there are 24, and lines. */
export interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Panel {
  id: number;
  title: string;
  gridPos: Place;
  targets?: { expr: string; legendFormat: string; refId: string }[];
}

export interface Dashboard {
  uid: string;
  title: string;
  templating: { list: { name: string; definition?: string }[] };
  panels: Panel[];
}

const folder = new URL('../../deploy/grafana/dashboards/', import.meta.url);

/** The dashboards of deploy/grafana, by the names of their files. */
export async function readDashboards(): Promise<Map<string, Dashboard>> {
  const files = (await readdir(folder)).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, folder), 'utf8')));
  return new Map(files.map((file, index) => [file, JSON.parse(texts[index]!) as Dashboard]));
}

/**
 * Every expression, with what Grafana puts in place of its variables.
 * @param rateInterval As `1m`.
 */
export function expressionsOf({ panels }: Dashboard, rateInterval: string): string[] {
  return panels
    .flatMap(({ targets = [] }) => targets)
    .map(({ expr }) => expr.replaceAll('$__rate_interval', rateInterval).replaceAll('$instance', '.*'));
}
