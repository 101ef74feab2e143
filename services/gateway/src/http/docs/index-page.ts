import type { AsyncApi } from '@parley/protocol/documents';
import { html, prose } from './markup.ts';
import { page } from './page.ts';

/** The page that leads to the others. */
export function indexPage(documents: ReadonlyMap<string, AsyncApi>): string {
  const intro = html`<p>
    Three dialects over WebSocket and an HTTP API, one system: what is said in one dialect is delivered in the
    others to those in the same room, under the same id and time. These pages are made of the schemas that
    this server checks requests with.
  </p>`;
  const dialects = [...documents].map(([name, { info, channels }]) => ({
    id: name,
    title: info.title,
    body: html`<p>${prose(info.description)}</p>
      <p>
        <a href="/docs/${name}">Its frames</a>, on
        <code>ws://localhost:20200${channels.connection.address}</code>;
        <a href="/docs/${name}.asyncapi.json">as an AsyncAPI 3.0 document</a>.
      </p>`,
  }));
  const http = {
    id: 'http',
    title: 'Parley: HTTP API',
    body: html`<p>
      <a href="/docs/http">Its requests</a>; <a href="/api/docs">to try them</a>;
      <a href="/api/openapi.json">as an OpenAPI 3.1 document</a>.
    </p>`,
  };
  return page('/docs', intro, [{ title: 'Ways in', sections: [...dialects, http] }]);
}
