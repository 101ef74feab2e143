import { httpSeconds } from '../metrics.ts';
import type { HttpApp } from './app.ts';

/** Measures how long requests take, by the route as it is written in code: never by what stands in its place. */
export function measureRequests(app: HttpApp): void {
  app.addHook('onResponse', ({ method, routeOptions }, reply, done) => {
    const route = routeOptions.url === undefined ? 'none' : `${method} ${routeOptions.url}`;
    httpSeconds.observe({ route, status: reply.statusCode }, reply.elapsedTime / 1_000);
    done();
  });
}
