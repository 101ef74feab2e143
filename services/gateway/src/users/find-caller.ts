import { findSession, matches, ParleyError } from '@parley/protocol';
import type { ReplyOf } from '@parley/protocol';
import type { Bus, RequestContext } from '@parley/service-kit';

/**
 * Whose token it is; prolongs it.
 * @param token As it came: of any length, with anything in it.
 * @throws ParleyError `not_authenticated`, `unavailable`
 */
export async function findCaller(
  bus: Pick<Bus, 'callTogether'>,
  token: string,
  context: RequestContext,
): Promise<ReplyOf<typeof findSession>> {
  const request = { sessionKey: token };
  // What can't be a token is a wrong one.
  if (!matches(findSession.request, request)) throw new ParleyError('not_authenticated');
  return bus.callTogether(findSession, request, context);
}
