import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { Caller, ParleyError, validated } from '@parley/protocol';
import { headers as createHeaders } from '@nats-io/nats-core';
import type { MsgHdrs } from '@nats-io/nats-core';

/** What travels with a request from the client's frame to the last service. */
export interface RequestContext {
  /** Joins the log lines of all processes that had a part in it. */
  requestId: string;
  /** The span that asked, in the form of W3C Trace Context. Only where traces are made: see `tracer`. */
  traceparent?: string | undefined;
  /** When the caller stops waiting, in ms since 1970. What has not begun by then is not begun. */
  deadline: number;
  /** On whose behalf; undefined for requests that services make for themselves. */
  caller: Caller | undefined;
}

/** A context for something that begins here. */
export function createContext(timeoutMs: number, caller?: Caller, traceparent?: string): RequestContext {
  return { requestId: createRequestId(), traceparent, deadline: Date.now() + timeoutMs, caller };
}

/** 32 hex digits, all but 6 bits of them random. A UUID is the cheapest of `node:crypto`, which makes them in advance. */
function createRequestId(): string {
  return randomUUID().replaceAll('-', '');
}

const inHand = new AsyncLocalStorage<RequestContext>();

/** Does the work with the context as `contextInHand()`, so that what it asks of others carries it on. */
export function withContext<Result>(context: RequestContext, work: () => Promise<Result>): Promise<Result> {
  return inHand.run(context, work);
}

/** The context of the request being answered, or a fresh one where nobody asked. */
export function contextInHand(timeoutMs: number): RequestContext {
  return inHand.getStore() ?? createContext(timeoutMs);
}

/** What of a request is in each line of the log that tells of it. */
export interface LogIds {
  requestId?: string;
  traceId?: string;
}

/** What finds the lines of all processes for the same request. */
export function logIds(context: RequestContext | undefined): LogIds {
  if (!context) return {};
  const traceId = context.traceparent?.split('-', 2)[1];
  return { requestId: context.requestId, ...(traceId !== undefined && { traceId }) };
}

/** The same of the request being answered, if one is. */
export function logIdsInHand(): LogIds {
  return logIds(inHand.getStore());
}

/** The client that asked. @throws ParleyError `not_authenticated` where the request was made for nobody. */
export function callerOf(context: RequestContext): Caller {
  if (!context.caller) throw new ParleyError('not_authenticated');
  return context.caller;
}

const names = {
  requestId: 'Parley-Request-Id',
  deadline: 'Parley-Deadline',
  caller: 'Parley-Caller',
  traceparent: 'traceparent',
} as const;

export function toHeaders(context: RequestContext): MsgHdrs {
  const headers = createHeaders();
  headers.set(names.requestId, context.requestId);
  headers.set(names.deadline, String(context.deadline));
  if (context.traceparent !== undefined) headers.set(names.traceparent, context.traceparent);
  // Header values are Latin-1 without line breaks; names are any text.
  if (context.caller) headers.set(names.caller, encodeURIComponent(JSON.stringify(context.caller)));
  return headers;
}

/**
 * @param timeoutMs For requests that bring no deadline, as those of a person with a NATS tool.
 * @throws ParleyError `invalid_field`, `missing_field` where the caller can't be read.
 */
export function fromHeaders(headers: MsgHdrs | undefined, timeoutMs: number): RequestContext {
  const caller = headers?.get(names.caller);
  return {
    requestId: headers?.get(names.requestId) || createRequestId(),
    traceparent: headers?.get(names.traceparent) || undefined,
    deadline: Number(headers?.get(names.deadline)) || Date.now() + timeoutMs,
    caller: caller ? validated(Caller, readCaller(caller)) : undefined,
  };
}

function readCaller(text: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(text));
  } catch (cause) {
    throw new ParleyError('invalid_field', { field: names.caller }, { cause });
  }
}
