import { startContender } from '../contenders/index.ts';
import { LoadGenerator } from '../load-generator.ts';
import { counted } from '../loaded.ts';
import { spending } from '../measure.ts';
import type { Part } from '../results.ts';
import type { Scenario } from '../scenario.ts';

type ConnectOptions = {
  users: number;
  members: number;
  atOnce: number;
  warmUp: number;
  seconds: number;
  gateways: number;
  loadProcesses: number;
};

/** How fast people come in who have a session already. */
export const connect: Scenario<ConnectOptions> = {
  name: 'connect',
  summary: 'connections opened, logged in by their session and closed, a second',
  peers: ['socket.io'],
  plots: ['connectsPerSecond'],
  grows: ['users'],
  options: {
    users: { doc: 'users, who come in turn', standard: '5000', min: 1, max: 1_000_000 },
    members: { doc: 'users in each room; each is in one', standard: '10', min: 1, max: 10_000 },
    atOnce: { doc: 'connections being opened at any time', standard: '50', min: 1, max: 10_000 },
    warmUp: { doc: 'seconds of the same before it is measured', standard: '2', min: 0, max: 600 },
    seconds: { doc: 'measured time', standard: '10', min: 1, max: 3_600 },
    gateways: { doc: 'processes that take the connections', standard: '2', min: 1, max: 100 },
    loadProcesses: { doc: 'processes that make the load', standard: '1', min: 1, max: 16 },
  },

  headline: ({ users, atOnce, gateways }) =>
    `Connect and resume: ${counted(users, 'user')}, ${atOnce} at once, ${counted(gateways, 'gateway')}`,

  async measure({ options, contender: name, profileDir, log, abort }) {
    const { users, members, atOnce, warmUp, seconds, gateways, loadProcesses } = options;
    await using contender = await startContender(name, { gateways, profileDir, log, abort });
    await using load = await LoadGenerator.start(loadProcesses, abort);
    const seats = await contender.seat({
      connections: users,
      rooms: Math.max(Math.floor(users / members), 1),
    });
    const come = (durationSeconds: number) =>
      load.churn({ wire: contender.wire, seats, atOnce, durationMs: durationSeconds * 1_000 });
    if (warmUp > 0) await come(warmUp);
    const { result, cpu } = await spending(contender.processes, load.pids, () => come(seconds));
    const { opened, failed, elapsedMs, latencyMs, errors } = result;
    const part: Part = {
      name: `${atOnce} at once`,
      values: {
        connectsPerSecond: (opened * 1_000) / elapsedMs,
        connectP50Ms: latencyMs.p50,
        connectP99Ms: latencyMs.p99,
        cpuPerThousandConnects: (cpu.total * 1_000) / Math.max(opened, 1),
        generatorCores: (cpu.generator * 1_000) / elapsedMs,
        elsewhereCores: (cpu.elsewhere * 1_000) / elapsedMs,
      },
      cpu: cpu.byGroup,
    };
    return {
      facts: contender.facts,
      parts: [part],
      audit: {
        text: `${counted(opened, 'connection')} opened`,
        problems: failed > 0 ? [{ what: 'refused', count: failed, example: errors[0] ?? '' }] : [],
      },
    };
  },
};
