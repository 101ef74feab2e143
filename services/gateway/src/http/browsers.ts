import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { HttpApp } from './app.ts';
import { isAllowedOrigin } from './origins.ts';

/** How long a browser may remember what pages of another origin are allowed, in seconds. */
const preflightMaxAge = 600;

/** What a browser may do with an answer of ours that it shows: run, load or frame nothing. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
};

/** Tells browsers what they may do: with our answers, and on behalf of the pages of other origins. */
export async function welcomeBrowsers(app: HttpApp, allowedOrigins: readonly string[]): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy,
    // Whether this host and its neighbours are to be reached by TLS alone is for their operator to say.
    strictTransportSecurity: false,
    xFrameOptions: { action: 'deny' },
  });
  await app.register(cors, {
    delegator: ({ headers: { origin, host } }, done) => {
      done(null, {
        // Without an origin there is nobody to tell.
        origin: origin !== undefined && isAllowedOrigin(origin, host, allowedOrigins),
        strictPreflight: false,
        methods: ['GET', 'HEAD', 'POST'],
        allowedHeaders: ['Authorization', 'Content-Type', 'If-None-Match', 'If-Range', 'Range'],
        exposedHeaders: ['Content-Disposition', 'Content-Range', 'ETag', 'Link', 'Retry-After'],
        maxAge: preflightMaxAge,
      });
    },
  });
}
