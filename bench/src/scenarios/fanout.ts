import { counted, loadOptions, underLoad, type LoadOptions } from '../loaded.ts';
import { measurePart } from '../measure.ts';
import type { Part } from '../results.ts';
import type { Scenario } from '../scenario.ts';

type FanoutOptions = LoadOptions & { senders: number; window: number; fewer: number };

/** What it costs to tell a whole room. */
export const fanout: Scenario<FanoutOptions> = {
  name: 'fanout',
  summary:
    'one large room, every message committed first: CPU for a million deliveries, and how late they are',
  peers: ['socket.io-postgres', 'socket.io', 'ws', 'joined'],
  plots: ['cpuPerMillionDeliveries', 'deliveryP99Ms'],
  grows: ['connections'],
  options: {
    ...loadOptions({ connections: 200, gateways: 2 }),
    senders: { doc: 'of the connections, those that send', standard: '16', min: 1, max: 10_000 },
    window: {
      doc: 'messages in flight in the room in the first part, over all senders',
      standard: '128',
      min: 1,
      max: 100_000,
    },
    fewer: { doc: 'the same in the second part', standard: '16', min: 1, max: 100_000 },
  },

  headline: ({ connections, gateways, bytes, senders }) =>
    `Fan-out: one room of ${counted(connections, 'connection')} on ${counted(gateways, 'gateway')}, ` +
    `${counted(senders, 'sender')}, ${bytes} bytes a message`,

  measure(run) {
    const { senders, window, fewer, seconds, warmUp } = run.options;
    return underLoad(run, { rooms: 1 }, async ({ contender, load }) => {
      const parts: Part[] = [];
      for (const inFlight of new Set([window, fewer])) {
        const plan = dealt(inFlight, Math.min(senders, run.options.connections));
        parts.push(
          await measurePart(
            load,
            contender.processes,
            {
              name: `${inFlight} in flight`,
              load: { kind: 'closed', ...plan },
              warmUpMs: warmUp * 1_000,
              measuredMs: seconds * 1_000,
            },
            run.abort,
          ),
        );
      }
      return parts;
    });
  },
};

/** So many in flight, dealt out evenly to at most so many senders; what does not divide is left out. */
export function dealt(inFlight: number, senders: number): { senders: number; window: number } {
  const used = Math.min(inFlight, senders);
  return { senders: used, window: Math.floor(inFlight / used) };
}
