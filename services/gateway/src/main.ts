import type { IncomingMessage } from 'node:http';
import { createId } from '@parley/protocol';
import { createContext, runService } from '@parley/service-kit';
import { Canary } from './canary.ts';
import { createCommands } from './commands.ts';
import { HandshakeClock } from './connection/handshake-clock.ts';
import { MemoryBudget } from './connection/memory-budget.ts';
import { Downloads } from './files/downloads.ts';
import { Uploads } from './files/uploads.ts';
import { createHttp } from './http/index.ts';
import { ClientRates } from './http/rate-limits.ts';
import { Lobby } from './rooms/lobby.ts';
import { PresenceReporter } from './rooms/presence-reporter.ts';
import { Receipts } from './rooms/receipts.ts';
import { RoomChannels } from './rooms/room-channels.ts';
import { SendLanes } from './rooms/send-lanes.ts';
import { clientAddress, isSecure } from './server/client-address.ts';
import { ClientServer } from './server/server.ts';
import { gatewayService } from './service.ts';
import { settings } from './settings.ts';
import { readStatus } from './status.ts';
import { Leases } from './users/leases.ts';
import { LocalUsers } from './users/local-users.ts';
import { Sessions } from './users/sessions.ts';
import { Visitors } from './users/visitors.ts';
import { Visits } from './users/visits.ts';

await runService('gateway', settings, async ({ config, log, bus, health, closing }) => {
  const gatewayId = createId('gateway');
  const common = { bus, log, gatewayId, requestTimeoutMs: config.requestTimeoutMs };
  const lobby = closing.use(new Lobby(common));
  const presence = new PresenceReporter({
    ...common,
    counted: (counts) => {
      lobby.noticeCounts(counts);
    },
  });
  const channels = closing.use(
    new RoomChannels({
      ...common,
      presence,
      roomGone: (connection, roomId) => {
        if (visitors.has(connection)) visitors.roomGone(connection, roomId);
        else users.roomGone(connection, roomId);
      },
      doubted: (connection, roomId) => {
        if (visitors.has(connection)) visitors.doubt(connection, roomId);
        else users.doubt(connection);
      },
    }),
  );
  const users = closing.use(new LocalUsers({ ...common, channels, presence }));
  const visitors = closing.use(new Visitors({ ...common, channels, presence }));
  const isHandshakeRequired = config.handshake === 'required';
  const visits = new Visits({
    ...common,
    visitors,
    lobby,
    isHandshakeRequired,
    findConnection: (id) => server.find(id),
  });
  const sessions = new Sessions({ ...common, users, lobby, isHandshakeRequired });
  const receipts = new Receipts(common);
  const clock = closing.use(new HandshakeClock());
  const uploads = new Uploads({ ...config, bus });
  const downloads = new Downloads({ ...config, bus, chunkBytes: config.downloadChunkBytes });
  const execute = createCommands({
    bus,
    sessions,
    visits,
    visitors,
    channels,
    lanes: new SendLanes(bus),
    uploads,
    downloads,
  });

  const touchSessions = () => Promise.all([sessions.touch(), visits.touch()]);
  const leases = closing.use(
    new Leases({
      log,
      leases: {
        auth: { renew: () => sessions.renewLease(), tellAnew: touchSessions },
        rooms: { renew: () => presence.renewLease(), tellAnew: () => presence.reportAnew() },
      },
      touchSessions,
    }),
  );
  const canary = closing.use(new Canary(bus, gatewayId));
  health.require('bus', () => canary.check());
  for (const service of ['auth', 'rooms']) health.require(service, () => leases.check(service));
  closing.defer(async () => {
    await Promise.all([sessions.released(), visits.released(), presence.settle(), receipts.stored()]);
  });
  const addressOf = (request: IncomingMessage) => clientAddress(request, config.trustedProxies);
  const rates = config.rateLimits === 'on' ? ratesOf(config) : undefined;
  const budget = closing.use(new MemoryBudget(config.maxBufferedBytesTotal));
  const ratesByAddress = new ClientRates(rates?.requests);
  const bytesByAddress = new ClientRates(rates?.bytes);
  const pagesByAddress = new ClientRates(rates?.bytes);
  const http = await createHttp({
    ...config,
    bus,
    log,
    rates: rates?.requests,
    ratesByAddress,
    pagesByAddress,
    budget,
    addressOf,
    isSecure: (request) => isSecure(request, config.trustedProxies),
    uploads,
    downloads,
  });
  const server: ClientServer = new ClientServer({
    ...config,
    http,
    addressOf,
    ratesByAddress,
    bytesByAddress,
    pagesByAddress,
    budget,
    findSession: (token) => visits.findSession(token, createContext(config.requestTimeoutMs)),
    execute,
    handshake: {
      isRequired: isHandshakeRequired,
      timeoutMs: config.handshakeTimeoutMs,
      maxWaitingSize: config.maxBufferedBytes,
      resendMs: config.handshakeResendMs,
      clock,
      readAfter: async (connection, roomId, after, limit) =>
        (await channels.readAfter(connection, roomId, after, limit)).messages,
      wasDelivered: (connection, roomId, messageId) => channels.wasDelivered(connection, roomId, messageId),
      acknowledged: (user, roomId, range) => {
        receipts.acknowledge(user, roomId, range);
      },
    },
    rates,
    log,
    closed: (connection) => {
      if (visitors.has(connection)) visits.forget(connection);
      else sessions.forget(connection);
    },
  });
  const statusParts = {
    gatewayId,
    connections: () => [...users.connections(), ...visitors.connections()],
    countOpen: () => server.size,
    countRooms: () => channels.size,
  };
  const endpoints = gatewayService(
    (id) => server.find(id),
    () => readStatus(statusParts),
  );
  closing.use(await bus.serve('gateway', endpoints, gatewayId));
  closing.use(server);
  await server.listen();
});

function ratesOf(config: {
  requestsPerSecond: number;
  requestsBurst: number;
  sendsPerSecond: number;
  sendsBurst: number;
  bytesPerAddress: number;
  connectionsPerAddress: number;
}) {
  return {
    requests: { perSecond: config.requestsPerSecond, burst: config.requestsBurst },
    sends: { perSecond: config.sendsPerSecond, burst: config.sendsBurst },
    // Frames are up to 1 MiB, and reading one can take 20 ms: of a burst nobody else should feel much.
    bytes: { perSecond: config.bytesPerAddress, burst: config.bytesPerAddress / 4 },
    connectionsPerAddress: config.connectionsPerAddress,
  };
}
