import {
  addAccount,
  disableAccount,
  enableAccount,
  endAccountSessions,
  endSession,
  findRole,
  findSession,
  findUsers,
  keepGuests,
  listAccounts,
  logIn,
  openGuest,
  openToken,
  register,
  releaseConnections,
  releaseGuests,
  renameGuest,
  renewConnectionLease,
  resumeSession,
  setPassword,
  setRole,
  touchSessions,
} from '@parley/protocol';
import { callerOf, endpoint } from '@parley/service-kit';
import type { Endpoint } from '@parley/service-kit';
import type { Accounts } from './accounts.ts';
import type { Administration } from './administration.ts';
import type { Guests } from './guests.ts';
import type { Logins } from './logins.ts';
import type { SessionStore } from './sessions.ts';
import type { AccountStore } from './store.ts';

/** The service's endpoints on the bus. */
export function authService(parts: {
  accounts: Accounts;
  logins: Logins;
  guests: Guests;
  administration: Administration;
  sessions: SessionStore;
  store: AccountStore;
}): Endpoint[] {
  const { accounts, logins, guests, administration, sessions, store } = parts;
  return [
    endpoint(register, ({ name, password, address }, { deadline }) =>
      accounts.register(name, password, address, deadline),
    ),
    endpoint(logIn, ({ place, ...credentials }, { deadline }) => logins.logIn(credentials, place, deadline)),
    endpoint(openToken, (credentials, { deadline }) => logins.openToken(credentials, deadline)),
    endpoint(findSession, ({ sessionKey }) => logins.find(sessionKey)),
    endpoint(resumeSession, ({ place, ...credentials }) => logins.resume(credentials, place)),
    endpoint(endSession, async (_request, context) => {
      await logins.endSession(callerOf(context));
      return {};
    }),
    endpoint(releaseConnections, async ({ connections }) => {
      await Promise.all(connections.map(({ userId, place }) => sessions.release(userId, place)));
      return {};
    }),
    endpoint(renewConnectionLease, ({ gatewayId }) => sessions.renewLease(gatewayId)),
    endpoint(touchSessions, async (request) => ({ ended: await sessions.touch(request.sessions) })),
    endpoint(findUsers, async ({ names }) => ({ users: await store.findUsers(names) })),
    endpoint(openGuest, (request) => guests.open(request)),
    endpoint(renameGuest, ({ guest, newName, place }, context) =>
      guests.rename(callerOf(context), guest, newName, place),
    ),
    endpoint(keepGuests, (request) => guests.keep(request.gatewayId, request.guests)),
    endpoint(releaseGuests, async (request) => {
      await guests.release(request.guests);
      return {};
    }),
    endpoint(setRole, async ({ name, role }) => {
      await administration.setRole(name, role);
      return {};
    }),
    endpoint(findRole, async ({ userId }) => ({ role: await accounts.findRole(userId) })),
    endpoint(listAccounts, (request) => administration.list(request)),
    endpoint(addAccount, ({ name, password }, { deadline }) => accounts.add(name, password, deadline)),
    endpoint(setPassword, async ({ name, password }, { deadline }) => ({
      endedSessions: await administration.setPassword(name, password, deadline),
    })),
    endpoint(disableAccount, async ({ name }) => ({ endedSessions: await administration.disable(name) })),
    endpoint(enableAccount, async ({ name }) => {
      await administration.enable(name);
      return {};
    }),
    endpoint(endAccountSessions, async ({ name }) => ({
      endedSessions: await administration.endSessions(name),
    })),
  ];
}
