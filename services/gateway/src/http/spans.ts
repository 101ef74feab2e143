import { tracer } from '@parley/service-kit';
import type { Span } from '@parley/service-kit';
import type { HttpApp } from './app.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Where traces are made. */
    span: Span | undefined;
  }
}

/** Makes a span of each request, which goes on with the trace of its `traceparent` header (https://www.w3.org/TR/trace-context/). */
export function traceRequests(app: HttpApp): void {
  app.decorateRequest('span');
  const by = tracer;
  if (!by) return;
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, headers, routeOptions } = request;
    const route = routeOptions.url ?? 'nothing';
    const given = headers['traceparent'];
    request.span = by.start({
      name: `${method} ${route}`,
      kind: 'server',
      parent: typeof given === 'string' ? given : undefined,
      attributes: { 'http.request.method': method, 'http.route': route },
    });
    done();
  });
  app.addHook('onResponse', (request, { statusCode }, done) => {
    request.span?.note({ 'http.response.status_code': statusCode });
    request.span?.end(statusCode >= 500 ? { code: String(statusCode) } : undefined);
    done();
  });
}
