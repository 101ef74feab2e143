import { dialects } from '@parley/protocol';
import type { Dialect } from '@parley/protocol';
import { latencyBuckets, metrics, Reading, sizeBuckets, Tally } from '@parley/service-kit';
import { Counter, Gauge, Histogram } from 'prom-client';

const registers = [metrics];

export const openConnections = new Gauge({
  name: 'parley_gateway_connections',
  help: 'Open WebSocket connections.',
  registers,
});

export const connectionsByDialect = new Gauge({
  name: 'parley_gateway_dialect_connections',
  help: 'Open WebSocket connections by dialect, once their first known action has fixed it.',
  labelNames: ['dialect'] as const,
  registers,
});

for (const { name: dialect } of dialects) connectionsByDialect.set({ dialect }, 0);

export const rooms = new Reading('parley_gateway_rooms', 'Rooms that connections of this gateway are in.');

export const bufferedBytes = new Gauge({
  name: 'parley_gateway_buffered_bytes',
  help: 'What clients make us hold in memory: unread output, requests that wait, unfinished frames.',
  registers,
});

export const maxBufferedBytes = new Reading(
  'parley_gateway_max_buffered_bytes',
  'What clients may make us hold in memory.',
);

export const maxConnections = new Reading(
  'parley_gateway_max_connections',
  'Most connections, WebSocket and HTTP together.',
);

export const framesReceived = new Counter({
  name: 'parley_gateway_frames_received_total',
  help: 'Text frames from clients.',
  registers,
});

export const framesSent = new Tally('parley_gateway_frames_sent_total', 'Text frames written to clients.');

export const bytesReceived = new Tally(
  'parley_gateway_received_bytes_total',
  'Bytes from WebSocket connections.',
);

export const bytesSent = new Tally(
  'parley_gateway_sent_bytes_total',
  'Bytes written to WebSocket connections.',
);

const requestSeconds = new Histogram({
  name: 'parley_gateway_request_seconds',
  help: 'From the request of a WebSocket client, whole and confirmed, to its reply, by method.',
  labelNames: ['method'] as const,
  buckets: latencyBuckets,
  registers,
});
const requestSecondsOf = new Map<string, { observe(seconds: number): void }>();

/** @param since As `performance.now()`. */
export function observeRequest(method: string, since: number): void {
  let child = requestSecondsOf.get(method);
  if (!child) {
    child = requestSeconds.labels({ method });
    requestSecondsOf.set(method, child);
  }
  child.observe(secondsSince(since));
}

export const requestErrors = new Counter({
  name: 'parley_gateway_request_errors_total',
  help: 'Requests of WebSocket clients that were answered with an error, by its code.',
  labelNames: ['code'] as const,
  registers,
});

/** Longer than requests on a WebSocket: some carry whole files. */
export const httpSeconds = new Histogram({
  name: 'parley_gateway_http_request_seconds',
  help: 'From the headers of an HTTP request to the end of its reply, by route and status.',
  labelNames: ['route', 'status'] as const,
  buckets: [...latencyBuckets, 10, 30, 60],
  registers,
});

export const sendsWaiting = new Reading(
  'parley_gateway_sends_waiting',
  'Messages of clients that wait until those before them in their room are committed.',
);

/** By the clock of this process alone. */
export const sendToCommit = new Histogram({
  name: 'parley_gateway_send_to_commit_seconds',
  help: 'From when a message was taken in to when it is known here to be committed; the longest of each request.',
  buckets: latencyBuckets,
  registers,
});

const commitToSocket = new Histogram({
  name: 'parley_gateway_commit_to_socket_seconds',
  help: 'From the time that Postgres gave a message to its write to the connections here; the longest of each delivery.',
  buckets: latencyBuckets,
  registers,
});

/**
 * By the clocks of Postgres and of this machine, which have to agree: what comes before it was sent counts as 0.
 * @param sentAt Of the first message of a delivery.
 */
export function observeDelivery(sentAt: string): void {
  commitToSocket.observe(Math.max(0, Date.now() - Date.parse(sentAt)) / 1_000);
}

export const fanOutConnections = new Histogram({
  name: 'parley_gateway_fan_out_connections',
  help: 'Connections that messages of a room were written to at once.',
  buckets: sizeBuckets,
  registers,
});

export const fanOutMessages = new Histogram({
  name: 'parley_gateway_fan_out_messages',
  help: 'Messages of a room that were written at once.',
  buckets: sizeBuckets,
  registers,
});

const delivered = new Counter({
  name: 'parley_gateway_deliveries_total',
  help: 'Messages written to connections other than by request.',
  labelNames: ['dialect'] as const,
  registers,
});
const deliveredIn = new Map(
  dialects.map((dialect) => [dialect, fromStart(delivered, { dialect: dialect.name })]),
);

export function countDeliveries(dialect: Dialect, count: number): void {
  deliveredIn.get(dialect)?.inc(count);
}

export const repairs = new Counter({
  name: 'parley_gateway_repairs_total',
  help: 'Holes in the stream of a room that were filled from history.',
  registers,
});

const resends = new Counter({
  name: 'parley_gateway_resends_total',
  help: 'Messages that went out again: acknowledged with a wrong `count`, or not at all (`silence`).',
  labelNames: ['reason'] as const,
  registers,
});
export const resendsAfterCount = fromStart(resends, { reason: 'count' });
export const resendsAfterSilence = fromStart(resends, { reason: 'silence' });

export const chunkToAcknowledgement = new Histogram({
  name: 'parley_gateway_chunk_ack_seconds',
  help: 'From when a chunk of an upload was taken in to when it may be acknowledged; the longest of each request.',
  buckets: latencyBuckets,
  registers,
});

export const slowReaders = new Counter({
  name: 'parley_gateway_slow_readers_total',
  help: 'Connections closed because they did not read, or held most when all held too much; WebSockets with 1013.',
  registers,
});

export const rateLimited = new Counter({
  name: 'parley_gateway_rate_limited_total',
  help: 'Requests and connections refused by a limit of rate or number.',
  registers,
});

export const paced = new Counter({
  name: 'parley_gateway_paced_total',
  help: 'Times that a client had to wait, as its address sent, or asked for, more than `BYTES_PER_ADDRESS`.',
  registers,
});

const upgradeRefusals = [
  'path',
  'origin',
  'token',
  'address_full',
  'draining',
  'rate',
  'unavailable',
] as const;
/** Why there was no upgrade. */
export type UpgradeRefusal = (typeof upgradeRefusals)[number];

export const refusedUpgrades = new Counter({
  name: 'parley_gateway_refused_upgrades_total',
  help: 'Upgrades to WebSocket that were refused, by reason.',
  labelNames: ['reason'] as const,
  registers,
});
for (const reason of upgradeRefusals) fromStart(refusedUpgrades, { reason });

export const closings = new Counter({
  name: 'parley_gateway_closed_total',
  help: 'WebSocket connections that this process closed, by close code.',
  labelNames: ['code'] as const,
  registers,
});

/** @param since As `performance.now()`. */
export function secondsSince(since: number): number {
  return (performance.now() - since) / 1_000;
}

/** The child with these labels, which is shown as 0 at once: so the first one is seen as a rise. */
function fromStart<Label extends string>(
  counter: Counter<Label>,
  labels: Record<Label, string>,
): Counter.Internal {
  const child = counter.labels(labels);
  child.inc(0);
  return child;
}
