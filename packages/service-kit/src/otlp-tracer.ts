import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  diag,
  DiagLogLevel,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind as OtelKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Context, Span as OtelSpan, SpanContext } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Sampler } from '@opentelemetry/sdk-trace';
import { ParleyError } from '@parley/protocol';
import type { Log } from './log.ts';
import type { TracingConfig } from './settings.ts';
import type { Span, SpanAttributes, SpanKind, SpanOptions, Tracer } from './tracing.ts';

/** How long finished spans wait for others to be sent with, in ms. */
const sendEveryMs = 500;
/** Most spans that wait to be sent; more are lost. */
const maxWaitingSpans = 16_384;
/** Most spans of one request to the collector. */
const maxSpansPerRequest = 1_024;
/** A collector that is away keeps no process from ending for longer, in ms. */
const lastSendMs = 2_000;

const kinds: Record<SpanKind, OtelKind> = {
  internal: OtelKind.INTERNAL,
  server: OtelKind.SERVER,
  client: OtelKind.CLIENT,
  consumer: OtelKind.CONSUMER,
};

const traceparentForm = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** Sends spans to a collector by OTLP over HTTP, as JSON. What else the exporter reads of `OTEL_EXPORTER_OTLP_*` holds too. */
export function createOtlpTracer(
  service: string,
  config: TracingConfig & { otlpEndpoint: string },
  log: Log,
): Tracer {
  const tell = (...said: unknown[]): void => {
    log.warn({ said }, 'traces could not be sent');
  };
  const quiet = (): void => {};
  diag.setLogger(
    { error: tell, warn: tell, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const provider = new TracerProvider({
    sampler: samplerOf(config),
    resource: defaultResource()
      .merge(
        resourceFromAttributes({
          'service.namespace': 'parley',
          'service.instance.id': randomUUID(),
          'process.pid': process.pid,
        }),
      )
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector] }))
      // Last: one `OTEL_SERVICE_NAME` for all processes would make them one.
      .merge(resourceFromAttributes({ 'service.name': `parley-${service}` })),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: `${config.otlpEndpoint.replace(/\/$/, '')}/v1/traces` }),
        scheduledDelayMillis: sendEveryMs,
        maxQueueSize: maxWaitingSpans,
        maxExportBatchSize: maxSpansPerRequest,
      }),
    ],
  });
  const by = provider.getTracer('parley');
  let closing: Promise<void> | undefined;
  return {
    start({ name, kind, parent, attributes = {} }: SpanOptions): Span | undefined {
      const span = by.startSpan(name, { kind: kinds[kind], attributes }, contextOf(parent));
      return span.isRecording() ? new OtlpSpan(span) : undefined;
    },
    [Symbol.asyncDispose]() {
      return (closing ??= close(provider, tell));
    },
  };
}

async function close(provider: TracerProvider, tell: (said: unknown) => void): Promise<void> {
  const sent = new AbortController();
  const tooLate = (): void => {
    tell('the last ones, as the collector does not answer');
  };
  const late = delay(lastSendMs, undefined, { signal: sent.signal }).then(tooLate, () => {});
  await Promise.race([provider.shutdown().catch(tell), late]);
  sent.abort();
}

class OtlpSpan implements Span {
  readonly traceparent: string;
  readonly #span: OtelSpan;

  constructor(span: OtelSpan) {
    this.#span = span;
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  note(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes);
  }

  link(traceparent: string): void {
    const context = spanContextOf(traceparent);
    if (context) this.#span.addLink({ context });
  }

  end(error?: unknown): void {
    if (error !== undefined) {
      const { type, isFailure } = kindOfError(error);
      this.#span.setAttribute('error.type', type);
      if (isFailure) this.#span.setStatus({ code: SpanStatusCode.ERROR, message: type });
    }
    this.#span.end();
  }
}

/** What a service refuses is an answer. Texts of errors stay in the log: of what nobody foresaw they may hold anything. */
function kindOfError(error: unknown): { type: string; isFailure: boolean } {
  if (error instanceof ParleyError) return { type: error.code, isFailure: error.http >= 500 };
  const { code } = error as { code?: unknown };
  return { type: typeof code === 'string' ? code : 'internal', isFailure: true };
}

function contextOf(traceparent: string | undefined): Context {
  const parent = spanContextOf(traceparent);
  return parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

/** Undefined for what is no traceparent: some come from clients. */
function spanContextOf(traceparent = ''): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = ''] = traceparentForm.exec(traceparent) ?? [];
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(context) ? context : undefined;
}

/** As OpenTelemetry defines the words (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). */
function samplerOf({ tracesSampler, tracesSamplerArg }: TracingConfig): Sampler {
  const roots: Record<string, () => Sampler> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(tracesSamplerArg),
  };
  const root = roots[tracesSampler.replace('parentbased_', '')]!();
  return tracesSampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}
