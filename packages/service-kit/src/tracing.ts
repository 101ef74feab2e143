import { AsyncLocalStorage } from 'node:async_hooks';
import type { Method } from '@parley/protocol';
import type { RequestContext } from './context.ts';
import type { Log } from './log.ts';
import type { TracingConfig } from './settings.ts';

export type SpanKind = 'internal' | 'server' | 'client' | 'consumer';
export type SpanAttributes = Record<string, string | number | boolean>;

/** One piece of work that is under way. */
export interface Span {
  /** W3C Trace Context (https://www.w3.org/TR/trace-context/), for what it sets off. */
  readonly traceparent: string;
  /** Adds to what is told of it. */
  note(attributes: SpanAttributes): void;
  /** The span of another trace that it has to do with. */
  link(traceparent: string): void;
  /** @param error Why it failed, if it did. */
  end(error?: unknown): void;
}

export interface SpanOptions {
  /** One of few: ids go into attributes. */
  name: string;
  kind: SpanKind;
  /** What set it off; undefined, or nothing that can be read: a trace begins. */
  parent: string | undefined;
  attributes?: SpanAttributes;
}

export interface Tracer extends AsyncDisposable {
  /** Undefined where its trace is not to be made: so what it sets off is told of none, and costs nothing either. */
  start(options: SpanOptions): Span | undefined;
}

/**
 * Undefined where this process makes no traces, which is the default: every hook of them asks this first and then does nothing more.
 * Set once, before a service starts.
 */
export let tracer: Tracer | undefined;

const inHand = new AsyncLocalStorage<readonly Span[]>();

/**
 * Begins to make traces where `OTEL_EXPORTER_OTLP_ENDPOINT` is set; the SDK is loaded only then. Closing it sends what is left.
 * @param service Part of the name in traces: `parley-gateway`.
 */
export async function openTracing(
  service: string,
  config: TracingConfig,
  log: Log,
): Promise<AsyncDisposable | undefined> {
  const { otlpEndpoint } = config;
  if (otlpEndpoint === undefined) return undefined;
  const { createOtlpTracer } = await import('./otlp-tracer.ts');
  tracer = createOtlpTracer(service, { ...config, otlpEndpoint }, log);
  return tracer;
}

/** Does the work with these as the spans in hand: statements of SQL become a part of each. */
export function withSpans<Result>(spans: readonly Span[], work: () => Promise<Result>): Promise<Result> {
  return inHand.run(spans, work);
}

/** The span of the request being answered, as `traceparent`. */
export function traceparentInHand(): string | undefined {
  return tracer && inHand.getStore()?.[0]?.traceparent;
}

/** A request to a service, as its caller sees it. Only what belongs to a trace has spans. */
export function startCall(
  method: Method,
  { traceparent: parent }: Pick<RequestContext, 'traceparent'>,
): Span | undefined {
  return tracer && parent !== undefined ? startMethod(tracer, method, 'client', parent) : undefined;
}

/** The same in the service that answers it. */
export function startAnswer(method: Method, { traceparent: parent }: RequestContext): Span | undefined {
  return tracer && parent !== undefined ? startMethod(tracer, method, 'server', parent) : undefined;
}

function startMethod(
  by: Tracer,
  { name, service }: Method,
  kind: SpanKind,
  parent: string,
): Span | undefined {
  return by.start({
    name,
    kind,
    parent,
    attributes: { 'rpc.system': 'nats', 'rpc.service': service, 'rpc.method': name },
  });
}

/** A statement of SQL, as a part of each span in hand. Its text has no values. */
export function startStatement({ name, text }: { name: string; text: string }): Span | undefined {
  const parents = tracer && inHand.getStore();
  if (!tracer || !parents) return undefined;
  const attributes = {
    'db.system.name': 'postgresql',
    'db.query.text': text,
    ...(name !== '' && { 'db.query.summary': name }),
  };
  const by = tracer;
  const spans = parents
    .map(({ traceparent: parent }) => by.start({ name: name || 'sql', kind: 'client', parent, attributes }))
    .filter((span) => span !== undefined);
  return spans.length > 0 ? new Spans(spans) : undefined;
}

/** The context for what the span sets off. */
export function contextWithin(span: Span | undefined, context: RequestContext): RequestContext {
  return span ? { ...context, traceparent: span.traceparent } : context;
}

/** Ends the span with the work. */
export function ending<Result>(span: Span | undefined, work: Promise<Result>): Promise<Result> {
  return span ? endWith(span, work) : work;
}

async function endWith<Result>(span: Span, work: Promise<Result>): Promise<Result> {
  try {
    const result = await work;
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/** The same work in several traces. */
export class Spans implements Span {
  readonly all: readonly Span[];

  constructor(spans: readonly Span[]) {
    this.all = spans;
  }

  /** Of the first. */
  get traceparent(): string {
    return this.all[0]!.traceparent;
  }

  note(attributes: SpanAttributes): void {
    for (const span of this.all) span.note(attributes);
  }

  link(traceparent: string): void {
    for (const span of this.all) span.link(traceparent);
  }

  end(error?: unknown): void {
    for (const span of this.all) span.end(error);
  }
}
