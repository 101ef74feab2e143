import { isOvergrown, parseJson } from '@parley/protocol';
import type { FastifyRequest } from 'fastify';
import type { HttpApp } from './app.ts';
import { noJson } from './errors.ts';

/** Largest body of a request, in bytes, where it is no file. */
export const maxBodyBytes = 65_536;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Bodies are JSON, and have to say so: that is what keeps pages of other sites from sending any without being asked. */
export function acceptJsonOnly(app: HttpApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, body.length === 0 ? undefined : parseBody(request, body));
    } catch (thrown) {
      done(noJson(thrown));
    }
  });
}

/** Bodies are bytes, whatever they are said to be; the routes read them themselves, however long they are. */
export function acceptBytes(app: HttpApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _body, done) => {
    done(null);
  });
}

function parseBody({ headers }: FastifyRequest, body: Buffer): unknown {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new Error('the body is not said to be JSON');
  const text = utf8.decode(body);
  if (isOvergrown(text)) throw new Error('the body has more levels or fields than anything has');
  return parseJson(text);
}
