import { probeConnection, subjects } from '@parley/protocol';
import type { ConnectionsEnded } from '@parley/protocol';
import { createContext, openDatabase, openRedis, runService } from '@parley/service-kit';
import { createAccounts } from './accounts.ts';
import { createAdministration } from './administration.ts';
import { createGuestNames } from './guest-names.ts';
import { createGuests } from './guests.ts';
import { createLogins } from './logins.ts';
import { createRateLimit, noRateLimit } from './rate-limits.ts';
import { authService } from './service.ts';
import { createSessionStore } from './sessions.ts';
import { settings } from './settings.ts';
import { createAccountStore } from './store.ts';

/** A gateway answers a probe within 3 s; one that says nothing for longer is gone. */
const probeTimeoutMs = 3_500;

/** A statement waits for a connection and for its answer, each with its time limit; one more to be sure. */
const longestWaits = 3;

await runService('auth', settings, async ({ config, log, bus, health, closing }) => {
  const { databaseUrl, databaseConnections: connections, redisUrl, requestTimeoutMs: timeoutMs } = config;
  const redis = closing.use(await openRedis({ redisUrl, timeoutMs, log }));
  const migrations = new URL('migrations/', import.meta.url);
  const database = closing.use(
    await openDatabase({ databaseUrl, connections, timeoutMs, log }, 'auth', migrations),
  );
  health.require('redis', () => redis.ping());
  health.require('postgres', () => database.ping());

  const store = createAccountStore(database);
  const sessions = createSessionStore(redis, config);
  const guestNames = createGuestNames(redis, { settleMs: longestWaits * timeoutMs });
  const publish = (event: ConnectionsEnded) => {
    bus.publish(subjects.userEvents(event.userId), event);
  };
  const limit = config.rateLimits === 'on' ? createRateLimit(redis) : noRateLimit;
  const accounts = createAccounts({ accounts: store, guestNames, limit, limits: config });
  const guests = createGuests({ accounts: store, guestNames, areAllowed: config.allowGuests === 'true' });
  const logins = createLogins({
    accounts: store,
    sessions,
    limit,
    limits: config,
    loginPolicy: config.loginPolicy,
    isAlive: ({ connectionId, gatewayId }) =>
      bus.call(probeConnection, { connectionId }, createContext(probeTimeoutMs), gatewayId).then(
        ({ alive }) => alive,
        () => false,
      ),
    publish,
  });
  const administration = createAdministration({ accounts: store, sessions, publish, log });
  const parts = { accounts, logins, guests, administration, sessions, store };
  closing.use(await bus.serve('auth', authService(parts)));
});
