import { isGuest } from '@parley/protocol';
import type { GatewayId, GatewayStatus } from '@parley/protocol';
import type { Connection } from './connection/connection.ts';

export interface StatusParts {
  gatewayId: GatewayId;
  /** Those that are bound to a user. */
  connections: () => Iterable<Connection>;
  /** All open ones, those that are nobody's included. */
  countOpen: () => number;
  /** Rooms that somebody here is in. */
  countRooms: () => number;
}

/**
 * What this gateway holds at the moment. Counted when it is asked for, which is seldom: so nothing has to be kept in step
 * on the way of every connection.
 */
export function readStatus({ gatewayId, connections, countOpen, countRooms }: StatusParts): GatewayStatus {
  const byDialect: Record<string, number> = {};
  let bound = 0;
  let guests = 0;
  for (const { dialect, user } of connections()) {
    byDialect[dialect.name] = (byDialect[dialect.name] ?? 0) + 1;
    bound += 1;
    if (isGuest(user.userId)) guests += 1;
  }
  return {
    gatewayId,
    connections: byDialect,
    anonymous: Math.max(0, countOpen() - bound),
    guests,
    rooms: countRooms(),
  };
}
