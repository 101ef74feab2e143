import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { version } from '@parley/protocol';
import type { HttpApp } from './app.ts';

/** What a route asks for that wants a token, as the document says it. */
export const bearer = { bearer: [] };

/** What the page that shows the document may do: use what comes from our own port. */
const pagePolicy = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

/** Gathers the document from the schemas of all routes that come after it, and shows it. */
export async function describeApi(app: HttpApp): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Parley',
        version,
        description: 'The HTTP part of the join dialect. Bodies are JSON, at most 64 KiB, but for files.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'Accounts', description: 'Accounts and tokens.' },
        { name: 'Rooms', description: 'Rooms and their members.' },
        { name: 'Messages', description: 'What was said.' },
        { name: 'Files', description: 'What was shared.' },
      ],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/api/docs',
    staticCSP: pagePolicy,
    theme: { title: 'Parley: HTTP API' },
  });
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
