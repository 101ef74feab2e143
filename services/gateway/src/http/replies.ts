import { errorCodes } from '@parley/protocol';
import type { ErrorCode } from '@parley/protocol';
import { Type } from '@parley/schema';
import type { TSchema } from '@parley/schema';
import { textsOverHttp } from './errors.ts';

export interface Header {
  type: 'string' | 'integer';
  description: string;
}

/** An answer's schema with what the API's document says about it. */
export function documented<Schema extends object>(
  schema: Schema,
  description: string,
  headers?: Record<string, Header>,
): Schema {
  return { ...schema, 'x-response-description': description, ...(headers && { headers }) };
}

export const linkHeader: Record<string, Header> = {
  Link: { type: 'string', description: 'With `rel="next"`: where the next page is; absent on the last one.' },
};
export const setCookieHeader: Record<string, Header> = {
  'Set-Cookie': { type: 'string', description: 'The token, for WebSocket upgrades of the same browser.' },
};

/** What any request may be answered with. */
const common: readonly ErrorCode[] = ['invalid_field', 'rate_limited', 'internal', 'unavailable'];
const ofBodies: readonly ErrorCode[] = ['invalid_json', 'missing_field', 'too_large'];

/** The errors of a request with a body. */
export function bodyErrors(...codes: ErrorCode[]): Record<number, TSchema> {
  return errors(...codes, ...ofBodies);
}

/** The errors of a request, by their HTTP status: its own, and those that any may have. */
export function errors(...codes: ErrorCode[]): Record<number, TSchema> {
  const byStatus = Object.groupBy([...new Set([...codes, ...common])], (code) => errorCodes[code].http);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, ofStatus]) => [status, errorReply(Number(status), ofStatus)]),
  );
}

/** An error with one of these codes. */
export function errorReply(status: number, codes: readonly ErrorCode[]): TSchema {
  const schema = Type.Object({
    status: Type.Literal('error'),
    message: Type.String({ description: 'What happened and what to do about it.' }),
    code: Type.Unsafe<ErrorCode>({ type: 'string', enum: codes }),
    field: Type.Optional(Type.String({ description: 'The offending field.' })),
    retry_after_ms: Type.Optional(Type.Integer({ minimum: 1 })),
    users: Type.Optional(Type.Array(Type.String(), { description: 'The users who were not found.' })),
  });
  const description = codes
    .map((code) => `\`${code}\`: ${textsOverHttp[code] ?? errorCodes[code].text}`)
    .join(' ');
  return documented(schema, description, headersOf(status));
}

function headersOf(status: number): Record<string, Header> | undefined {
  if (status === errorCodes.not_authenticated.http) {
    return { 'WWW-Authenticate': { type: 'string', description: '`Bearer`.' } };
  }
  if (status === errorCodes.rate_limited.http || status === errorCodes.unavailable.http) {
    return { 'Retry-After': { type: 'integer', description: 'When to try again, in seconds.' } };
  }
  return undefined;
}
