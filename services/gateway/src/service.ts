import { probeConnection, readGatewayStatus } from '@parley/protocol';
import type { GatewayStatus } from '@parley/protocol';
import { endpoint } from '@parley/service-kit';
import type { Endpoint } from '@parley/service-kit';
import type { Connection } from './connection/connection.ts';

/** How long a probed client has to answer, in ms (protocol.md, "Login dialect"). */
const probeTimeoutMs = 3_000;

/** The endpoints of one gateway on the bus. */
export function gatewayService(
  find: (connectionId: string) => Connection | undefined,
  readStatus: () => GatewayStatus,
): Endpoint[] {
  return [
    endpoint(probeConnection, async ({ connectionId }) => ({
      alive: (await find(connectionId)?.probe(probeTimeoutMs)) ?? false,
    })),
    endpoint(readGatewayStatus, () => Promise.resolve(readStatus())),
  ];
}
