import {
  endSession,
  findRole,
  findSession,
  findUsers,
  keepGuests,
  logIn,
  openGuest,
  openToken,
  register,
  releaseConnections,
  releaseGuests,
  renameGuest,
  renewConnectionLease,
  resumeSession,
  setRole,
  touchSessions,
} from '@parley/protocol';
import { callerOf, endpoint } from '@parley/service-kit';
import type { Endpoint } from '@parley/service-kit';
import type { Accounts } from './accounts.ts';
import type { Guests } from './guests.ts';
import type { Logins } from './logins.ts';
import type { SessionStore } from './sessions.ts';
import type { AccountStore } from './store.ts';

/** The service's endpoints on the bus. */
export function authService(parts: {
  accounts: Accounts;
  logins: Logins;
  guests: Guests;
  sessions: SessionStore;
  store: AccountStore;
}): Endpoint[] {
  const { accounts, logins, guests, sessions, store } = parts;
  return [
    endpoint(register, ({ name, password, address }) => accounts.register(name, password, address)),
    endpoint(logIn, ({ place, ...credentials }) => logins.logIn(credentials, place)),
    endpoint(openToken, (credentials) => logins.openToken(credentials)),
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
    endpoint(openGuest, ({ name, gatewayId }) => guests.open(name, gatewayId)),
    endpoint(renameGuest, ({ guest, newName, gatewayId }) => guests.rename(guest, newName, gatewayId)),
    endpoint(keepGuests, async (request) => ({
      lost: await guests.keep(request.gatewayId, request.guests),
    })),
    endpoint(releaseGuests, async (request) => {
      await guests.release(request.guests);
      return {};
    }),
    endpoint(setRole, async ({ name, role }) => {
      await accounts.setRole(name, role);
      return {};
    }),
    endpoint(findRole, async ({ userId }) => ({ role: await accounts.findRole(userId) })),
  ];
}
