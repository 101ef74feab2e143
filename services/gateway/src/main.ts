import type { IncomingMessage } from 'node:http';
import { createId, replay } from '@parley/protocol';
import { createContext, runService } from '@parley/service-kit';
import { createCommands } from './commands.ts';
import { clientAddress, isSecure } from './client-address.ts';
import { Downloads } from './downloads.ts';
import { HandshakeClock } from './handshake-clock.ts';
import { createHttp } from './http/index.ts';
import { Leases } from './leases.ts';
import { Lobby } from './lobby.ts';
import { LocalUsers } from './local-users.ts';
import { PresenceReporter } from './presence-reporter.ts';
import { Receipts } from './receipts.ts';
import { RoomChannels } from './room-channels.ts';
import { SendLanes } from './send-lanes.ts';
import { ClientServer } from './server.ts';
import { gatewayService } from './service.ts';
import { Sessions } from './sessions.ts';
import { settings } from './settings.ts';
import { readStatus } from './status.ts';
import { Uploads } from './uploads.ts';
import { Visitors } from './visitors.ts';
import { Visits } from './visits.ts';

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
    }),
  );
  const users = new LocalUsers({ ...common, channels, presence });
  const visitors = new Visitors({ ...common, channels, presence });
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

  const leases = closing.use(
    new Leases({
      log,
      renewals: {
        auth: async () => {
          const lease = await sessions.renewLease();
          if (!lease.known) await Promise.all([sessions.touch(), visits.touch()]);
          return lease;
        },
        rooms: () => presence.renewLease(),
      },
      touchSessions: async () => {
        await Promise.all([sessions.touch(), visits.touch()]);
      },
    }),
  );
  for (const service of ['auth', 'rooms']) health.require(service, () => leases.check(service));
  closing.defer(async () => {
    await Promise.all([sessions.released(), visits.released(), presence.settle(), receipts.stored()]);
  });
  const addressOf = (request: IncomingMessage) => clientAddress(request, config.trustedProxies);
  const rates = config.rateLimits === 'on' ? ratesOf(config) : undefined;
  const http = await createHttp({
    ...config,
    bus,
    log,
    rates: rates?.requests,
    addressOf,
    isSecure: (request) => isSecure(request, config.trustedProxies),
    uploads,
    downloads,
  });
  const server: ClientServer = new ClientServer({
    ...config,
    http,
    addressOf,
    findSession: (token) => visits.findSession(token, createContext(config.requestTimeoutMs)),
    execute,
    handshake: {
      isRequired: isHandshakeRequired,
      timeoutMs: config.handshakeTimeoutMs,
      resendMs: config.handshakeResendMs,
      clock,
      readAfter: async (roomId, after) =>
        (await bus.call(replay, { roomId, after }, createContext(config.requestTimeoutMs))).messages,
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
  connectionsPerAddress: number;
}) {
  return {
    requests: { perSecond: config.requestsPerSecond, burst: config.requestsBurst },
    sends: { perSecond: config.sendsPerSecond, burst: config.sendsBurst },
    connectionsPerAddress: config.connectionsPerAddress,
  };
}
