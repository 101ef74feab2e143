import { counted, loadOptions, underLoad, type LoadOptions } from '../loaded.ts';
import { measurePart } from '../measure.ts';
import type { LoadPlan } from '../load-plan.ts';
import type { Part } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { number } from '../table.ts';

type SendOptions = LoadOptions & {
  window: number;
  rate: number;
  rooms: number | undefined;
  clientIds: number;
};

/** How many sends a second are committed, and how long a sender waits to be told. */
export const send: Scenario<SendOptions> = {
  name: 'send',
  summary: 'durable sends: rate, latency and CPU with many in flight, with one, and at a steady rate',
  peers: ['socket.io-postgres'],
  plots: ['committedPerSecond', 'sendP99Ms'],
  grows: ['connections', 'rooms'],
  options: {
    ...loadOptions({ connections: 50, gateways: 2 }),
    window: {
      doc: 'sends in flight on each connection in the first part',
      standard: '32',
      min: 1,
      max: 10_000,
    },
    rate: {
      doc: 'sends a second over all of them in the last part',
      standard: '1000',
      min: 1,
      max: 1_000_000,
    },
    rooms: {
      doc: 'the connections are dealt out to so many; by default each has its own',
      min: 1,
      max: 100_000,
    },
    clientIds: { doc: '1: each message has a client_message_id', standard: '0', min: 0, max: 1 },
  },

  headline({ connections, gateways, bytes, rooms = connections, clientIds }) {
    const where = rooms === connections ? 'each in its own room' : `in ${counted(rooms, 'room')}`;
    return (
      `Durable sends: ${counted(connections, 'connection')} on ${counted(gateways, 'gateway')}, ${where}, ` +
      `${bytes} bytes a message, ${clientIds ? 'with' : 'without'} client_message_id`
    );
  },

  measure(run) {
    const { connections, window, rate, seconds, warmUp, rooms = connections, clientIds } = run.options;
    return underLoad(run, { rooms, clientIds: clientIds === 1 }, async ({ contender, load }) => {
      const measure = (name: string, plan: LoadPlan) =>
        measurePart(
          load,
          contender.processes,
          { name, load: plan, warmUpMs: warmUp * 1_000, measuredMs: seconds * 1_000 },
          run.abort,
        );
      const senders = connections;
      const parts: Part[] = [];
      for (const inFlight of new Set([window, 1])) {
        parts.push(
          await measure(`${inFlight} in flight each`, { kind: 'closed', window: inFlight, senders }),
        );
      }
      return [
        ...parts,
        await measure(`${number(rate)} a second`, { kind: 'paced', perSecond: rate, senders }),
      ];
    });
  },
};
