import { setTimeout as delay } from 'node:timers/promises';
import { startContender } from '../contenders/index.ts';
import { LoadGenerator } from '../load-generator.ts';
import { counted } from '../loaded.ts';
import { minContentBytes } from '../frames.ts';
import { readMemory } from '../memory.ts';
import { spending } from '../measure.ts';
import type { Scenario } from '../scenario.ts';

type IdleOptions = {
  connections: number;
  first: number;
  members: number;
  settle: number;
  seconds: number;
  gateways: number;
};

/** Between two sweeps of the garbage: what the first found may be let go of by the second only. In ms. */
const sweepMs = 1_000;
const sweeps = 3;

/** What a connection costs that says nothing. */
export const idle: Scenario<IdleOptions> = {
  name: 'idle',
  summary: 'memory of the gateways for each idle, logged-in connection, and their CPU',
  peers: ['socket.io'],
  plots: ['kilobytesPerConnection'],
  grows: ['connections'],
  options: {
    connections: { doc: 'connections that are weighed', standard: '10000', min: 1, max: 25_000 },
    first: {
      doc: 'connections before them, so that code and pools are there',
      standard: '1000',
      min: 1,
      max: 25_000,
    },
    members: { doc: 'connections in each room', standard: '10', min: 1, max: 10_000 },
    settle: { doc: 'seconds of silence before memory is read', standard: '5', min: 0, max: 600 },
    seconds: { doc: 'seconds of silence whose CPU is measured', standard: '10', min: 1, max: 600 },
    gateways: { doc: 'processes that take the connections', standard: '1', min: 1, max: 100 },
  },

  headline: ({ connections, members, gateways }) =>
    `Idle: ${counted(connections, 'connection')} in rooms of ${members} on ${counted(gateways, 'gateway')}`,

  async measure({ options, contender: name, profileDir, log, abort }) {
    const { connections, first, members, settle, seconds, gateways } = options;
    await using contender = await startContender(name, {
      gateways,
      profileDir,
      log,
      collectsOnSignal: true,
      abort,
    });
    await using load = await LoadGenerator.start(1, abort);
    const open = async (count: number): Promise<void> => {
      const seats = await contender.seat({
        connections: count,
        rooms: Math.max(Math.floor(count / members), 1),
      });
      await load.open({ wire: contender.wire, seats, contentBytes: minContentBytes, clientIds: false });
    };
    const weigh = async (): Promise<number> => {
      await delay(settle * 1_000, undefined, { signal: abort });
      for (let sweep = 0; sweep < sweeps; sweep += 1) {
        for (const pid of contender.holders) process.kill(pid, 'SIGUSR2');
        await delay(sweepMs, undefined, { signal: abort });
      }
      return contender.holders.reduce((sum, pid) => sum + readMemory(pid), 0);
    };
    await open(first);
    const before = await weigh();
    await open(connections);
    const after = await weigh();
    const { cpu } = await spending(contender.processes, load.pids, () =>
      delay(seconds * 1_000, undefined, { signal: abort }),
    );
    const lost = (await load.accounts()).filter(({ errors }) => errors.length > 0);
    const values = {
      kilobytesPerConnection: (after - before) / 1_000 / connections,
      coresUsed: cpu.total / seconds,
    };
    return {
      facts: contender.facts,
      parts: [{ name: 'silent', values, cpu: cpu.byGroup }],
      audit: {
        text: `${counted(first + connections, 'connection')} opened`,
        problems:
          lost.length > 0 ? [{ what: 'lost', count: lost.length, example: lost[0]!.errors.join(', ') }] : [],
      },
    };
  },
};
