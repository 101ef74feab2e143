import { ParleyError } from '@parley/protocol';
import { callerOf, createContext } from '@parley/service-kit';
import { fastify } from 'fastify';
import { findCaller } from '../users/find-caller.ts';
import { accountRoutes, openAccountRoutes } from './accounts.ts';
import type { HttpApp, HttpOptions } from './app.ts';
import { acceptJsonOnly, maxBodyBytes } from './bodies.ts';
import { BodyClock } from './body-clock.ts';
import { welcomeBrowsers } from './browsers.ts';
import { serveDocs } from './docs/index.ts';
import { answerUnreadable, sendError, sendNotFound } from './errors.ts';
import { fileRoutes } from './files.ts';
import { historyRoutes } from './history.ts';
import { measureRequests } from './measure.ts';
import { watchRoutes } from './methods.ts';
import { describeApi } from './open-api.ts';
import { ClientRates } from './rate-limits.ts';
import { roomRoutes } from './rooms.ts';
import { traceRequests } from './spans.ts';
import { bearerToken } from './tokens.ts';
import { countUnreadReplies } from './unread-replies.ts';
import { upgradePaths } from './upgrade-paths.ts';
import { useOwnValidators } from './validation.ts';
import { serveWebClient } from './web.ts';

export type { HttpApp, HttpOptions } from './app.ts';

/** A client may take so long for its headers, and then for its body: for all of it, or of a file for the next part. In ms. */
const headersTimeoutMs = 10_000;
const bodyTimeoutMs = 20_000;
/** A connection without any sign of life is closed after this long, in ms: longer than any answer takes. */
const silenceMs = 60_000;
/** How often these are looked at, in ms. */
const checkEveryMs = 5_000;
const maxHeaderBytes = 16_384;
/** Longer than any part of a path that the headers have room for: our schemas bound it. */
const maxPathPartCharacters = maxHeaderBytes;

/** The HTTP API (protocol.md, "Join dialect"), ready to listen. Closing it closes its server. */
export async function createHttp(options: HttpOptions): Promise<HttpApp> {
  const { log } = options;
  const bodies = new BodyClock(bodyTimeoutMs);
  const app: HttpApp = fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    // None: the body clock knows which bodies may take long.
    requestTimeout: 0,
    connectionTimeout: silenceMs,
    http: {
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: checkEveryMs,
      maxHeaderSize: maxHeaderBytes,
    },
    routerOptions: { maxParamLength: maxPathPartCharacters },
    // While we drain, what comes is answered by whatever is still there.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      sendError(error, request, reply, log);
    },
    clientErrorHandler: answerUnreadable,
  });
  app.setErrorHandler((error, request, reply) => {
    sendError(error, request, reply, log);
  });
  countUnreadReplies(app, options.budget);
  measureRequests(app);
  acceptJsonOnly(app);
  useOwnValidators(app);
  await answerBeforeRoutes(app, options, bodies);
  await describeApi(app);
  serveDocs(app);
  if (options.webDir !== '') await serveWebClient(app, options.webDir);
  else app.get('/', { schema: { hide: true } }, () => ({ name: 'Parley', webSocket: upgradePaths }));
  openAccountRoutes(app, options);
  await app.register((scope: HttpApp, _options, done) => {
    requireToken(scope, options);
    accountRoutes(scope, options);
    roomRoutes(scope, options);
    historyRoutes(scope, options);
    void scope.register((files: HttpApp, _filesOptions, filesDone) => {
      fileRoutes(files, options, bodies);
      filesDone();
    });
    done();
  });
  await app.ready();
  return app;
}

/** What is the same for all requests, in this order: a refusal is readable for pages of allowed origins too. */
async function answerBeforeRoutes(app: HttpApp, options: HttpOptions, bodies: BodyClock): Promise<void> {
  const { allowedOrigins, ratesByAddress, addressOf } = options;
  const methodsOf = watchRoutes(app);
  traceRequests(app);
  await welcomeBrowsers(app, allowedOrigins);
  app.decorateRequest('busContext');
  app.addHook('onRequest', (request, reply, done) => {
    bodies.start(request.raw, reply.raw);
    reply.header('cache-control', 'no-store');
    ratesByAddress.admit(addressOf(request.raw));
    // Before the body is read: whatever it is, nobody is here for it.
    if (request.is404) sendNotFound(request, reply, methodsOf(pathOf(request.url)));
    else done();
  });
  app.setNotFoundHandler((request, reply) => sendNotFound(request, reply, methodsOf(pathOf(request.url))));
  app.addHook('preValidation', (request, _reply, done) => {
    request.busContext = createContext(options.requestTimeoutMs, undefined, request.span?.traceparent);
    done();
  });
}

/** The routes of this scope are for those with a token: over HTTP in the `Authorization` header only. */
function requireToken(scope: HttpApp, { bus, rates }: HttpOptions): void {
  const ratesByUser = new ClientRates(rates);
  scope.addHook('preValidation', async (request) => {
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) throw new ParleyError('not_authenticated');
    const caller = await findCaller(bus, token, request.busContext);
    request.busContext = { ...request.busContext, caller };
    ratesByUser.admit(callerOf(request.busContext).userId);
  });
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}
