import { parseArgs } from 'node:util';
import { dialects } from './check.ts';
import type { Dialect } from './check.ts';
import { chosen } from './run.ts';
import type { RunOptions } from './run.ts';

export const usage = `Usage: npm run conformance -- --url ws://HOST:PORT [--dialect ${dialects.join('|')}] [--only NAME] [--json] [--list]
  --url              the server; its HTTP API is on the same port
  --dialect          what it speaks, several times for several; default: all
  --only             a check or the beginning of its name, several times for several; default: all
  --json             one JSON object at the end instead of lines
  --list             shows the checks and runs none
  --patience         longest wait for anything, in ms; default 10000
  --max-frame-bytes  largest frame that the server takes; default 1048576`;

/** What was typed can't be meant. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface ConformanceArguments extends RunOptions {
  json: boolean;
  list: boolean;
}

/** @throws UsageError, or what parseArgs throws. */
export function parseArguments(args: readonly string[]): ConformanceArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: 'string' },
      dialect: { type: 'string', multiple: true, default: [...dialects] },
      only: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      patience: { type: 'string', default: '10000' },
      'max-frame-bytes': { type: 'string', default: '1048576' },
    },
  });
  const options = {
    url: addressOf(values.url ?? (values.list ? 'ws://localhost' : '')),
    dialects: values.dialect.map(dialectOf),
    only: values.only,
    json: values.json,
    list: values.list,
    patienceMs: wholeNumber('patience', values.patience),
    maxFrameBytes: wholeNumber('max-frame-bytes', values['max-frame-bytes']),
  };
  for (const name of options.only) {
    if (chosen({ dialects, only: [name] }).length === 0)
      throw new UsageError(`--only: there is no check "${name}"`);
  }
  return options;
}

function addressOf(url: string): string {
  if (!/^wss?:\/\/[^/]+\/?$/.test(url))
    throw new UsageError(`--url is as ws://localhost:20200, got '${url}'`);
  return url.replace(/\/$/, '');
}

function dialectOf(name: string): Dialect {
  const dialect = dialects.find((known) => known === name);
  if (!dialect) throw new UsageError(`--dialect is one of ${dialects.join(', ')}, got '${name}'`);
  return dialect;
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new UsageError(`--${option} is a whole number above 0, got '${text}'`);
  return Number(text);
}
