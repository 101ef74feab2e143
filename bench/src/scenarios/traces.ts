import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { counted, loadOptions, underLoad, type LoadOptions } from '../loaded.ts';
import { measurePart } from '../measure.ts';
import type { Measured } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { dealt } from './fanout.ts';

type TracesOptions = LoadOptions & { senders: number; window: number; only: number | undefined };

/** The settings of each part. */
const parts: readonly [string, (collector: string) => Record<string, string>][] = [
  ['off', () => ({})],
  [
    'one in 100',
    (collector) => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
    }),
  ],
  ['all', (collector) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: collector })],
];

/** What it costs to make traces, beside making none. */
export const traces: Scenario<TracesOptions> = {
  name: 'traces',
  summary: 'the load of fanout without traces, with one in 100 and with all, each on a Parley of its own',
  peers: [],
  plots: ['cpuPerMillionDeliveries'],
  options: {
    ...loadOptions({ connections: 200, gateways: 2 }),
    senders: { doc: 'of the connections, those that send', standard: '16', min: 1, max: 10_000 },
    window: { doc: 'messages in flight in the room, over all senders', standard: '16', min: 1, max: 100_000 },
    only: { doc: 'only that part, from 1', min: 1, max: parts.length },
  },

  headline: ({ connections, gateways, window }) =>
    `Traces: one room of ${counted(connections, 'connection')} on ${counted(gateways, 'gateway')}, ` +
    `${window} messages in flight`,

  async measure(run) {
    const { senders, window, seconds, warmUp, connections, only } = run.options;
    await using collector = await startCollector();
    const measured: Measured[] = [];
    const measuredParts = only === undefined ? parts : [parts[only - 1]!];
    for (const [name, environmentOf] of measuredParts) {
      const plan = dealt(window, Math.min(senders, connections));
      measured.push(
        await underLoad(
          run,
          { rooms: 1, environment: environmentOf(collector.url) },
          async ({ contender, load }) => [
            await measurePart(
              load,
              contender.processes,
              {
                name,
                load: { kind: 'closed', ...plan },
                warmUpMs: warmUp * 1_000,
                measuredMs: seconds * 1_000,
              },
              run.abort,
            ),
          ],
        ),
      );
    }
    return {
      facts: measured[0]!.facts,
      parts: measured.flatMap((each) => each.parts),
      audit: {
        text: measured.map(({ audit }) => audit.text).join('\n'),
        problems: measured.flatMap(({ audit }) => audit.problems),
      },
    };
  },
};

/** Takes traces as a collector does, and forgets them. */
async function startCollector(): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
