import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readyMade } from './ready-made.ts';
import { readScript, ScriptError } from './rules.ts';
import type { Rule } from './rules.ts';

const names = [...readyMade.keys()].join(', ');

export const usage = `Usage: npm run faulty-server -- (--script FILE | --fault NAME ...) [--seed N] [--url ws://HOST:PORT] [--port N]
  --script  what goes wrong, as docs/clients.md has it
  --fault   something ready-made, several times for several:
            ${names}
  --seed    of what is left to chance; another one each time unless it is given
  --url     the real server; default: one of its own, with empty data
  --port    where clients connect; default 20300`;

const seeds = 1_000_000;
const highestPort = 65_535;

export interface FaultyServerArguments {
  rules: Rule[];
  seed: number;
  /** Undefined: a server is to be started. */
  url: string | undefined;
  port: number;
}

/** @throws ScriptError, or what parseArgs throws, about what is wrong with the arguments. */
export function parseArguments(args: readonly string[], folder: string): FaultyServerArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      script: { type: 'string' },
      fault: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string' },
      url: { type: 'string' },
      port: { type: 'string', default: '20300' },
    },
  });
  const script = values.script === undefined ? undefined : readScript(textOf(resolve(folder, values.script)));
  const rules = [...(script?.rules ?? []), ...values.fault.map(ruleOf)];
  if (rules.length === 0) throw new ScriptError('say what is to go wrong: --script FILE or --fault NAME');
  const port = wholeNumber('port', values.port);
  if (port > highestPort) throw new ScriptError(`--port is at most ${highestPort}, got ${port}`);
  if (values.url !== undefined && !/^ws:\/\/[^/]+\/?$/.test(values.url)) {
    throw new ScriptError(`--url is as ws://localhost:20200, got '${values.url}'`);
  }
  const seed =
    values.seed === undefined ? (script?.seed ?? randomInt(seeds)) : wholeNumber('seed', values.seed);
  return { rules, seed, url: values.url, port };
}

function ruleOf(name: string): Rule {
  const rule = readyMade.get(name);
  if (!rule) throw new ScriptError(`--fault: there is no "${name}"; there are ${names}`);
  return rule;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ScriptError(`--script: ${(error as Error).message}`);
  }
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new ScriptError(`--${option} is a whole number, got '${text}'`);
  return Number(text);
}
