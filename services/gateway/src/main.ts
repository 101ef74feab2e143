import { createId, replay } from '@parley/protocol';
import { createContext, runService } from '@parley/service-kit';
import { createCommands } from './commands.ts';
import { HandshakeClock } from './handshake-clock.ts';
import { Leases } from './leases.ts';
import { LocalUsers } from './local-users.ts';
import { PresenceReporter } from './presence-reporter.ts';
import { Receipts } from './receipts.ts';
import { RoomChannels } from './room-channels.ts';
import { SendLanes } from './send-lanes.ts';
import { ClientServer } from './server.ts';
import { gatewayService } from './service.ts';
import { Sessions } from './sessions.ts';
import { settings } from './settings.ts';

await runService('gateway', settings, async ({ config, log, bus, health, closing }) => {
  const gatewayId = createId('gateway');
  const common = { bus, log, gatewayId, requestTimeoutMs: config.requestTimeoutMs };
  const presence = new PresenceReporter(common);
  const channels = closing.use(
    new RoomChannels({
      ...common,
      presence,
      roomGone: (connection, roomId) => {
        users.roomGone(connection, roomId);
      },
    }),
  );
  const users = new LocalUsers({ ...common, channels, presence });
  const isHandshakeRequired = config.handshake === 'required';
  const sessions = new Sessions({ ...common, users, isHandshakeRequired });
  const receipts = new Receipts(common);
  const clock = closing.use(new HandshakeClock());
  const execute = createCommands({ bus, sessions, lanes: new SendLanes(bus) });

  const leases = closing.use(
    new Leases({
      log,
      renewals: { auth: () => sessions.renewLease(), rooms: () => presence.renewLease() },
      touchSessions: () => sessions.touch(),
    }),
  );
  for (const service of ['auth', 'rooms']) health.require(service, () => leases.check(service));
  closing.defer(async () => {
    await Promise.all([sessions.released(), presence.report(), receipts.stored()]);
  });
  const server = new ClientServer({
    ...config,
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
    rates: config.rateLimits === 'on' ? ratesOf(config) : undefined,
    log,
    closed: (connection) => {
      sessions.forget(connection);
    },
  });
  closing.use(
    await bus.serve(
      'gateway',
      gatewayService((id) => server.find(id)),
      gatewayId,
    ),
  );
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
