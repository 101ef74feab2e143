import { readFile } from 'node:fs/promises';

/** A row of the tables of docs/metrics.md. */
export interface DocumentedMetric {
  name: string;
  type: string;
  labels: string[];
  processes: string[];
  meaning: string;
  use: string;
}

const processNames = ['gateway', 'auth', 'rooms', 'messages', 'files'];

/** All metrics that docs/metrics.md has in its tables. */
export async function readReference(): Promise<DocumentedMetric[]> {
  const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  return page
    .split('\n')
    .filter((line) => line.startsWith('| `parley_'))
    .map((line) => {
      const [name, type, labels, processes, meaning, use] = line.slice(1, -1).split(/(?<!\\)\|/);
      return {
        name: name!.replaceAll('`', '').trim(),
        type: type!.trim(),
        labels: listOf(labels!),
        processes: processes!.trim() === 'all' ? processNames : listOf(processes!),
        meaning: meaning!.trim(),
        use: use!.trim(),
      };
    });
}

function listOf(cell: string): string[] {
  return cell
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
