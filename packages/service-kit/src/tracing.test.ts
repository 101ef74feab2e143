import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '@parley/local-stack';
import { ParleyError } from '@parley/protocol';
import { readSettings, tracingSettings } from './settings.ts';
import { createTestLog } from './test-support.ts';
import { openTracing, tracer } from './tracing.ts';

const sampled = `00-${'4b'.repeat(16)}-${'0a'.repeat(8)}-01`;
const notSampled = `00-${'4b'.repeat(16)}-${'0a'.repeat(8)}-00`;

let collector: Server;
let endpoint: string;
/** What came, as text. */
let received: string;
/** Where it was sent to. */
let paths: Set<string | undefined>;
beforeEach(async () => {
  received = '';
  paths = new Set();
  collector = createServer((request, response) => {
    paths.add(request.url);
    void text(request).then((body) => {
      received += body;
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
});
afterEach(async () => {
  collector.closeAllConnections();
  collector.close();
  await once(collector, 'close');
});

/** Makes traces as these settings say; closed, all of them are sent. */
async function trace(environment: Record<string, string>) {
  const { log, lines } = createTestLog();
  const config = readSettings(tracingSettings, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...environment });
  const opened = await openTracing('tea', config, log);
  return {
    lines,
    /** Makes a span. @returns Its traceparent; undefined where its trace is not made. */
    span(name: string, parent?: string, error?: unknown): string | undefined {
      const span = tracer!.start({ name, kind: 'server', parent });
      span?.end(error);
      return span?.traceparent;
    },
    async [Symbol.asyncDispose]() {
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

describe('the settings', () => {
  test('make no traces where they name no collector', async () => {
    const { log } = createTestLog();
    expect(await openTracing('tea', readSettings(tracingSettings, {}), log)).toBeUndefined();
    expect(tracer).toBeUndefined();
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_TRACES_SAMPLER_ARG', 'half'],
  ])('%s=%s stops the start', (variable, value) => {
    expect(() => readSettings(tracingSettings, { [variable]: value })).toThrow(variable);
  });
});

describe('spans', () => {
  test('are sent at the latest when it is closed, with the name of the service', async () => {
    {
      await using tracing = await trace({});
      expect(tracing.span('brew')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    }
    expect([...paths]).toEqual(['/v1/traces']);
    expect(received).toContain('"parley-tea"');
    expect(received).toContain('"brew"');
  });

  test('go on with the trace that they are told of', async () => {
    await using tracing = await trace({});
    expect(tracing.span('brew', sampled)).toContain(sampled.slice(0, 36));
    expect(tracing.span('brew', 'nonsense')).not.toContain(sampled.slice(0, 36));
  });

  test('tell the code of an error, and nothing else of it', async () => {
    {
      await using tracing = await trace({});
      tracing.span('refused', undefined, new ParleyError('not_in_room', { users: ['hunter2'] }));
      tracing.span('failed', undefined, new Error('hunter2'));
    }
    expect(received).toContain('"not_in_room"');
    expect(received).toContain('"internal"');
    expect(received).not.toContain('hunter2');
  });
});

describe('the sampler', () => {
  test.each([
    ['parentbased_always_on', '1', undefined, true],
    ['parentbased_always_on', '1', notSampled, false],
    ['parentbased_always_off', '1', undefined, false],
    ['parentbased_always_off', '1', sampled, true],
    ['parentbased_traceidratio', '0', undefined, false],
    ['parentbased_traceidratio', '0', sampled, true],
    ['parentbased_traceidratio', '1', undefined, true],
    ['always_on', '1', notSampled, true],
    ['always_off', '1', sampled, false],
    ['traceidratio', '0', sampled, false],
    ['traceidratio', '1', notSampled, true],
  ])('%s of %s, asked with %s: %s', async (sampler, argument, parent, isMade) => {
    {
      await using tracing = await trace({
        OTEL_TRACES_SAMPLER: sampler,
        OTEL_TRACES_SAMPLER_ARG: argument,
      });
      const traceparent = tracing.span('brew', parent);
      expect(traceparent?.endsWith('-01')).toBe(isMade ? true : undefined);
    }
    expect(received.includes('"brew"')).toBe(isMade);
  });
});

test('a collector that is away is told of in the log, and keeps nothing from ending', async () => {
  const away = `http://127.0.0.1:${await freePort()}`;
  // How long the exporter tries, in ms.
  process.env['OTEL_EXPORTER_OTLP_TIMEOUT'] = '200';
  try {
    const tracing = await trace({ OTEL_EXPORTER_OTLP_ENDPOINT: away });
    tracing.span('brew');
    await tracing[Symbol.asyncDispose]();
    expect(tracing.lines).toContainEqual(
      expect.objectContaining({ level: 40, msg: 'traces could not be sent' }),
    );
  } finally {
    delete process.env['OTEL_EXPORTER_OTLP_TIMEOUT'];
  }
});
