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

/** The secret that opens a session, and what the session is called by those who must not know it. */
export interface SessionNames {
  sessionId: SessionId;
  sessionKey: string;
}

export type Opening =
  | ({ outcome: 'opened'; ended: SessionId[] } & SessionNames)
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
 * A session is a hash {userId, name, kind, connectionId, gatewayId}; the last two while a connection is bound to it. The
 * connection is live as long as its gateway's lease is. The kind is `login`, or `join` of a token that no connection of the
 * login dialect has resumed: such a session is in nobody's way. The scripts reach keys they are not given (the sessions
 * of a user, the leases of their gateways), so they need one Redis, not a cluster.
 */
const forgetEnded = `
local function forgetEnded(userSessions)
  for _, sessionId in ipairs(redis.call('smembers', userSessions)) do
    if redis.call('exists', 'parley:session:' .. sessionId) == 0 then
      redis.call('srem', userSessions, sessionId)
    end
  end
end
`;

/** Ends the user's sessions of kind `login`, but for one; answers with those that it ended. */
const endOthers = `
local function endOthers(userSessions, sessionId)
  local ended = {}
  for _, other in ipairs(redis.call('smembers', userSessions)) do
    local key = 'parley:session:' .. other
    local isInTheWay = other ~= sessionId and redis.call('hget', key, 'kind') ~= 'join'
    if isInTheWay and redis.call('del', key) == 1 then table.insert(ended, other) end
  end
  return ended
end
`;

const openScript = `
${endOthers}
${forgetEnded}
local sessionKey, userSessions = KEYS[1], KEYS[2]
local sessionId, userId, name, connectionId, gatewayId, policy, deadConnectionId, ttl = unpack(ARGV)
if policy == 'single' then
  for _, other in ipairs(redis.call('smembers', userSessions)) do
    local place = redis.call('hmget', 'parley:session:' .. other, 'connectionId', 'gatewayId')
    local isInTheWay = place[1] and place[1] ~= connectionId and place[1] ~= deadConnectionId
    if isInTheWay and redis.call('exists', 'parley:gateway-lease:' .. place[2]) == 1 then
      return {'occupied', place[1], place[2]}
    end
  end
end
local ended = policy == 'multi' and {} or endOthers(userSessions, sessionId)
forgetEnded(userSessions)
redis.call('hset', sessionKey, 'userId', userId, 'name', name, 'kind', 'login')
redis.call('hset', sessionKey, 'connectionId', connectionId, 'gatewayId', gatewayId)
redis.call('pexpire', sessionKey, ttl)
redis.call('sadd', userSessions, sessionId)
redis.call('pexpire', userSessions, ttl)
return {'opened', unpack(ended)}
`;

const openTokenScript = `
${forgetEnded}
local sessionKey, userSessions = KEYS[1], KEYS[2]
local sessionId, userId, name, ttl = unpack(ARGV)
forgetEnded(userSessions)
redis.call('hset', sessionKey, 'userId', userId, 'name', name, 'kind', 'join')
redis.call('pexpire', sessionKey, ttl)
redis.call('sadd', userSessions, sessionId)
redis.call('pexpire', userSessions, ttl)
`;

const resumeScript = `
${endOthers}
local sessionId, name, connectionId, gatewayId, policy, ttl = unpack(ARGV)
local userId, sessionsName = unpack(redis.call('hmget', KEYS[1], 'userId', 'name'))
if not userId or sessionsName ~= name then return false end
local userSessions = 'parley:user-sessions:' .. userId
local ended = policy == 'multi' and {} or endOthers(userSessions, sessionId)
redis.call('hset', KEYS[1], 'kind', 'login', 'connectionId', connectionId, 'gatewayId', gatewayId)
redis.call('pexpire', KEYS[1], ttl)
redis.call('pexpire', userSessions, ttl)
return {userId, unpack(ended)}
`;

/** Whose session it is; prolongs it. */
const findScript = `
local userId, name = unpack(redis.call('hmget', KEYS[1], 'userId', 'name'))
if not userId then return false end
redis.call('pexpire', KEYS[1], ARGV[1])
redis.call('pexpire', 'parley:user-sessions:' .. userId, ARGV[1])
return {userId, name}
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

/** Ends all sessions of the user; answers with those that it ended. */
const endAllScript = `
local ended = {}
for _, sessionId in ipairs(redis.call('smembers', KEYS[1])) do
  if redis.call('del', 'parley:session:' .. sessionId) == 1 then table.insert(ended, sessionId) end
end
redis.call('del', KEYS[1])
return ended
`;

/** How many sessions each of the users has open. */
const countScript = `
local counts = {}
for index, userSessions in ipairs(KEYS) do
  counts[index] = 0
  for _, sessionId in ipairs(redis.call('smembers', userSessions)) do
    counts[index] = counts[index] + redis.call('exists', 'parley:session:' .. sessionId)
  end
end
return counts
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
      const { sessionId, sessionKey } = createSessionKey();
      const keys = [keyOf.session(sessionId), keyOf.userSessions(userId)];
      const place = [connectionId, gatewayId, policy, dead?.connectionId ?? ''];
      const values = [sessionId, userId, name, ...place, sessionMs];
      const reply = await redis.run((commands) => commands.eval(openScript, keys.length, ...keys, ...values));
      const [outcome, ...rest] = reply as string[];
      if (outcome === 'opened') return { outcome, sessionId, sessionKey, ended: rest as SessionId[] };
      const [occupant, occupantGateway] = rest as [ConnectionPlace['connectionId'], GatewayId];
      return { outcome: 'occupied', place: { connectionId: occupant, gatewayId: occupantGateway } };
    },

    /** Opens a session of kind `join`, beside whatever there is. */
    async openToken({ userId, name }: User): Promise<SessionNames> {
      const { sessionId, sessionKey } = createSessionKey();
      const keys = [keyOf.session(sessionId), keyOf.userSessions(userId)];
      const values = [sessionId, userId, name, sessionMs];
      await redis.run((commands) => commands.eval(openTokenScript, keys.length, ...keys, ...values));
      return { sessionId, sessionKey };
    },

    /** Prolongs the session; undefined where there is none with this key. */
    async find(sessionKey: string): Promise<(User & { sessionId: SessionId }) | undefined> {
      const sessionId = sessionIdOf(sessionKey);
      const user = await redis.run((commands) =>
        commands.eval(findScript, 1, keyOf.session(sessionId), sessionMs),
      );
      if (!user) return undefined;
      const [userId, name] = user as [UserId, UserName];
      return { userId, name, sessionId };
    },

    /**
     * Binds the session to another connection and makes it one of kind `login`; but for `multi`, ends the user's others of
     * that kind. Undefined where there is no such session of that user.
     */
    async resume(
      name: UserName,
      sessionKey: string,
      { connectionId, gatewayId }: ConnectionPlace,
      policy: LoginPolicy,
    ): Promise<{ userId: UserId; sessionId: SessionId; ended: SessionId[] } | undefined> {
      const sessionId = sessionIdOf(sessionKey);
      const values = [sessionId, name, connectionId, gatewayId, policy, sessionMs];
      const reply = await redis.run((commands) =>
        commands.eval(resumeScript, 1, keyOf.session(sessionId), ...values),
      );
      if (!reply) return undefined;
      const [userId, ...ended] = reply as [UserId, ...SessionId[]];
      return { userId, sessionId, ended };
    },

    async end(userId: UserId, sessionId: SessionId): Promise<void> {
      await redis.run((commands) =>
        commands.multi().del(keyOf.session(sessionId)).srem(keyOf.userSessions(userId), sessionId).exec(),
      );
    },

    /** Ends all sessions of the user, tokens included; answers with those that it ended. */
    async endAll(userId: UserId): Promise<SessionId[]> {
      const ended = await redis.run((commands) => commands.eval(endAllScript, 1, keyOf.userSessions(userId)));
      return ended as SessionId[];
    },

    /** How many sessions each of the users has open, in the order asked. */
    async count(userIds: readonly UserId[]): Promise<number[]> {
      if (userIds.length === 0) return [];
      const keys = userIds.map(keyOf.userSessions);
      return (await redis.run((commands) => commands.eval(countScript, keys.length, ...keys))) as number[];
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

function createSessionKey(): SessionNames {
  const sessionKey = randomBytes(32).toString('base64url');
  return { sessionId: sessionIdOf(sessionKey), sessionKey };
}

function sessionIdOf(sessionKey: string): SessionId {
  return createHash('sha256').update(sessionKey).digest('hex') as SessionId;
}
