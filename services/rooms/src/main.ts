import { createRateLimit, noRateLimit, openDatabase, openRedis, runService } from '@parley/service-kit';
import { createAdministration } from './administration.ts';
import { createAttendance } from './attendance.ts';
import { createDirectory } from './directory.ts';
import { createRoomEvents } from './events.ts';
import { LobbyNews } from './lobby-news.ts';
import { createLobby } from './lobby.ts';
import { createMembership } from './membership.ts';
import { createPresenceStore } from './presence.ts';
import { createRooms } from './rooms.ts';
import { roomsService } from './service.ts';
import { settings } from './settings.ts';
import { createRoomStore } from './store.ts';

/** How often dead gateways are looked for, in ms. */
const sweepEveryMs = 5_000;

await runService('rooms', settings, async ({ config, log, bus, health, closing }) => {
  const { databaseUrl, databaseOwnerUrl, databaseConnections: connections } = config;
  const { redisUrl, requestTimeoutMs: timeoutMs } = config;
  const migrations = new URL('migrations/', import.meta.url);
  const [redis, database] = await Promise.all([
    openRedis({ redisUrl, timeoutMs, log }),
    openDatabase({ databaseUrl, databaseOwnerUrl, connections, timeoutMs, log }, 'rooms', migrations),
  ]);
  closing.use(redis);
  closing.use(database);
  health.require('redis', () => redis.ping());
  health.require('postgres', () => database.ping());

  const store = createRoomStore(database, config);
  const presence = createPresenceStore(redis, config.gatewayLeaseMs);
  const events = createRoomEvents({ publish: bus.publish.bind(bus) });
  const lobbyNews = closing.use(new LobbyNews({ store, presence, events, log }));
  const directory = createDirectory(bus);
  const { maxMembersPerRoom } = config;
  const limit = config.rateLimits === 'on' ? createRateLimit(redis) : noRateLimit;
  const parts = { store, presence, directory, events, lobbyNews, maxMembersPerRoom, limit, limits: config };
  const rooms = createRooms(parts);
  const membership = createMembership({ ...parts, rooms });
  const administration = createAdministration({ ...parts, rooms, membership, log });
  const attendance = createAttendance(parts);
  const lobby = createLobby(parts);

  let sweeping = Promise.resolve();
  const sweeper = setInterval(() => {
    sweeping = attendance.sweep().catch((err: unknown) => {
      log.warn({ err }, 'presence of dead gateways could not be swept, trying again');
    });
  }, sweepEveryMs);
  closing.defer(async () => {
    clearInterval(sweeper);
    await sweeping;
  });
  const served = { ...parts, rooms, membership, administration, attendance, lobby };
  closing.use(await bus.serve('rooms', roomsService(served)));
});
