import { setTimeout as delay } from 'node:timers/promises';
import { createLog, Database, openRedis } from '@parley/service-kit';
import { SeededRandom } from '../random.ts';
import type { System } from '../system.ts';
import type { Fault, FaultKind } from './schedule.ts';

/** What a fault is done with. */
export interface FaultField {
  system: System;
  /** Lets the slow reader stop reading while it is sent more than it can hold; resolves when it reads again. */
  fillReader: (forMs: number) => Promise<void>;
}

const log = createLog('faults', 'silent');
/** Of 200 that Postgres has; three are left for its operator. */
const connectionsToTake = 197;
const sqlTimeoutMs = 15_000;
const longestStartMs = 20_000;

type Inflict = { [K in FaultKind]: (field: FaultField, fault: Fault & { kind: K }) => Promise<void> };

/** Does it and makes it good; resolves when the system is left to itself again. */
export async function inflict(field: FaultField, fault: Fault): Promise<void> {
  const act = inflictions[fault.kind] as (field: FaultField, fault: Fault) => Promise<void>;
  await act(field, fault);
}

const inflictions: Inflict = {
  async kill({ system }, { target, downMs }) {
    const process = system.processes[target];
    await process.kill('SIGKILL');
    await delay(downMs);
    await process.start();
    await Promise.race([process.ready(), delay(longestStartMs)]);
  },

  async freeze({ system }, { target, forMs }) {
    const process = system.processes[target];
    process.signal('SIGSTOP');
    await delay(forMs);
    process.signal('SIGCONT');
  },

  drain: ({ system }, { target, downMs }) => stopAndStart(system, target, downMs),

  restart: ({ system }, { target, downMs }) => stopAndStart(system, target, downMs),

  async empty({ system: { redisUrl } }) {
    await using redis = await openRedis({ redisUrl, timeoutMs: sqlTimeoutMs, log });
    await redis.run((commands) => commands.flushall());
  },

  cut({ system }, { target, share }) {
    const random = new SeededRandom(Math.round(share * 1_000));
    system.lines[target].cut(() => random.isTrue(share));
    return Promise.resolve();
  },

  async slow({ system }, { target, delayMs, forMs }) {
    system.lines[target].slow(delayMs);
    await delay(forMs);
    system.lines[target].heal();
  },

  async hold({ system }, { target, forMs }) {
    system.lines[target].hold();
    await delay(forMs);
    system.lines[target].heal();
  },

  async 'terminate-backends'({ system }) {
    await using database = openAsOperator(system, 1);
    const text = `select pg_terminate_backend(pid) from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid()`;
    await database.query({ name: 'faults.terminate', text });
  },

  async 'lock-tables'({ system }, { forMs }) {
    await using database = openAsOperator(system, 1);
    await database.transaction(async ({ query }) => {
      const text = 'lock table messages.message, rooms.member in access exclusive mode';
      await query({ name: 'faults.lock', text });
      await delay(forMs);
    });
  },

  async 'take-connections'({ system }, { forMs }) {
    await using database = openAsOperator(system, connectionsToTake);
    // Those that the services hold have to go before all can be taken; whoever comes first gets them.
    const text = `select pg_terminate_backend(pid) from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid()`;
    await database.query({ name: 'faults.terminate', text });
    const sleep = { name: 'faults.sleep', text: 'select pg_sleep($1)', values: [forMs / 1_000] };
    await Promise.allSettled(Array.from({ length: connectionsToTake }, () => database.query(sleep)));
  },

  'fill-reader': ({ fillReader }, { forMs }) => fillReader(forMs),
};

async function stopAndStart(
  system: System,
  target: keyof System['processes'],
  downMs: number,
): Promise<void> {
  const process = system.processes[target];
  await process.stop();
  await delay(downMs);
  await process.start();
  await Promise.race([process.ready(), delay(longestStartMs)]);
}

/** Past the line, so that a fault of Postgres does not depend on one of its line. */
function openAsOperator({ databaseUrl }: System, connections: number): Database {
  return new Database({ databaseUrl, connections, timeoutMs: sqlTimeoutMs, log });
}
