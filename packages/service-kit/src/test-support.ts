import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { startServers } from '@parley/local-stack';
import type { ManagedProcess } from '@parley/local-stack';
import { pino } from 'pino';
import type { Log } from './log.ts';

/** Longest wait for anything a test of this package expects, in ms: only a bug reaches it. */
const patienceMs = 45_000;

export interface TestServer extends AsyncDisposable {
  url: string;
  process: ManagedProcess;
}

const addresses = { nats: 'natsUrl', redis: 'redisUrl', postgres: 'databaseUrl' } as const;

/**
 * Starts one real server with its data in a folder that goes with it.
 * @param natsConfig A file of NATS' own settings.
 */
export async function startServer(name: keyof typeof addresses, natsConfig?: string): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-service-kit-'));
  const others = Object.entries(addresses).filter(([other]) => other !== name);
  const given = Object.fromEntries(others.map(([, address]) => [address, 'none:']));
  const servers = await startServers({ dataDir, given, ...(natsConfig !== undefined && { natsConfig }) });
  return {
    url: servers.addresses[addresses[name]],
    process: servers[name]!,
    async [Symbol.asyncDispose]() {
      await servers[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Resolves once the condition holds. @throws Error naming what was waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${patienceMs} ms for: ${what}`);
    await delay(10);
  }
}

/** A log whose lines can be looked at. */
export function createTestLog(): { log: Log; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      lines.push(JSON.parse(line.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { log: pino({ level: 'trace' }, stream), lines };
}

/** A certificate and its key, in PEM, and the files that they are in. */
export interface Certificate {
  certificate: string;
  key: string;
  certificateFile: string;
  keyFile: string;
}

/**
 * Makes a certificate with openssl, in the folder.
 * @param name For whom, and the names of its files; a server is called by it.
 * @param signer The authority that signs it; without one it signs itself, and may sign others.
 */
export function makeCertificate(folder: string, name: string, signer?: Certificate): Certificate {
  const certificateFile = join(folder, `${name}.pem`);
  const keyFile = join(folder, `${name}.key`);
  const signed = signer
    ? ['-CA', signer.certificateFile, '-CAkey', signer.keyFile, '-addext', `subjectAltName=DNS:${name}`]
    : [];
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '1'];
  const files = ['-subj', `/CN=${name}`, '-keyout', keyFile, '-out', certificateFile];
  execFileSync('openssl', ['req', ...made, ...signed, ...files], { stdio: 'pipe' });
  return {
    certificate: readFileSync(certificateFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
    certificateFile,
    keyFile,
  };
}

/** How long the promise took to settle, in ms. */
export async function msOf(promise: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await promise.catch(() => undefined);
  return performance.now() - start;
}
