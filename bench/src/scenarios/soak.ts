import { startParleyContender } from '../contenders/index.ts';
import { LoadGenerator } from '../load-generator.ts';
import { counted, loadOptions, summedAudit, type LoadOptions } from '../loaded.ts';
import { measurePart } from '../measure.ts';
import { watchMemory, type WatchedMemory } from '../memory-watch.ts';
import type { Part, Timeline } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { number } from '../table.ts';
import { lastTwoThirds, trendOf, type Point, type Trend } from '../trend.ts';

type SoakOptions = LoadOptions & {
  members: number;
  rate: number;
  visits: number;
  visitors: number;
  sample: number;
  collect: number;
  growth: number;
};

const secondsPerHour = 3_600;
const secondsPerMinute = 60;
/** A line through fewer collections says little. */
const fewestJudged = 4;

/**
 * Whether memory stays where it is, under steady talk with people coming and going.
 *
 * Every now and then all processes collect their garbage, and what they have then is what they hold. A kind of process is called flat
 * where the straight line through that (least squares, over the last two thirds of the run, as pools and caches fill before) rises by less
 * than `growth` MB an hour. By default that is less than 3 bytes a message and 140 bytes a visit: nothing that is kept of each could
 * hide below it. What takes longer than the run to show, and what grows with neither, it can't see.
 */
export const soak: Scenario<SoakOptions> = {
  name: 'soak',
  summary:
    'memory of every kind of process over half an hour of steady talk in rooms, with people coming and going',
  peers: [],
  plots: ['privateMegabytes', 'growthMegabytesPerHour'],
  options: {
    ...loadOptions({ connections: 1_000, gateways: 2 }),
    seconds: { doc: 'measured time', standard: '1800', min: 1, max: 1_000_000 },
    members: { doc: 'connections in each room', standard: '10', min: 2, max: 10_000 },
    rate: { doc: 'sends a second over all', standard: '1000', min: 1, max: 1_000_000 },
    visits: {
      doc: 'connections a second that come, resume their session and go; 0: none',
      standard: '20',
      min: 0,
      max: 1_000,
    },
    visitors: {
      doc: 'users who come and go, in turn; so many that none is due again while it is here',
      standard: '500',
      min: 1,
      max: 100_000,
    },
    sample: { doc: 'seconds from one reading of memory to the next', standard: '10', min: 1, max: 3_600 },
    collect: {
      doc: 'samples from one collection of all garbage to the next',
      standard: '24',
      min: 1,
      max: 1_000_000,
    },
    growth: { doc: 'MB an hour below which a kind of process is flat', standard: '10', min: 1, max: 10_000 },
  },

  headline: ({ connections, members, gateways, rate, visits, seconds }) =>
    `Soak: ${number(seconds / secondsPerMinute, seconds % secondsPerMinute === 0 ? 0 : 1)} minutes, ${counted(connections, 'connection')} in rooms of ${members} on ${counted(gateways, 'gateway')}, ` +
    `${number(rate)} messages and ${number(visits)} visits a second`,

  async measure({ options, profileDir, log, abort }) {
    const { connections, members, gateways, loadProcesses, bytes, rate, warmUp, seconds } = options;
    const { visits, visitors, sample, collect: samplesPerCollection, growth } = options;
    await using contender = await startParleyContender({
      gateways,
      profileDir,
      log,
      collectsOnSignal: true,
      abort,
    });
    await using load = await LoadGenerator.start(loadProcesses, abort);
    const { wire, stack } = contender;
    const seats = await contender.seat({ connections, rooms: roomsOf(connections, members) });
    const visiting = await contender.seat({ connections: visitors, rooms: roomsOf(visitors, members) });
    await load.open({ wire, seats, contentBytes: bytes, clientIds: false });

    const durationMs = (warmUp + seconds) * 1_000;
    const kinds = new Map([['gateway', stack.gateways], ...Object.entries(stack.services)]);
    const [talk, memory, visited] = await Promise.all([
      measurePart(
        load,
        contender.processes,
        {
          name: `${number(rate)} a second`,
          load: { kind: 'paced', perSecond: rate, senders: connections },
          warmUpMs: warmUp * 1_000,
          measuredMs: seconds * 1_000,
        },
        abort,
      ),
      watchMemory(kinds, { everyMs: sample * 1_000, samplesPerCollection, durationMs }, abort),
      visits > 0 &&
        load.churn({ wire, seats: visiting, atOnce: visits, durationMs, everyMs: 1_000 / visits }),
    ]);

    const audit = await summedAudit(load, contender, seats);
    const { opened, failed, errors } = visited || { opened: 0, failed: 0, errors: [] };
    const refused = { what: 'visits refused', count: failed, example: errors[0] ?? '' };
    return {
      facts: contender.facts,
      parts: [talk, ...Array.from(memory, ([kind, watched]) => memoryPart(kind, watched))],
      audit: {
        text: `${audit.text}; ${counted(opened, 'visit')}`,
        problems: [...audit.problems, ...(failed > 0 ? [refused] : [])],
      },
      timelines: [
        timelineOf('private memory, MB', memory, (watched) => watched.private),
        timelineOf('private memory after a collection, MB', memory, (watched) => watched.held),
        timelineOf('heap in use, MB', memory, (watched) => watched.heap),
      ],
      notes: Array.from(memory, ([kind, watched]) => verdictOn(kind, watched, growth)),
    };
  },
};

function roomsOf(connections: number, members: number): number {
  return Math.max(Math.floor(connections / members), 1);
}

function memoryPart(kind: string, watched: WatchedMemory): Part {
  const own = trendOf(lastTwoThirds(watched.private));
  const held = trendOf(lastTwoThirds(watched.held));
  return {
    name: `memory of ${kind}`,
    values: {
      privateMegabytes: own.mean,
      swingMegabytes: own.swing,
      heldMegabytes: held.mean,
      growthMegabytesPerHour: perHour(held),
      heapMegabytes: trendOf(lastTwoThirds(watched.heap)).mean,
    },
  };
}

/** One sentence; see {@link soak} for what flat is. @param growth In MB an hour. */
export function verdictOn(kind: string, { held }: Pick<WatchedMemory, 'held'>, growth: number): string {
  const judged = lastTwoThirds(held);
  const trend = trendOf(judged);
  const word =
    judged.length < fewestJudged
      ? `not judged, of ${judged.length} collections`
      : perHour(trend) < growth
        ? 'flat'
        : `NOT flat, the limit is ${growth}`;
  return `${kind} holds ${number(trend.mean, 1)} MB, ${number(perHour(trend), 1)} MB an hour more: ${word}`;
}

function perHour({ slope }: Trend): number {
  return slope * secondsPerHour;
}

function timelineOf(
  title: string,
  memory: ReadonlyMap<string, WatchedMemory>,
  pointsOf: (watched: WatchedMemory) => Point[],
): Timeline {
  return {
    title,
    xLabel: 'minutes',
    lines: Array.from(memory, ([name, watched]) => ({
      name,
      points: pointsOf(watched).map(([seconds, y]) => [round(seconds / secondsPerMinute), y] as const),
    })),
  };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
