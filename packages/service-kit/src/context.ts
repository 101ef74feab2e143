import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import { Caller, ParleyError, validated } from '@parley/protocol';
import { headers as createHeaders } from '@nats-io/nats-core';
import type { MsgHdrs } from '@nats-io/nats-core';

/** What travels with a request from the client's frame to the last service. */
export interface RequestContext {
  /** Joins the log lines of all processes that had a part in it. */
  requestId: string;
  /** W3C Trace Context (https://www.w3.org/TR/trace-context/), passed on as it came. */
  traceparent: string;
  /** When the caller stops waiting, in ms since 1970. What has not begun by then is not begun. */
  deadline: number;
  /** On whose behalf; undefined for requests that services make for themselves. */
  caller: Caller | undefined;
}

/** A context for something that begins here. */
export function createContext(timeoutMs: number, caller?: Caller): RequestContext {
  const traceId = randomBytes(16).toString('hex');
  return {
    requestId: traceId,
    traceparent: `00-${traceId}-${traceId.slice(0, 16)}-00`,
    deadline: Date.now() + timeoutMs,
    caller,
  };
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

/** The client that asked. @throws ParleyError `not_authenticated` where the request was made for nobody. */
export function callerOf(context: RequestContext): Caller {
  if (!context.caller) throw new ParleyError('not_authenticated');
  return context.caller;
}

const names = {
  requestId: 'Parley-Request-Id',
  deadline: 'Parley-Deadline',
  caller: 'Parley-Caller',
} as const;

export function toHeaders(context: RequestContext): MsgHdrs {
  const headers = createHeaders();
  headers.set(names.requestId, context.requestId);
  headers.set(names.deadline, String(context.deadline));
  headers.set('traceparent', context.traceparent);
  // Header values are Latin-1 without line breaks; names are any text.
  if (context.caller) headers.set(names.caller, encodeURIComponent(JSON.stringify(context.caller)));
  return headers;
}

/** @param timeoutMs For requests that bring no deadline, as those of a person with a NATS tool. */
export function fromHeaders(headers: MsgHdrs | undefined, timeoutMs: number): RequestContext {
  const fresh = createContext(timeoutMs);
  if (!headers) return fresh;
  const caller = headers.get(names.caller);
  return {
    requestId: headers.get(names.requestId) || fresh.requestId,
    traceparent: headers.get('traceparent') || fresh.traceparent,
    deadline: Number(headers.get(names.deadline)) || fresh.deadline,
    caller: caller ? validated(Caller, JSON.parse(decodeURIComponent(caller))) : undefined,
  };
}
