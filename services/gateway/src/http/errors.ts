import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorCodes, ParleyError } from '@parley/protocol';
import type { ErrorCode } from '@parley/protocol';
import { logIds } from '@parley/service-kit';
import type { Log } from '@parley/service-kit';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** When to try again, where the error does not say it itself, in ms. */
const retryAfterMs = 5_000;
const retryLater: readonly ErrorCode[] = ['rate_limited', 'unavailable'];

/** Where the text of a code speaks of frames or chunks. */
export const textsOverHttp: Partial<Record<ErrorCode, string>> = {
  invalid_json: 'The body is no JSON object; send one, with `Content-Type: application/json`.',
  chunks_missing: 'Another upload of this name took the place of this one; send the file again.',
};
const texts = {
  unreadable: 'The request could not be read; send it again, whole.',
  late: 'The request did not come in time; send it again, whole.',
};

/** An error as it is told over HTTP. */
export function errorBody({ code, message, details: { field, retryAfterMs, users } }: ParleyError): object {
  return { status: 'error', message, code, field, retry_after_ms: retryAfterMs, users };
}

/** The body is not what it has to be: a JSON object, said to be JSON. */
export function noJson(cause?: unknown): ParleyError {
  return new ParleyError('invalid_json', {}, { message: textsOverHttp.invalid_json, cause });
}

/** Answers with an error of ours; what nobody foresaw is logged and told as `internal`, without its cause. */
export function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): void {
  const error = errorFrom(thrown);
  if (error.code === 'internal' && error.cause !== undefined) {
    // The route, not the path: a query may hold a token.
    const route = request.routeOptions.url;
    const ids = logIds(request.busContext);
    log.error(
      { err: error.cause, method: request.method, route, ...ids },
      'HTTP request failed unexpectedly',
    );
  }
  reply.headers(errorHeaders(error));
  // Fastify closes a connection whose body it refused; a client that is still sending would lose the answer.
  if (reply.hasHeader('connection')) reply.removeHeader('connection');
  void reply.code(error.http).send(errorBody(error));
}

/** Answers where there is nothing at the path, or nothing for this method. @param allowed The methods that the path knows. */
export function sendNotFound(
  { method }: FastifyRequest,
  reply: FastifyReply,
  allowed: readonly string[],
): FastifyReply {
  if (allowed.length === 0 || allowed.includes(method)) {
    const nothing = new ParleyError('unknown_action', {}, { message: 'There is nothing at this path.' });
    return reply.code(nothing.http).send(errorBody(nothing));
  }
  const methods = allowed.join(', ');
  const message = `This path does not know the method ${method}; use ${methods}.`;
  const error = new ParleyError('unknown_action', {}, { message });
  return reply.code(405).header('allow', methods).send(errorBody(error));
}

/** Answers what is no HTTP, too long, or too slow to become a request at all. */
export function answerUnreadable({ code }: { code?: string }, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const message = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? texts.late : texts.unreadable;
  const error =
    code === 'HPE_HEADER_OVERFLOW'
      ? new ParleyError('too_large')
      : new ParleyError('invalid_field', {}, { message });
  endWithError(socket, error);
}

/** Answers with an error and closes, where there is no reply of Fastify's to do so. */
export function endWithError(socket: Duplex, error: ParleyError): void {
  const body = JSON.stringify(errorBody(error));
  const head = [
    `HTTP/1.1 ${error.http} ${STATUS_CODES[error.http] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(errorHeaders(error)).map(([name, value]) => `${name}: ${value}`),
  ];
  // Ended alone it would stay open until the client closes its half, and nobody counts it any more.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** What an error says beside its body. */
function errorHeaders(error: ParleyError): Record<string, string> {
  const retryAfter = Math.ceil((error.details.retryAfterMs ?? retryAfterMs) / 1_000);
  return {
    ...(error.http === errorCodes.not_authenticated.http && { 'WWW-Authenticate': 'Bearer' }),
    ...(retryLater.includes(error.code) && { 'Retry-After': String(retryAfter) }),
  };
}

/** Fastify's own errors that are the client's doing, in our words. */
export function errorFrom(thrown: unknown): ParleyError {
  if (thrown instanceof ParleyError) return thrown;
  const { code, statusCode = 500 } = thrown as { code?: string; statusCode?: number };
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ParleyError('too_large');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return noJson(thrown);
    case 'FST_ERR_BAD_URL':
      return new ParleyError('unknown_action', {}, { message: 'This path is no valid URL; encode it.' });
  }
  const isOurs = statusCode >= 500;
  return isOurs
    ? ParleyError.from(thrown)
    : new ParleyError('invalid_field', {}, { message: texts.unreadable, cause: thrown });
}
