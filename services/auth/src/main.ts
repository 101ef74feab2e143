import { probeConnection, subjects } from '@parley/protocol';
import type { ConnectionsEnded } from '@parley/protocol';
import {
  createContext,
  createRateLimit,
  noRateLimit,
  openDatabase,
  openRedis,
  runService,
} from '@parley/service-kit';
import { createAccounts } from './accounts.ts';
import { createAdministration } from './administration.ts';
import { createFailedLogins } from './failed-logins.ts';
import { createGuestNames } from './guest-names.ts';
import { createGuests } from './guests.ts';
import { createLoginAlarm } from './login-alarm.ts';
import { createLoginLimits, noLoginLimits } from './login-limits.ts';
import { createLogins } from './logins.ts';
import { createPasswordQueue } from './password-queue.ts';
import { authService } from './service.ts';
import { createSessionStore } from './sessions.ts';
import { settings } from './settings.ts';
import { createAccountStore } from './store.ts';

/** A gateway answers a probe within 3 s; one that says nothing for longer is gone. */
const probeTimeoutMs = 3_500;

/** A statement waits for a connection and for its answer, each with its time limit; one more to be sure. */
const longestWaits = 3;

await runService('auth', settings, async ({ config, log, bus, health, closing }) => {
  const { databaseUrl, databaseOwnerUrl, databaseConnections: connections } = config;
  const { redisUrl, requestTimeoutMs: timeoutMs } = config;
  const migrations = new URL('migrations/', import.meta.url);
  const [redis, database] = await Promise.all([
    openRedis({ redisUrl, timeoutMs, log }),
    openDatabase({ databaseUrl, databaseOwnerUrl, connections, timeoutMs, log }, 'auth', migrations),
  ]);
  closing.use(redis);
  closing.use(database);
  health.require('redis', () => redis.ping());
  health.require('postgres', () => database.ping());

  const store = createAccountStore(database);
  const sessions = createSessionStore(redis, config);
  const guestNames = createGuestNames(redis, { settleMs: longestWaits * timeoutMs });
  const publish = (event: ConnectionsEnded) => {
    bus.publish(subjects.userEvents(event.userId), event);
  };
  const areLimited = config.rateLimits === 'on';
  const limit = areLimited ? createRateLimit(redis) : noRateLimit;
  const passwords = createPasswordQueue(config);
  const accounts = createAccounts({ accounts: store, guestNames, passwords, limit, limits: config });
  const areAllowed = config.allowGuests === 'true';
  const guests = createGuests({ accounts: store, guestNames, limit, limits: config, areAllowed });
  const loginLimits = createLoginLimits({
    limit,
    failedLogins: createFailedLogins(redis),
    limits: config,
    noticeReached: createLoginAlarm({ redis, accounts: store, log }),
  });
  const logins = createLogins({
    accounts: store,
    sessions,
    passwords,
    limits: areLimited ? loginLimits : noLoginLimits,
    loginPolicy: config.loginPolicy,
    isAlive: ({ connectionId, gatewayId }) =>
      bus.call(probeConnection, { connectionId }, createContext(probeTimeoutMs), gatewayId).then(
        ({ alive }) => alive,
        () => false,
      ),
    publish,
  });
  const administration = createAdministration({ accounts: store, sessions, passwords, publish, log });
  const parts = { accounts, logins, guests, administration, sessions, store };
  closing.use(await bus.serve('auth', authService(parts)));
});
