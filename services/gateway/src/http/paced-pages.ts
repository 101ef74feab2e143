import { setTimeout as delay } from 'node:timers/promises';
import { maxPageBytes, ParleyError } from '@parley/protocol';
import type { FastifyRequest } from 'fastify';
import type { TokenBucket } from '../connection/rate-limiter.ts';
import { paced } from '../metrics.ts';
import type { HttpOptions } from './app.ts';

/**
 * Hooks of a route whose replies are pages: an address gets so many bytes of them a second, also over WebSockets. What one may be is
 * taken before it is asked for, and what it was less is given back.
 */
export function pacePages({ addressOf, pagesByAddress }: Pick<HttpOptions, 'addressOf' | 'pagesByAddress'>) {
  const taken = new WeakMap<FastifyRequest, TokenBucket>();
  return {
    /** @throws ParleyError `rate_limited` where the wait would be longer than the request may take. */
    preHandler: async (request: FastifyRequest): Promise<void> => {
      const pages = pagesByAddress.of(addressOf(request.raw));
      if (!pages) return;
      for (;;) {
        const retryAfterMs = pages.reserve(maxPageBytes, Date.now());
        if (retryAfterMs === 0) break;
        paced.inc();
        if (Date.now() + retryAfterMs > request.busContext.deadline)
          throw new ParleyError('rate_limited', { retryAfterMs });
        await delay(retryAfterMs);
      }
      taken.set(request, pages);
    },

    onSend: (request: FastifyRequest, _reply: unknown, payload: unknown, done: () => void): void => {
      const bytes = typeof payload === 'string' ? payload.length : 0;
      taken.get(request)?.giveBack(maxPageBytes - bytes);
      done();
    },
  };
}
