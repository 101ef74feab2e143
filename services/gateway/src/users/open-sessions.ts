import { touchSessions } from '@parley/protocol';
import type { ConnectionId } from '@parley/protocol';
import type { Bus, RequestContext } from '@parley/service-kit';
import type { BoundSession } from '../connection/connection.ts';

/**
 * Whether a session is open still; prolongs it.
 * @param connectionId Of the connection that it has to be bound to, where it is bound to one.
 * @throws ParleyError `unavailable`.
 */
export async function isSessionOpen(
  bus: Pick<Bus, 'callTogether'>,
  { sessionId }: BoundSession,
  context: RequestContext,
  connectionId?: ConnectionId,
): Promise<boolean> {
  if (sessionId === undefined) return true;
  const session = { sessionId, ...(connectionId && { connectionId }) };
  const { ended } = await bus.callTogether(touchSessions, { sessions: [session] }, context);
  return ended.length === 0;
}
