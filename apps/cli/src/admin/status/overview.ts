import { readGatewayStatus } from '@parley/protocol';
import type { GatewayId, GatewayStatus, ServiceName } from '@parley/protocol';
import { discoverServices } from '@parley/service-kit';
import type { Bus, ServiceInstance } from '@parley/service-kit';
import { patienceMs } from '../../operator-bus.ts';

/** Every service; each has to have an instance. */
const serviceNames: readonly ServiceName[] = ['gateway', 'auth', 'rooms', 'messages', 'files'];

/** One instance of a service, since its start. */
export interface InstanceStatus {
  service: string;
  /** Of this run of it; of a gateway that which `gateways` has. */
  id: string;
  version: string;
  startedAt: string;
  uptimeMs: number;
  /** Answered, on the bus. What clients ask of a gateway is none. */
  requests: number;
  errors: number;
  /** Of an answer, in ms; null before the first. */
  meanMs: number | null;
}

export interface Overview {
  services: InstanceStatus[];
  /** Of those that answered. */
  gateways: GatewayStatus[];
  /** Services without an instance. */
  missing: string[];
}

/** Asks all instances of all services. */
export async function readOverview(bus: Bus): Promise<Overview> {
  const instances = await discoverServices(bus.connection, patienceMs);
  const now = Date.now();
  const gatewayIds = instances.flatMap(({ gatewayId }) => gatewayId ?? []);
  const gateways = await Promise.all(gatewayIds.map((gatewayId) => findStatus(bus, gatewayId)));
  return {
    services: instances.map((instance) => statusOf(instance, now)),
    gateways: gateways.filter((gateway) => gateway !== undefined),
    missing: serviceNames.filter((name) => !instances.some(({ service }) => service === name)),
  };
}

/** Undefined where the gateway has gone meanwhile. */
function findStatus(bus: Bus, gatewayId: GatewayId): Promise<GatewayStatus | undefined> {
  return bus.call(readGatewayStatus, {}, undefined, gatewayId).catch(() => undefined);
}

function statusOf({ service, id, version, startedAt, gatewayId, stats }: ServiceInstance, now: number) {
  const { answered, errors, totalMs } = stats;
  return {
    service,
    id: gatewayId ?? id,
    version,
    startedAt: startedAt.toISOString(),
    // The clocks of two machines may differ.
    uptimeMs: Math.max(0, now - startedAt.getTime()),
    requests: answered,
    errors,
    meanMs: answered === 0 ? null : Math.round((totalMs / answered) * 100) / 100,
  };
}
