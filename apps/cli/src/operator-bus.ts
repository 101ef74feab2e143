import { fileURLToPath } from 'node:url';
import { connect } from '@nats-io/transport-node';
import { findRunningStack } from '@parley/local-stack';
import { Bus, commonSettings, connectionOptions, createLog } from '@parley/service-kit';
import { CliError, exitCodes } from './cli-error.ts';

/** Longest wait for NATS, and for each answer, in ms: a person is waiting. */
export const patienceMs = 10_000;

/** Where `npm start` keeps its data. */
const defaultDataDir = fileURLToPath(new URL('../../../.parley', import.meta.url));

/**
 * Where the bus is: at `NATS_URL`, else that of the Parley with its data in the folder.
 * @throws CliError where there is none, or the setting is none; LocalStackError where it is another user's.
 */
export function findNatsUrl(environment: Record<string, string | undefined>, dataDir: string): string {
  const given = environment.NATS_URL;
  if (given === undefined || given === '') {
    const stack = findRunningStack(dataDir);
    if (stack) return stack.natsUrl;
    throw unreachable(
      'No Parley is running on this machine: begin with `npm start`, or say with NATS_URL where one is.',
    );
  }
  try {
    return commonSettings.natsUrl.parse(given);
  } catch (error) {
    throw new CliError(`NATS_URL: ${(error as Error).message}`, exitCodes.usage, { code: 'usage' });
  }
}

/**
 * Connects as one who asks and leaves again: neither waits for a server that is away nor comes back to it.
 * @param natsUrl By default where `findNatsUrl` finds it for this process.
 * @throws CliError where no server answers in time.
 */
export async function openOperatorBus(
  natsUrl: string = findNatsUrl(process.env, defaultDataDir),
): Promise<Bus> {
  const name = 'parley-admin';
  try {
    const timeout = Math.floor(patienceMs / natsUrl.split(',').length);
    const nats = await connect({ ...connectionOptions({ natsUrl }), name, timeout, reconnect: false });
    const log = createLog(name, 'silent');
    return new Bus(nats, { natsUrl, name, log, requestTimeoutMs: patienceMs });
  } catch (cause) {
    throw unreachable(`The NATS server of Parley can't be reached: ${(cause as Error).message}.`);
  }
}

function unreachable(message: string): CliError {
  return new CliError(message, exitCodes.unreachable, { code: 'unreachable' });
}
