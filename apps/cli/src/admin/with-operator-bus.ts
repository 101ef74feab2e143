import { ParleyError } from '@parley/protocol';
import type { Method, ReplyOf, RequestOf } from '@parley/protocol';
import type { Bus } from '@parley/service-kit';
import { CliError, exitCodes } from '../cli-error.ts';

/** Asks a service, within `patienceMs`. @throws ParleyError where it refuses; CliError where nobody answers. */
export type Ask = <M extends Method>(method: M, request: RequestOf<M>) => Promise<ReplyOf<M>>;

/** Does something as the operator, over the bus, and leaves it again. */
export async function withOperatorBus(work: (ask: Ask, bus: Bus) => Promise<void>): Promise<void> {
  // It takes a while to load: everything else, such as the shell's completion, need not wait for it.
  const { openOperatorBus } = await import('../operator-bus.ts');
  await using bus = await openOperatorBus();
  await work(async (method, request) => {
    try {
      return await bus.call(method, request);
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code !== 'unavailable') throw error;
      const message = `Parley does not answer; is its ${method.service} service running?`;
      throw new CliError(message, exitCodes.unreachable, { code: error.code, cause: error });
    }
  }, bus);
}
