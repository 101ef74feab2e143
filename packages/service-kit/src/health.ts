import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Log } from './log.ts';
import { metrics } from './metrics.ts';

/** Resolves when the thing asked about works. */
export type ReadinessCheck = () => Promise<unknown>;

/** Longest time for one readiness check, in ms. */
const checkTimeoutMs = 2_000;

interface Page {
  status: number;
  type: string;
  body: string;
}

/**
 * The side port: for probes and scrapers, never for clients. On Node's own server, as three fixed pages are not worth the time
 * that a framework takes at the start of every process.
 */
export class Health {
  readonly #checks = new Map<string, ReadinessCheck>();
  readonly #pages = new Map<string, () => Promise<Page>>([
    ['/livez', () => Promise.resolve(json(200, { status: 'ok' }))],
    ['/readyz', () => this.#readiness()],
    ['/metrics', async () => ({ status: 200, type: metrics.contentType, body: await metrics.metrics() })],
  ]);
  #started = false;

  /** Adds a dependency that has to answer for the process to be ready. */
  require(dependency: string, check: ReadinessCheck): void {
    this.#checks.set(dependency, check);
  }

  /** From now on the process takes work, if its dependencies answer. */
  started(): void {
    this.#started = true;
  }

  /** From now on the process takes no new work. */
  draining(): void {
    this.#started = false;
  }

  async #notReady(): Promise<string[]> {
    if (!this.#started) return ['process'];
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => ((await answers(check)) ? [] : [name])),
    );
    return results.flat();
  }

  async #readiness(): Promise<Page> {
    const notReady = await this.#notReady();
    return notReady.length > 0
      ? json(503, { status: 'not ready', notReady })
      : json(200, { status: 'ok', notReady });
  }

  async listen(host: string, port: number, log: Log): Promise<AsyncDisposable> {
    const server = createServer((request, response) => {
      const [path = ''] = (request.url ?? '').split('?');
      const asksOnly = request.method === 'GET' || request.method === 'HEAD';
      const page = (asksOnly && this.#pages.get(path)) || notFound;
      page().then(
        ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
        (err: unknown) => {
          log.error({ err, path }, 'side port failed');
          response.writeHead(500).end();
        },
      );
    });
    server.listen(port, host);
    await once(server, 'listening');
    log.debug({ address: server.address() }, 'side port listens');
    return {
      async [Symbol.asyncDispose]() {
        if (!server.listening) return;
        server.close();
        await once(server, 'close');
      },
    };
  }
}

function notFound(): Promise<Page> {
  return Promise.resolve(json(404, { status: 'not found' }));
}

function json(status: number, body: object): Page {
  return { status, type: 'application/json; charset=utf-8', body: JSON.stringify(body) };
}

async function answers(check: ReadinessCheck): Promise<boolean> {
  const timeout = new Promise<false>((resolve) => {
    setTimeout(() => {
      resolve(false);
    }, checkTimeoutMs).unref();
  });
  // In an async function, so that a check that throws at once has not answered either.
  const answer = (async () => check())().then(
    () => true,
    () => false,
  );
  return Promise.race([answer, timeout]);
}
