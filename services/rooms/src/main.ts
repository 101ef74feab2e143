import { openDatabase, openRedis, runService } from '@parley/service-kit';
import { createDirectory } from './directory.ts';
import { createRoomEvents } from './events.ts';
import { createMembership } from './membership.ts';
import { createPresenceStore } from './presence.ts';
import { createRooms } from './rooms.ts';
import { roomsService } from './service.ts';
import { settings } from './settings.ts';
import { createRoomStore } from './store.ts';

/** How often dead gateways are looked for, in ms. */
const sweepEveryMs = 5_000;

await runService('rooms', settings, async ({ config, log, bus, health, closing }) => {
  const { databaseUrl, databaseConnections: connections, redisUrl, requestTimeoutMs: timeoutMs } = config;
  const redis = closing.use(await openRedis({ redisUrl, timeoutMs, log }));
  const migrations = new URL('migrations/', import.meta.url);
  const database = closing.use(
    await openDatabase({ databaseUrl, connections, timeoutMs, log }, 'rooms', migrations),
  );
  health.require('redis', () => redis.ping());
  health.require('postgres', () => database.ping());

  const store = createRoomStore(database, config);
  const presence = createPresenceStore(redis, config.gatewayLeaseMs);
  const parts = {
    store,
    presence,
    directory: createDirectory(bus),
    events: createRoomEvents({ publish: bus.publish.bind(bus) }),
    maxMembersPerRoom: config.maxMembersPerRoom,
  };
  const rooms = createRooms(parts);
  const membership = createMembership({ ...parts, rooms });

  const sweeper = setInterval(() => {
    presence.sweep().catch((err: unknown) => {
      log.warn({ err }, 'presence of dead gateways could not be swept, trying again');
    });
  }, sweepEveryMs);
  closing.defer(() => {
    clearInterval(sweeper);
  });
  closing.use(await bus.serve('rooms', roomsService({ rooms, membership, presence, store })));
});
