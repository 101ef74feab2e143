import type { SeededRandom } from '../../faults/random.ts';
import { anyText, hostileValues, mutatedObject, mutatedText } from '../generation/hostile.ts';
import { Pool } from '../generation/pool.ts';
import { valuesOf } from '../generation/schema-values.ts';
import type { JsonSchema } from '../generation/schema-values.ts';
import type { Vocabulary } from '../generation/vocabulary.ts';

export interface HttpRequest {
  /** As the document says it: `GET /api/chat-history/{roomId}`. */
  route: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

interface Operation {
  method: string;
  path: string;
  parameters: readonly { name: string; in: string; values: Pool<unknown> }[];
  body: Pool<unknown> | undefined;
}

/** As much of an OpenAPI document as is used. */
interface OpenApi {
  paths: Record<string, Record<string, OpenApiOperation>>;
}
interface OpenApiOperation {
  parameters?: { name: string; in: string; schema: JsonSchema }[];
  requestBody?: { content: Record<string, { schema: JsonSchema }> };
}

const undocumented = [
  '/',
  '/api',
  '/api/',
  '/api/docs',
  '/api/docs/json',
  '/api/openapi.json',
  '/ws',
  '/metrics',
  '/livez',
];
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND', 'QUERY'];
/** Of those with a password's hash, so many are left right. */
const shareOfLogins = 0.01;
const longestBody = 70_000;

const headersToAdd: Readonly<Record<string, readonly string[]>> = {
  range: [
    'bytes=0-',
    'bytes=-1',
    'bytes=5-1',
    'bytes=0-0,1-1',
    'bytes=9999999999999999999-',
    'rows=1-2',
    'bytes=a-b',
    'bytes=-0',
  ],
  'if-none-match': ['*', '""', 'W/"a"', '"a', '"a", "b"'],
  'if-modified-since': ['Thu, 01 Jan 1970 00:00:00 GMT', 'yesterday', '9999'],
  'if-range': ['""', '"a"', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  origin: ['null', 'http://127.0.0.1', 'https://example.org', '[', ''],
  accept: ['text/html', '*/*;q=2', ','],
  cookie: ['parley_token=a', 'parley_token=', ';;=;', '__proto__=1'],
  'x-forwarded-for': ['::1', ',', 'x'.repeat(300), '127.0.0.1, 127.0.0.1'],
  'x-http-method-override': ['DELETE'],
  traceparent: ['00-0-0-0', 'x'],
  host: ['', '[', 'a b', 'x'.repeat(300)],
};
const contentTypes = [
  'text/plain',
  'application/json; charset=utf-16',
  'application/JSON',
  'a/b/c',
  ';',
  'multipart/form-data',
  '',
];
const authorizations = [
  'Bearer',
  'Bearer ',
  'bearer x',
  'Basic YTpi',
  'Bearer a b',
  `Bearer ${'x'.repeat(300)}`,
  'Bearer \xff',
  '',
];

/** Requests as the document has them, and what becomes of them when something is changed. */
export class HttpSource {
  readonly #random: SeededRandom;
  readonly #vocabulary: Vocabulary;
  readonly #token: string;
  readonly #operations: readonly Operation[];

  /** @param document The API's own: OpenAPI 3.1. */
  constructor(document: object, random: SeededRandom, vocabulary: Vocabulary, token: string) {
    this.#random = random;
    this.#vocabulary = vocabulary;
    this.#token = token;
    this.#operations = Object.entries((document as OpenApi).paths).flatMap(([path, byMethod]) =>
      Object.entries(byMethod).map(([method, { parameters = [], requestBody }]) => {
        const [content] = Object.values(requestBody?.content ?? {});
        return {
          method: method.toUpperCase(),
          path,
          parameters: parameters.map(({ name, in: where, schema }) => ({
            name,
            in: where,
            values: new Pool(valuesOf(schema), random),
          })),
          body: content && new Pool(valuesOf(content.schema), random),
        };
      }),
    );
  }

  next(): HttpRequest {
    const random = this.#random;
    const { method, path, parameters, body: bodies } = random.pick(this.#operations);
    const route = `${method} ${path}`;
    let body = bodies ? this.#body(bodies, path) : '';
    if (random.isTrue(0.02))
      body = random.pick([anyText(random), 'x'.repeat(longestBody), '[]', 'null', '{']);
    const asked = random.isTrue(0.05) ? random.pick(methods) : method;
    return {
      route: asked === method ? route : `${asked} ${path}`,
      method: asked,
      path: random.isTrue(0.04) ? random.pick(undocumented) : this.#path(path, parameters),
      headers: this.#headers(body, asked),
      body: asked === 'GET' || asked === 'HEAD' ? '' : body,
    };
  }

  #body(values: Pool<unknown>, path: string): string {
    const random = this.#random;
    const drawn = values.draw();
    if (typeof drawn !== 'object' || drawn === null) return JSON.stringify(drawn);
    const body = this.#vocabulary.filled(drawn, random, 0.8);
    const isDear = /login|register|create/.test(path);
    const isRight = random.isTrue(isDear ? shareOfLogins : 0.3);
    if (isRight) return JSON.stringify(body);
    if (isDear)
      return JSON.stringify({
        ...body,
        [Object.keys(body)[0] ?? 'a']: random.pick(hostileValues.filter(isNoName)),
      });
    const wrong = mutatedObject(body, random);
    return random.isTrue(0.5) ? JSON.stringify(wrong) : mutatedText(JSON.stringify(wrong), random);
  }

  #path(path: string, parameters: Operation['parameters']): string {
    const random = this.#random;
    const value = (name: string, values: Pool<unknown>): unknown => {
      if (random.isTrue(0.2)) return random.pick(hostileValues);
      return (random.isTrue(0.6) ? this.#vocabulary.for(name, random) : undefined) ?? values.draw();
    };
    const filled = parameters
      .filter((parameter) => parameter.in === 'path')
      .reduce((text, { name, values }) => text.replace(`{${name}}`, encoded(value(name, values))), path);
    const query = parameters
      .filter((parameter) => parameter.in === 'query' && random.isTrue(0.6))
      .map(
        ({ name, values }) =>
          `${name}${random.pick(['=', '=', '=', '[]=', '==', ''])}${encoded(value(name, values))}`,
      );
    const whole = filled + (query.length > 0 ? `?${query.join(random.pick(['&', '&', ';']))}` : '');
    // Node sends no other characters in a path; those are sent byte by byte.
    return random.isTrue(0.1) ? mutatedText(whole, random).replaceAll(/[^!-~]/g, '%') : whole;
  }

  #headers(body: string, method: string): Record<string, string> {
    const random = this.#random;
    const headers: Record<string, string> = {};
    if (random.isTrue(0.85)) headers['authorization'] = `Bearer ${this.#token}`;
    else if (random.isTrue(0.5)) headers['authorization'] = random.pick(authorizations);
    if (body !== '')
      headers['content-type'] = random.isTrue(0.9) ? 'application/json' : random.pick(contentTypes);
    if (body !== '' && method !== 'GET' && method !== 'HEAD')
      headers['content-length'] = String(Buffer.byteLength(body));
    if (random.isTrue(0.2)) {
      const name = random.pick(Object.keys(headersToAdd));
      headers[name] = random.pick(headersToAdd[name]!);
    }
    return headers;
  }
}

/** What nobody can be called, so that no password is looked at. */
function isNoName(value: unknown): boolean {
  return typeof value !== 'string' || value.trim() === '' || value.includes('\0');
}

function encoded(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return encodeURIComponent(text.toWellFormed());
}
