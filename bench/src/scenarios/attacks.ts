import { setTimeout as delay } from 'node:timers/promises';
import type { AttackName, Force, Sightings } from '@parley/test-kit/attacks';
import { startAttackProcess } from '../attack-process.ts';
import { startParleyContender, type ParleyContender } from '../contenders/parley.ts';
import { minContentBytes } from '../frames.ts';
import { LoadGenerator } from '../load-generator.ts';
import { counted, summedAudit } from '../loaded.ts';
import { measurePart, type PartPlan } from '../measure.ts';
import { readMemory } from '../memory.ts';
import { checkOpenFiles } from '../open-files.ts';
import type { Part } from '../results.ts';
import type { Scenario } from '../scenario.ts';
import { number } from '../table.ts';

type AttackOptions = {
  users: number;
  rate: number;
  members: number;
  bytes: number;
  seconds: number;
  warmUp: number;
  limit: number;
  only: number | undefined;
};

/** One attack as it is measured: what it is called, how hard it is, and from how many addresses it comes. */
interface Assault {
  title: string;
  force: Force;
  addresses?: number;
}

const assaults: Record<AttackName, Assault> = {
  slowRequests: { title: 'slow upgrades', force: { connections: 1_000, everyMs: 250 } },
  connectionFlood: { title: '10,000 connections', force: { connections: 10_000, everyMs: 0 } },
  hugeFrames: { title: 'huge frames', force: { connections: 50, everyMs: 50 } },
  deepFrames: { title: 'deep frames', force: { connections: 50, everyMs: 50 } },
  compressedFrames: { title: 'compressed frames', force: { connections: 50, everyMs: 50 } },
  pingFlood: { title: 'ping flood', force: { connections: 50, everyMs: 50 } },
  unreadHistory: { title: 'unread history', force: { connections: 50, everyMs: 2_000 } },
  passwordGuessing: { title: 'password guessing', force: { connections: 50, everyMs: 50 } },
  guestFlood: { title: 'guest flood', force: { connections: 50, everyMs: 50 } },
  roomFlood: { title: 'room flood', force: { connections: 50, everyMs: 50 } },
  // More than one address may have: a crowd comes from everywhere.
  lobbyCrowd: {
    title: 'giant lobby',
    force: { connections: 1_000, everyMs: 5_000 },
    addresses: 25,
  },
};
const names = Object.keys(assaults) as AttackName[];
const mostConnections = 1_000;

const bytesPerMegabyte = 1e6;
const memoryEveryMs = 250;
/** After an attack: its connections are cleared away, in ms. */
const settleMs = 1_000;
const attackers = 'attackers';

/** What well-behaved users notice of attacks. */
export const attacks: Scenario<AttackOptions> = {
  name: 'attacks',
  summary: 'a few users talk while others attack the gateway, one way after the other',
  peers: [],
  plots: ['sendP99Ms'],
  options: {
    users: { doc: 'well-behaved users', standard: '20', min: 2, max: 100 },
    rate: { doc: 'messages a second over all of them', standard: '100', min: 1, max: 1_000 },
    members: { doc: 'users in each room', standard: '5', min: 2, max: 100 },
    bytes: { doc: 'length of a message’s content', standard: '200', min: minContentBytes, max: 8_192 },
    seconds: { doc: 'measured time of each attack', standard: '10', min: 1, max: 3_600 },
    warmUp: { doc: 'seconds of each attack before it is measured', standard: '1', min: 0, max: 600 },
    limit: {
      doc: 'ms: attacks that bring p99 of a send above it are named',
      standard: '250',
      min: 1,
      max: 60_000,
    },
    only: { doc: `this attack only: ${legend()}`, min: 1, max: names.length },
  },

  headline: ({ users, rate, only }) =>
    `Attacks: ${counted(users, 'user')} send ${number(rate)} messages a second, with limits on, beside ` +
    (only === undefined ? counted(names.length, 'attack') : assaults[names[only - 1]!].title),

  async measure({ options, profileDir, log, abort }) {
    const { users, members, rate, bytes, limit, only } = options;
    checkOpenFiles(mostConnections + users);
    const environment = { RATE_LIMITS: 'on' };
    await using contender = await startParleyContender({ gateways: 1, environment, profileDir, log, abort });
    await using load = await LoadGenerator.start(1, abort);
    const seats = await contender.seat({
      connections: users,
      rooms: Math.max(Math.floor(users / members), 1),
    });
    await load.open({ wire: contender.wire, seats, contentBytes: bytes, clientIds: false });
    const plan = {
      load: { kind: 'paced', perSecond: rate, senders: users },
      warmUpMs: options.warmUp * 1_000,
      measuredMs: options.seconds * 1_000,
    } as const;

    const parts = [await measureBeside({ contender, load, plan: { name: 'none', ...plan }, abort }, [])];
    const seen: [string, Sightings][] = [];
    for (const [index, name] of names.entries()) {
      if (only !== undefined && index !== only - 1) continue;
      const { title, force, addresses = 1 } = assaults[name];
      const target = {
        webSocketUrl: contender.stack.gateways[0]!.webSocketUrl,
        addresses: Array.from({ length: addresses }, (_, host) => `127.1.${index + 1}.${host + 1}`),
      };
      await using attack = await startAttackProcess({ name, target, force }, abort);
      const beside = { contender, load, plan: { name: title, ...plan }, abort };
      parts.push(await measureBeside(beside, [attack.pid]));
      seen.push([title, await attack.stop()]);
      await delay(settleMs, undefined, { signal: abort });
    }
    const audit = await summedAudit(load, contender, seats);
    const idle = seen.filter(([, { opened, refused }]) => opened === 0 && Object.keys(refused).length === 0);
    return {
      facts: contender.facts,
      parts,
      audit: {
        text: audit.text,
        problems: [
          ...audit.problems,
          ...idle.map(([title]) => ({ what: 'attack that never reached us', count: 1, example: title })),
        ],
      },
      notes: [
        ...seen.map(([title, sightings]) => `${title}: ${sightingsText(sightings)}`),
        verdictOn(parts, limit),
      ],
    };
  },
};

interface Beside {
  contender: ParleyContender;
  load: LoadGenerator;
  plan: PartPlan;
  abort: AbortSignal;
}

/** Measures the users, and how large the gateway gets meanwhile. @throws Error where the gateway has ended. */
async function measureBeside(
  { contender, load, plan, abort }: Beside,
  attackerPids: readonly number[],
): Promise<Part> {
  const [gatewayPid] = contender.holders as [number];
  const groups = new Map([...contender.processes, [attackers, attackerPids]]);
  const measured = new AbortController();
  const measuring = measurePart(load, groups, plan, abort).finally(() => {
    measured.abort();
  });
  const [{ name, values, cpu = {} }, mostBytes] = await Promise.all([
    measuring,
    mostMemory(gatewayPid, measured.signal),
  ]);
  // Attackers are among those whose CPU time was summed up, so what a send costs makes no sense here.
  const told = Object.entries(values).filter(([metric]) => !metric.startsWith('cpuPer'));
  const attackerCores = ((cpu[attackers] ?? 0) * 1_000) / plan.measuredMs;
  const gatewayMegabytes = mostBytes / bytesPerMegabyte;
  return { name, values: { ...Object.fromEntries(told), attackerCores, gatewayMegabytes }, cpu };
}

/** The most that the process was seen to have until the end, in bytes. */
async function mostMemory(pid: number, end: AbortSignal): Promise<number> {
  let most = 0;
  while (!end.aborted) {
    most = Math.max(most, readMemory(pid));
    await delay(memoryEveryMs, undefined, { signal: end }).catch(() => {});
  }
  return most;
}

function sightingsText({ tried, opened, refused, closed, answers }: Sightings): string {
  return (
    `${counted(tried, 'connection')} tried, ${number(opened)} opened; refused: ${countsText(refused)}; ` +
    `closed: ${countsText(closed)}; answers: ${countsText(answers)}`
  );
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).map(([word, times]) => `${word} x ${number(times)}`);
  return entries.join(', ') || 'none';
}

function verdictOn(parts: readonly Part[], limit: number): string {
  const above = parts.filter(({ values }) => (values.sendP99Ms ?? Infinity) > limit).map(({ name }) => name);
  const where = above.length === 0 ? 'beside none of them' : `beside: ${above.join(', ')}`;
  return `p99 of a send was above ${limit} ms ${where}`;
}

function legend(): string {
  return names.map((name, index) => `${index + 1} ${assaults[name].title}`).join(', ');
}
