import { connect } from '@nats-io/transport-node';
import { findRunningStack } from '@parley/local-stack';
import { Bus, commonSettings, createLog } from '@parley/service-kit';
import { CliError } from './cli-error.ts';

/** Longest wait for NATS, and for each answer, in ms: a person is waiting. */
export const patienceMs = 3_000;

/**
 * Where the bus is: at `NATS_URL`, else that of the Parley with its data in the folder.
 * @throws CliError where there is none, or the setting is none; LocalStackError where it is another user's.
 */
export function findNatsUrl(environment: Record<string, string | undefined>, dataDir: string): string {
  const given = environment.NATS_URL;
  if (given === undefined || given === '') {
    const stack = findRunningStack(dataDir);
    if (stack) return stack.natsUrl;
    throw new CliError(
      'No Parley is running on this machine: begin with `npm start`, or say with NATS_URL where one is.',
    );
  }
  try {
    return commonSettings.natsUrl.parse(given);
  } catch (error) {
    throw new CliError(`NATS_URL: ${(error as Error).message}`);
  }
}

/**
 * Connects as one who asks and leaves again: neither waits for a server that is away nor comes back to it.
 * @throws CliError where no server answers in time.
 */
export async function openOperatorBus(natsUrl: string): Promise<Bus> {
  const name = 'parley-admin';
  const servers = natsUrl.split(',');
  try {
    const timeout = Math.floor(patienceMs / servers.length);
    const nats = await connect({ servers, name, timeout, reconnect: false });
    const log = createLog(name, 'silent');
    return new Bus(nats, { natsUrl, name, log, requestTimeoutMs: patienceMs });
  } catch (cause) {
    throw new CliError(`The NATS server of Parley can't be reached: ${(cause as Error).message}.`);
  }
}
