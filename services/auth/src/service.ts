import {
  endSession,
  findUsers,
  logIn,
  register,
  releaseConnections,
  renewConnectionLease,
  resumeSession,
  touchSessions,
} from '@parley/protocol';
import { callerOf, endpoint } from '@parley/service-kit';
import type { Endpoint } from '@parley/service-kit';
import type { Accounts } from './accounts.ts';
import type { SessionStore } from './sessions.ts';
import type { AccountStore } from './store.ts';

/** The service's endpoints on the bus. */
export function authService(parts: {
  accounts: Accounts;
  sessions: SessionStore;
  store: AccountStore;
}): Endpoint[] {
  const { accounts, sessions, store } = parts;
  return [
    endpoint(register, ({ name, password, address }) => accounts.register(name, password, address)),
    endpoint(logIn, ({ password, ...credentials }) => accounts.logIn(credentials, password)),
    endpoint(resumeSession, ({ sessionKey, ...credentials }) => accounts.resume(credentials, sessionKey)),
    endpoint(endSession, async (_request, context) => {
      await accounts.endSession(callerOf(context));
      return {};
    }),
    endpoint(releaseConnections, async ({ connections }) => {
      await Promise.all(connections.map(({ userId, place }) => sessions.release(userId, place)));
      return {};
    }),
    endpoint(renewConnectionLease, ({ gatewayId }) => sessions.renewLease(gatewayId)),
    endpoint(touchSessions, async (request) => ({ ended: await sessions.touch(request.sessions) })),
    endpoint(findUsers, async ({ names }) => ({ users: await store.findUsers(names) })),
  ];
}
