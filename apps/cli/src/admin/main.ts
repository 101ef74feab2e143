/** `npm run admin`: what an operator may do. Exits with 0 when it is done, 1 when it can't be, 2 when it isn't understood. */
import { fileURLToPath } from 'node:url';
import { LocalStackError } from '@parley/local-stack';
import { ParleyError, setRole } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import { CliError } from '../cli-error.ts';
import { findNatsUrl, openOperatorBus, patienceMs } from '../operator-bus.ts';
import { readOrder, usage } from './order.ts';
import type { Order } from './order.ts';

/** Where `npm start` keeps its data. */
const dataDir = fileURLToPath(new URL('../../../../.parley', import.meta.url));

// What may still be under way, such as the search for a server that does not answer, holds nobody up.
process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  const order = readOrder(args);
  if (!order) {
    console.error(usage);
    return 2;
  }
  try {
    await using bus = await openOperatorBus(findNatsUrl(process.env, dataDir));
    await bus.call(setRole, order, createContext(patienceMs));
  } catch (error) {
    console.error(lineFor(error, order));
    return 1;
  }
  console.log(`${order.name} is ${order.role === 'admin' ? 'an admin' : 'an ordinary account'} now.`);
  return 0;
}

/** @throws the error itself where it is nothing that the operator could put right. */
function lineFor(error: unknown, { name }: Order): string {
  if (error instanceof CliError || error instanceof LocalStackError) return error.message;
  if (!(error instanceof ParleyError)) throw error;
  if (error.code === 'user_not_found') return `There is no account called ${name}.`;
  if (error.code === 'unavailable') return 'Parley does not answer; is its auth service running?';
  return error.message;
}
