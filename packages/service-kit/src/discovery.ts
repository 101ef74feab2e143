import { EndpointStats, matches } from '@parley/protocol';
import type { GatewayId } from '@parley/protocol';
import { NoRespondersError, RequestError } from '@nats-io/nats-core';
import type { NatsConnection } from '@nats-io/nats-core';
import { Svcm } from '@nats-io/services';
import type { ServiceStats } from '@nats-io/services';

/** One instance of a service, as it tells of itself since its start. */
export interface ServiceInstance {
  service: string;
  /** Of this run, by NATS. */
  id: string;
  version: string;
  startedAt: Date;
  /** Of gateways. */
  gatewayId: GatewayId | undefined;
  /** All its methods together. */
  stats: EndpointStats;
}

/** So long nobody answers any more, in ms, before all have. */
const silenceMs = 1_000;

/**
 * Asks all instances of all services for themselves, by the service discovery of NATS. Nobody knows how many there are: it is
 * over when a second has passed without another answer.
 * @param maxWaitMs Longest wait for all of them, in ms.
 */
export async function discoverServices(nats: NatsConnection, maxWaitMs: number): Promise<ServiceInstance[]> {
  const client = new Svcm(nats).client({
    strategy: 'stall',
    stall: silenceMs,
    maxWait: maxWaitMs,
  });
  const instances: ServiceInstance[] = [];
  try {
    for await (const stats of await client.stats()) {
      if (isOurs(stats)) instances.push(instanceFrom(stats));
    }
  } catch (error) {
    if (!isNobodyThere(error)) throw error;
  }
  return instances.sort((a, b) => order(a.service, b.service) || order(a.id, b.id));
}

function isNobodyThere(error: unknown): boolean {
  return error instanceof NoRespondersError || (error instanceof RequestError && error.isNoResponders());
}

/** Others may use the same NATS server for services of theirs. */
function isOurs({ endpoints }: ServiceStats): boolean {
  return endpoints?.some(({ subject }) => subject.startsWith('parley.rpc.')) ?? false;
}

function instanceFrom({
  name,
  id,
  version,
  started,
  metadata,
  endpoints = [],
}: ServiceStats): ServiceInstance {
  const total: EndpointStats = { answered: 0, errors: 0, totalMs: 0 };
  for (const { data } of endpoints) {
    if (!matches(EndpointStats, data)) continue;
    total.answered += data.answered;
    total.errors += data.errors;
    total.totalMs += data.totalMs;
  }
  return {
    service: name,
    id,
    version,
    startedAt: new Date(started),
    gatewayId: metadata?.gatewayId as GatewayId | undefined,
    stats: total,
  };
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
