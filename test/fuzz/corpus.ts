import { readFileSync } from 'node:fs';

/** Text as a corpus has it: in parts, of which some are repeated. */
type Parts = string | readonly (string | readonly [text: string, times: number])[];

/** Something that was sent once, and why it is worth sending again. */
export interface CorpusEntry {
  why: string;
  text: string;
  /** Of requests on the bus. */
  headers?: Record<string, string>;
}

/** The entries of a file in `corpus/`. */
export function readCorpus(name: 'frames' | 'http' | 'bus'): CorpusEntry[] {
  const text = readFileSync(new URL(`corpus/${name}.json`, import.meta.url), 'utf8');
  const entries = JSON.parse(text) as { why: string; send: Parts; headers?: Record<string, string> }[];
  return entries.map(({ why, send, headers }) => ({
    why,
    text: typeof send === 'string' ? send : send.map(joined).join(''),
    ...(headers && { headers }),
  }));
}

function joined(part: string | readonly [text: string, times: number]): string {
  return typeof part === 'string' ? part : part[0].repeat(part[1]);
}
