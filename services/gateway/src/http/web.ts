import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { HttpApp } from './app.ts';

/** How long a browser may keep what has its content's hash in its name, in seconds: a year, the longest that is heeded. */
const assetsMaxAge = 31_536_000;

/** What the web client may do: run, show and reach what comes from our own port, and show what it made itself (previews). */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

/**
 * Serves the web client: its page at `/`, which is asked for anew each time, and what it is made of below `/assets/`, compressed
 * beforehand (`.br`, `.gz`) and kept by browsers.
 * @param webDir The folder where it was built.
 * @throws Error naming the folder where no web client was built.
 */
export async function serveWebClient(app: HttpApp, webDir: string): Promise<void> {
  const folder = resolve(webDir);
  const page = join(folder, 'index.html');
  await access(page).catch((cause: unknown) => {
    throw new Error(`WEB_DIR: there is no web client (index.html) in ${folder}.`, { cause });
  });
  await app.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    preCompressed: true,
    index: false,
    schemaHide: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const isPage = path === page;
      reply.header('cache-control', isPage ? 'no-cache' : `public, max-age=${assetsMaxAge}, immutable`);
    },
  });
  app.get('/', { schema: { hide: true } }, (_request, reply) => {
    reply.header('content-security-policy', pagePolicy);
    return reply.sendFile('index.html', folder);
  });
}
