import { readFile } from 'node:fs/promises';
import { dialects } from '@parley/protocol';
import type { HttpApp } from '../app.ts';
import { dialectPage } from './dialect-page.ts';
import { httpPage } from './http-page.ts';
import type { OpenApi } from './http-page.ts';
import { indexPage } from './index-page.ts';

/** What the pages may do: look as our style sheet says. They run nothing. */
const pagePolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

interface DocsFile {
  type: 'text/html' | 'text/css' | 'application/json';
  content: string;
}

/**
 * Serves the protocol to those who write its clients, below `/docs`: pages without scripts, and the AsyncAPI documents that they
 * are made of. All of it is made when it is first asked for, as most gateways are never asked. The templates are our own, as the
 * renderers that there are for AsyncAPI bring megabytes of scripts, or need a browser to make their pages.
 */
export function serveDocs(app: HttpApp): void {
  let files: Promise<ReadonlyMap<string, DocsFile>> | undefined;
  const ofDialects = dialects.flatMap(({ name }) => [`/docs/${name}`, documentPath(name)]);
  for (const path of ['/docs', ...ofDialects, '/docs/http', '/docs/style.css']) {
    app.get(path, { schema: { hide: true } }, async (_request, reply) => {
      files ??= makeFiles(app);
      const { type, content } = (await files).get(path)!;
      return reply
        .header('content-type', `${type}; charset=utf-8`)
        .header('content-security-policy', pagePolicy)
        .header('cache-control', 'no-cache')
        .send(content);
    });
  }
}

/** Every file by its path. */
async function makeFiles(app: HttpApp): Promise<Map<string, DocsFile>> {
  const { asyncApiOf, descriptions } = await import('@parley/protocol/documents');
  const documents = new Map(
    descriptions.map((description) => [description.dialect.name, asyncApiOf(description)]),
  );
  const files = new Map<string, DocsFile>();
  for (const [name, document] of documents) {
    files.set(`/docs/${name}`, { type: 'text/html', content: dialectPage(name, document) });
    files.set(documentPath(name), { type: 'application/json', content: JSON.stringify(document) });
  }
  files.set('/docs', { type: 'text/html', content: indexPage(documents) });
  files.set('/docs/http', { type: 'text/html', content: httpPage(app.swagger() as unknown as OpenApi) });
  const style = await readFile(new URL('style.css', import.meta.url), 'utf8');
  return files.set('/docs/style.css', { type: 'text/css', content: style });
}

function documentPath(dialect: string): string {
  return `/docs/${dialect}.asyncapi.json`;
}
