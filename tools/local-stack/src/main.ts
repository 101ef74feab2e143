/** `npm start`: all of Parley on this machine, until Ctrl-C. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { killAllIn } from './data-folder.ts';
import { LocalStackError } from './local-stack-error.ts';
import { LogFollower } from './log-follower.ts';
import type { ServerAddresses } from './servers.ts';
import { startStack, type Stack } from './stack.ts';

const dataDir = fileURLToPath(new URL('../../../.parley', import.meta.url));
/** Where `apps/web/build.mjs` puts the web client. */
const builtWebDir = fileURLToPath(new URL('../../../apps/web/dist', import.meta.url));

/** One Ctrl-C can reach us more than once: from the terminal, and passed on by whoever started us. */
const sameCtrlCMs = 500;

const stopping = new AbortController();
let stopAskedAt = 0;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stop(signal);
  });
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', () => {}); // the terminal may be gone before we are
}

try {
  await run();
} catch (error) {
  if (!stopping.signal.aborted) {
    console.error(error instanceof LocalStackError ? error.message : error);
    process.exitCode = 1;
  }
}

async function run(): Promise<void> {
  say('Starting Parley ...');
  const gateways = wholeNumber('GATEWAYS', 1, 1, 100);
  // For people at a terminal; whoever reads us by a program has the files, in JSON.
  await using logs = process.stdout.isTTY ? new LogFollower(show, { colorize: true }) : undefined;
  await using stack = await startStack({
    dataDir,
    gateways,
    instances: wholeNumber('INSTANCES', 1, 1, 100),
    port: wholeNumber('PORT', 20_200, 1, 65_536 - gateways),
    given: givenAddresses(),
    webDir: process.env.WEB_DIR ?? (existsSync(builtWebDir) ? builtWebDir : ''),
    log: say,
    abort: stopping.signal,
    ...(logs && { logOpened: (file) => logs.follow(file) }),
  });
  await logs?.look();
  say(greeting(stack));
  if (!stopping.signal.aborted) await once(stopping.signal, 'abort');
  say('Stopping ...');
}

function greeting({ gateways }: Stack): string {
  const urls = gateways.map(({ url, webSocketUrl }) => `  ${local(url)}   ${local(webSocketUrl)}`);
  return [
    'Parley is ready; open it in a browser, or connect to it:',
    ...urls,
    'Ctrl-C stops everything; data are kept in .parley/, logs in .parley/logs/',
  ].join('\n');
}

function local(url: string): string {
  return url.replace('127.0.0.1', 'localhost');
}

function stop(signal: NodeJS.Signals): void {
  if (!stopping.signal.aborted) {
    stopAskedAt = Date.now();
    stopping.abort();
  } else if (signal === 'SIGINT' && Date.now() - stopAskedAt > sameCtrlCMs) {
    killAllIn(dataDir);
    process.exit(130);
  }
}

function givenAddresses(): Partial<ServerAddresses> {
  const { NATS_URL, REDIS_URL, DATABASE_URL } = process.env;
  return {
    ...(NATS_URL && { natsUrl: NATS_URL }),
    ...(REDIS_URL && { redisUrl: REDIS_URL }),
    ...(DATABASE_URL && { databaseUrl: DATABASE_URL }),
  };
}

/** @throws LocalStackError naming the setting and what it may be. */
function wholeNumber(setting: string, byDefault: number, min: number, max: number): number {
  const text = process.env[setting] ?? '';
  if (text === '') return byDefault;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new LocalStackError(`${setting}: expected a whole number from ${min} to ${max}, got '${text}'.`);
}

function say(line: string): void {
  console.log(line);
}

function show(text: string): void {
  process.stdout.write(text);
}
