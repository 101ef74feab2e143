import { metrics } from '@parley/service-kit';
import { Counter, Gauge } from 'prom-client';

const registers = [metrics];

export const openConnections = new Gauge({
  name: 'parley_gateway_connections',
  help: 'Open WebSocket connections.',
  registers,
});

export const framesReceived = new Counter({
  name: 'parley_gateway_frames_received_total',
  help: 'Text frames from clients.',
  registers,
});

export const delivered = new Counter({
  name: 'parley_gateway_deliveries_total',
  help: 'Messages written to connections other than by request.',
  labelNames: ['dialect'] as const,
  registers,
});

export const repairs = new Counter({
  name: 'parley_gateway_repairs_total',
  help: 'Holes in the stream of a room that were filled from history.',
  registers,
});

export const slowReaders = new Counter({
  name: 'parley_gateway_slow_readers_total',
  help: 'Connections closed with 1013 because they did not read.',
  registers,
});

export const rateLimited = new Counter({
  name: 'parley_gateway_rate_limited_total',
  help: 'Requests and connections refused by a rate limit.',
  registers,
});
