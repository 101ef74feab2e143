import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { chooseInfrastructure } from './choice.ts';
import type { Infrastructure } from './choice.ts';
import { givenSource } from './given-source.ts';
import { serversUrlVariable } from './server-set.ts';
import type { ServerSet, ServerSource } from './server-set.ts';

/**
 * Decides once for a test run where its servers come from, and hands them out to its processes as they ask; until then nothing is
 * started. Closing it removes what was started.
 * @param say Hears the decision, in one line.
 */
export async function openRunServers(say: (line: string) => void): Promise<AsyncDisposable> {
  const { infrastructure, line } = await chooseInfrastructure(process.env);
  say(line);
  const source = await openSource(infrastructure);
  if (!source) return { [Symbol.asyncDispose]: () => Promise.resolve() };

  const server = createServer((request, response) => {
    answer(source, request).then(
      (set) => response.end(JSON.stringify(set ?? null)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env[serversUrlVariable] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await source[Symbol.asyncDispose]();
    },
  };
}

/** Hands out a set at POST, takes it back at DELETE. */
async function answer(source: ServerSource, request: IncomingMessage): Promise<ServerSet | undefined> {
  if (request.method === 'POST') return source.take();
  source.giveBack((await json(request)) as ServerSet);
  return undefined;
}

async function openSource(infrastructure: Infrastructure): Promise<ServerSource | undefined> {
  if (infrastructure === 'local-stack') return undefined;
  if (infrastructure === 'docker') {
    // Only where it is needed: it takes its time to load.
    const { dockerSource } = await import('./docker-source.ts');
    return dockerSource();
  }
  const { NATS_URL = '', REDIS_URL = '', DATABASE_URL = '' } = process.env;
  return givenSource({ natsUrl: NATS_URL, redisUrl: REDIS_URL, databaseUrl: DATABASE_URL });
}
