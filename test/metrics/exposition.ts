/** One value of a metric, with the labels that it is of. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** A metric as a process shows it. */
export interface Family {
  name: string;
  type: string;
  help: string;
  samples: Sample[];
}

/** Reads the text format of Prometheus, as `prom-client` writes it. @throws Error naming a line that is none. */
export function readExposition(page: string): Family[] {
  const families: Family[] = [];
  for (const line of page.split('\n').filter((each) => each !== '')) {
    const [, name = '', help = ''] = /^# HELP (\S+) (.*)$/.exec(line) ?? [];
    const [, type] = /^# TYPE \S+ (\S+)$/.exec(line) ?? [];
    if (name !== '') families.push({ name, type: '', help, samples: [] });
    else if (type !== undefined) families.at(-1)!.type = type;
    else families.at(-1)!.samples.push(readSample(line));
  }
  return families;
}

function readSample(line: string): Sample {
  const found = /^([\w:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (!found) throw new Error(`not a sample: ${line}`);
  const [, name, labels = '', value] = found;
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text]);
  return { name: name!, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
}
