import { fastify } from 'fastify';
import type { Log } from './log.ts';
import { metrics } from './metrics.ts';

/** Resolves when the thing asked about works. */
export type ReadinessCheck = () => Promise<unknown>;

/** Longest time for one readiness check, in ms. */
const checkTimeoutMs = 2_000;

/** The side port: for probes and scrapers, never for clients. */
export class Health {
  readonly #checks = new Map<string, ReadinessCheck>();
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

  async listen(host: string, port: number, log: Log): Promise<AsyncDisposable> {
    const server = fastify({ logger: false });
    server.get('/livez', () => ({ status: 'ok' }));
    server.get('/readyz', async (_request, reply) => {
      const notReady = await this.#notReady();
      return reply
        .code(notReady.length > 0 ? 503 : 200)
        .send({ status: notReady.length > 0 ? 'not ready' : 'ok', notReady });
    });
    server.get('/metrics', async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.metrics()),
    );
    await server.listen({ host, port });
    log.debug({ addresses: server.addresses() }, 'side port listens');
    return { [Symbol.asyncDispose]: () => server.close() };
  }
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
