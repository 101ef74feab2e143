import { setTimeout as delay } from 'node:timers/promises';
import { counted, loadOptions, underLoad, type LoadOptions } from '../loaded.ts';
import { measurePart } from '../measure.ts';
import type { Part } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { searchHighest } from '../search.ts';
import { number } from '../table.ts';

type RoomsOptions = LoadOptions & {
  members: number;
  rate: number | undefined;
  light: number;
  from: number;
  limit: number;
  precision: number;
};

/** Of what is due, so much has to be committed in the measured time. */
const leastDone = 0.97;
/** For the load to settle between two tries, in ms. */
const restMs = 500;

/** How much talk many small rooms bear before it is late. */
export const rooms: Scenario<RoomsOptions> = {
  name: 'rooms',
  summary: 'many small rooms: delays at a light load, and the highest steady rate with a low p99 of delivery',
  peers: ['socket.io-postgres', 'socket.io', 'ws', 'joined'],
  plots: ['highestRate', 'deliveryP99Ms'],
  grows: ['connections'],
  options: {
    ...loadOptions({ connections: 1_000, gateways: 2 }),
    members: { doc: 'connections in each room', standard: '10', min: 2, max: 10_000 },
    rate: { doc: 'sends a second over all: measured instead of a search', min: 1, max: 1_000_000 },
    light: {
      doc: 'sends a second of the light load before the search',
      standard: '600',
      min: 1,
      max: 1_000_000,
    },
    from: { doc: 'sends a second where the search begins', standard: '500', min: 1, max: 1_000_000 },
    limit: { doc: 'p99 of delivery in ms that has to be kept', standard: '100', min: 1, max: 60_000 },
    precision: {
      doc: 'the search ends when it knows the rate to so many percent',
      standard: '5',
      min: 1,
      max: 100,
    },
  },

  headline: ({ connections, members, gateways, bytes }) =>
    `Rooms: ${counted(connections, 'connection')} in rooms of ${members} on ${counted(gateways, 'gateway')}, ${bytes} bytes a message`,

  measure(run) {
    const { connections, members, rate, light, from, limit, precision, seconds, warmUp } = run.options;
    const roomCount = Math.max(Math.floor(connections / members), 1);
    return underLoad(run, { rooms: roomCount }, async ({ contender, load }) => {
      const measure = async (perSecond: number): Promise<Part> => {
        const part = await measurePart(
          load,
          contender.processes,
          {
            name: `${number(perSecond)} a second`,
            load: { kind: 'paced', perSecond, senders: connections },
            warmUpMs: warmUp * 1_000,
            measuredMs: seconds * 1_000,
          },
          run.abort,
        );
        await delay(restMs, undefined, { signal: run.abort });
        return part;
      };
      if (rate !== undefined) return [await measure(rate)];
      const lightly = await measure(light);
      let best: Part | undefined;
      const highest = await searchHighest(from, 1 + precision / 100, async (perSecond) => {
        const part = await measure(perSecond);
        const { committedPerSecond = 0, deliveryP99Ms = Infinity } = part.values;
        const isKept = deliveryP99Ms < limit && committedPerSecond >= perSecond * leastDone;
        if (isKept && perSecond > (best?.values.highestRate ?? 0)) {
          best = { ...part, values: { ...part.values, highestRate: perSecond } };
        }
        return isKept;
      });
      const name = `highest, p99 below ${limit} ms`;
      return [
        lightly,
        { ...(best ?? { values: {} }), name, values: { ...best?.values, highestRate: highest } },
      ];
    });
  },
};
