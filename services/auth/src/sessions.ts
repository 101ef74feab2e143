import { createHash, randomBytes } from 'node:crypto';
import type {
  ConnectionPlace,
  GatewayId,
  LeaseReply,
  SessionId,
  User,
  UserId,
  UserName,
  RequestOf,
  touchSessions,
} from '@parley/protocol';
import type { RedisStore } from '@parley/service-kit';

/** How a second session of a user is met: see `LOGIN_POLICY`. */
export type LoginPolicy = 'single' | 'takeover' | 'multi';

export type Opening =
  | { outcome: 'opened'; sessionId: SessionId; sessionKey: string; ended: SessionId[] }
  /** Another session has a live connection, which is here. */
  | { outcome: 'occupied'; place: ConnectionPlace };

export interface SessionOptions {
  sessionMs: number;
  gatewayLeaseMs: number;
}

const keyOf = {
  session: (sessionId: SessionId) => `parley:session:${sessionId}`,
  userSessions: (userId: UserId) => `parley:user-sessions:${userId}`,
  gatewayLease: (gatewayId: GatewayId) => `parley:gateway-lease:${gatewayId}`,
};

/*
 * A session is a hash {userId, name, connectionId, gatewayId}; the last two while a connection is bound to it. The
 * connection is live as long as its gateway's lease is. The scripts reach keys they are not given (the sessions of a
 * user, the leases of their gateways), so they need one Redis, not a cluster.
 */
const openScript = `
local sessionKey, userSessions = KEYS[1], KEYS[2]
local sessionId, userId, name, connectionId, gatewayId, policy, deadConnectionId, ttl = unpack(ARGV)
local others = redis.call('smembers', userSessions)
if policy == 'single' then
  for _, other in ipairs(others) do
    local place = redis.call('hmget', 'parley:session:' .. other, 'connectionId', 'gatewayId')
    local isInTheWay = place[1] and place[1] ~= connectionId and place[1] ~= deadConnectionId
    if isInTheWay and redis.call('exists', 'parley:gateway-lease:' .. place[2]) == 1 then
      return {'occupied', place[1], place[2]}
    end
  end
end
local ended = {}
for _, other in ipairs(others) do
  local key = 'parley:session:' .. other
  if policy ~= 'multi' and redis.call('del', key) == 1 then table.insert(ended, other) end
  if redis.call('exists', key) == 0 then redis.call('srem', userSessions, other) end
end
redis.call('hset', sessionKey, 'userId', userId, 'name', name, 'connectionId', connectionId, 'gatewayId', gatewayId)
redis.call('pexpire', sessionKey, ttl)
redis.call('sadd', userSessions, sessionId)
redis.call('pexpire', userSessions, ttl)
return {'opened', unpack(ended)}
`;

const resumeScript = `
local session = redis.call('hmget', KEYS[1], 'userId', 'name')
if not session[1] or session[2] ~= ARGV[1] then return false end
redis.call('hset', KEYS[1], 'connectionId', ARGV[2], 'gatewayId', ARGV[3])
redis.call('pexpire', KEYS[1], ARGV[4])
redis.call('pexpire', 'parley:user-sessions:' .. session[1], ARGV[4])
return session[1]
`;

/** Prolongs a session and its user's list; 0 where it is no more, or another connection has it. */
const touchScript = `
local userId, connectionId = unpack(redis.call('hmget', KEYS[1], 'userId', 'connectionId'))
if not userId then return 0 end
if ARGV[2] and connectionId and connectionId ~= ARGV[2] then return 0 end
redis.call('pexpire', KEYS[1], ARGV[1])
redis.call('pexpire', 'parley:user-sessions:' .. userId, ARGV[1])
return 1
`;

/** Unbinds the connection from whichever session of the user it is bound to. */
const releaseScript = `
for _, sessionId in ipairs(redis.call('smembers', KEYS[1])) do
  local key = 'parley:session:' .. sessionId
  if redis.call('hget', key, 'connectionId') == ARGV[1] then
    redis.call('hdel', key, 'connectionId', 'gatewayId')
  end
end
`;

export type SessionStore = ReturnType<typeof createSessionStore>;

/** Sessions in Redis. Only a hash of a session's key is kept: who reads Redis can't resume. */
export function createSessionStore(redis: RedisStore, { sessionMs, gatewayLeaseMs }: SessionOptions) {
  return {
    /** @param dead A connection that was found not to answer, and is not in the way any more. */
    async open(
      { userId, name }: User,
      { connectionId, gatewayId }: ConnectionPlace,
      policy: LoginPolicy,
      dead?: ConnectionPlace,
    ): Promise<Opening> {
      const sessionKey = randomBytes(32).toString('base64url');
      const sessionId = sessionIdOf(sessionKey);
      const keys = [keyOf.session(sessionId), keyOf.userSessions(userId)];
      const place = [connectionId, gatewayId, policy, dead?.connectionId ?? ''];
      const values = [sessionId, userId, name, ...place, sessionMs];
      const reply = await redis.run((commands) => commands.eval(openScript, keys.length, ...keys, ...values));
      const [outcome, ...rest] = reply as string[];
      if (outcome === 'opened') return { outcome, sessionId, sessionKey, ended: rest as SessionId[] };
      const [occupant, occupantGateway] = rest as [ConnectionPlace['connectionId'], GatewayId];
      return { outcome: 'occupied', place: { connectionId: occupant, gatewayId: occupantGateway } };
    },

    /** Binds the session to another connection; undefined where there is no such session of that user. */
    async resume(
      name: UserName,
      sessionKey: string,
      { connectionId, gatewayId }: ConnectionPlace,
    ): Promise<{ userId: UserId; sessionId: SessionId } | undefined> {
      const sessionId = sessionIdOf(sessionKey);
      const values = [name, connectionId, gatewayId, sessionMs];
      const userId = await redis.run((commands) =>
        commands.eval(resumeScript, 1, keyOf.session(sessionId), ...values),
      );
      return typeof userId === 'string' ? { userId: userId as UserId, sessionId } : undefined;
    },

    async end(userId: UserId, sessionId: SessionId): Promise<void> {
      await redis.run((commands) =>
        commands.multi().del(keyOf.session(sessionId)).srem(keyOf.userSessions(userId), sessionId).exec(),
      );
    },

    /** Prolongs sessions; answers with those that are no more, or that another connection has. */
    async touch(sessions: RequestOf<typeof touchSessions>['sessions']): Promise<SessionId[]> {
      const alive = await Promise.all(
        sessions.map(({ sessionId, connectionId }) => {
          const values = [sessionMs, ...(connectionId ? [connectionId] : [])];
          return redis.run((commands) => commands.eval(touchScript, 1, keyOf.session(sessionId), ...values));
        }),
      );
      return sessions.filter((_session, index) => alive[index] !== 1).map(({ sessionId }) => sessionId);
    },

    async release(userId: UserId, { connectionId }: ConnectionPlace): Promise<void> {
      await redis.run((commands) =>
        commands.eval(releaseScript, 1, keyOf.userSessions(userId), connectionId),
      );
    },

    async renewLease(gatewayId: GatewayId): Promise<LeaseReply> {
      const key = keyOf.gatewayLease(gatewayId);
      const former = await redis.run((commands) => commands.set(key, '1', 'PX', gatewayLeaseMs, 'GET'));
      return { known: former !== null, leaseMs: gatewayLeaseMs };
    },
  };
}

function sessionIdOf(sessionKey: string): SessionId {
  return createHash('sha256').update(sessionKey).digest('hex') as SessionId;
}
