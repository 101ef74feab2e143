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
import { RedisScript } from '@parley/service-kit';
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
  /** After its last use a session lives so long, in ms. */
  sessionMs: number;
  /** After its opening it lives so long at most, however it is used, in ms. */
  sessionMaxMs: number;
  gatewayLeaseMs: number;
}

const keyOf = {
  session: (sessionId: SessionId) => `parley:session:${sessionId}`,
  userSessions: (userId: UserId) => `parley:user-sessions:${userId}`,
  gatewayLease: (gatewayId: GatewayId) => `parley:gateway-lease:${gatewayId}`,
};

/*
 * A session is a hash {userId, name, kind, openedAt, connectionId, gatewayId}; the last two while a connection is bound to it.
 * The connection is live as long as its gateway's lease is. The kind is `login`, or `join` of a token that no connection of the
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

/**
 * Has the session live on after this use; false where it has lived as long as any may, and is over. By Redis' own clock, in
 * ms. One that was opened before there was such an end begins with its first use since.
 */
const prolong = `
local function prolong(sessionKey, userSessions, ttl, maxMs)
  local time = redis.call('time')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('hsetnx', sessionKey, 'openedAt', now)
  local left = redis.call('hget', sessionKey, 'openedAt') + maxMs - now
  redis.call('pexpire', sessionKey, math.min(ttl, left))
  redis.call('pexpire', userSessions, ttl)
  return left > 0
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

const openScript = new RedisScript(`
${endOthers}
${forgetEnded}
${prolong}
local sessionKey, userSessions = KEYS[1], KEYS[2]
local sessionId, userId, name, connectionId, gatewayId, policy, deadConnectionId, ttl, maxMs = unpack(ARGV)
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
redis.call('sadd', userSessions, sessionId)
prolong(sessionKey, userSessions, ttl, maxMs)
return {'opened', unpack(ended)}
`);

const openTokenScript = new RedisScript(`
${forgetEnded}
${prolong}
local sessionKey, userSessions = KEYS[1], KEYS[2]
local sessionId, userId, name, ttl, maxMs = unpack(ARGV)
forgetEnded(userSessions)
redis.call('hset', sessionKey, 'userId', userId, 'name', name, 'kind', 'join')
redis.call('sadd', userSessions, sessionId)
prolong(sessionKey, userSessions, ttl, maxMs)
`);

const resumeScript = new RedisScript(`
${endOthers}
${prolong}
local sessionId, name, connectionId, gatewayId, policy, ttl, maxMs = unpack(ARGV)
local userId, sessionsName = unpack(redis.call('hmget', KEYS[1], 'userId', 'name'))
if not userId or sessionsName ~= name then return false end
local userSessions = 'parley:user-sessions:' .. userId
if not prolong(KEYS[1], userSessions, ttl, maxMs) then return false end
local ended = policy == 'multi' and {} or endOthers(userSessions, sessionId)
redis.call('hset', KEYS[1], 'kind', 'login', 'connectionId', connectionId, 'gatewayId', gatewayId)
return {userId, unpack(ended)}
`);

/** Whose session it is; prolongs it. */
const findScript = new RedisScript(`
${prolong}
local userId, name = unpack(redis.call('hmget', KEYS[1], 'userId', 'name'))
if not userId then return false end
if not prolong(KEYS[1], 'parley:user-sessions:' .. userId, ARGV[1], ARGV[2]) then return false end
return {userId, name}
`);

/** Prolongs a session and its user's list; 0 where it is no more, or another connection has it. */
const touchScript = new RedisScript(`
${prolong}
local userId, connectionId = unpack(redis.call('hmget', KEYS[1], 'userId', 'connectionId'))
if not userId then return 0 end
if ARGV[3] and connectionId and connectionId ~= ARGV[3] then return 0 end
return prolong(KEYS[1], 'parley:user-sessions:' .. userId, ARGV[1], ARGV[2]) and 1 or 0
`);

/** Unbinds the connection from whichever session of the user it is bound to. */
const releaseScript = new RedisScript(`
for _, sessionId in ipairs(redis.call('smembers', KEYS[1])) do
  local key = 'parley:session:' .. sessionId
  if redis.call('hget', key, 'connectionId') == ARGV[1] then
    redis.call('hdel', key, 'connectionId', 'gatewayId')
  end
end
`);

/** Ends all sessions of the user; answers with those that it ended. */
const endAllScript = new RedisScript(`
local ended = {}
for _, sessionId in ipairs(redis.call('smembers', KEYS[1])) do
  if redis.call('del', 'parley:session:' .. sessionId) == 1 then table.insert(ended, sessionId) end
end
redis.call('del', KEYS[1])
return ended
`);

/** How many sessions each of the users has open. */
const countScript = new RedisScript(`
local counts = {}
for index, userSessions in ipairs(KEYS) do
  counts[index] = 0
  for _, sessionId in ipairs(redis.call('smembers', userSessions)) do
    counts[index] = counts[index] + redis.call('exists', 'parley:session:' .. sessionId)
  end
end
return counts
`);

export type SessionStore = ReturnType<typeof createSessionStore>;

/** Sessions in Redis. Only a hash of a session's key is kept: who reads Redis can't resume. */
export function createSessionStore(
  redis: RedisStore,
  { sessionMs, sessionMaxMs, gatewayLeaseMs }: SessionOptions,
) {
  const lifetimes = [sessionMs, sessionMaxMs];
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
      const values = [sessionId, userId, name, ...place, ...lifetimes];
      const [outcome, ...rest] = await redis.runScript<string[]>(openScript, keys, values);
      if (outcome === 'opened') return { outcome, sessionId, sessionKey, ended: rest as SessionId[] };
      const [occupant, occupantGateway] = rest as [ConnectionPlace['connectionId'], GatewayId];
      return { outcome: 'occupied', place: { connectionId: occupant, gatewayId: occupantGateway } };
    },

    /** Opens a session of kind `join`, beside whatever there is. */
    async openToken({ userId, name }: User): Promise<SessionNames> {
      const { sessionId, sessionKey } = createSessionKey();
      const keys = [keyOf.session(sessionId), keyOf.userSessions(userId)];
      const values = [sessionId, userId, name, ...lifetimes];
      await redis.runScript(openTokenScript, keys, values);
      return { sessionId, sessionKey };
    },

    /** Prolongs the session; undefined where there is none with this key. */
    async find(sessionKey: string): Promise<(User & { sessionId: SessionId }) | undefined> {
      const sessionId = sessionIdOf(sessionKey);
      const keys = [keyOf.session(sessionId)];
      const user = await redis.runScript<[UserId, UserName] | null>(findScript, keys, lifetimes);
      if (!user) return undefined;
      const [userId, name] = user;
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
      const values = [sessionId, name, connectionId, gatewayId, policy, ...lifetimes];
      const keys = [keyOf.session(sessionId)];
      const reply = await redis.runScript<[UserId, ...SessionId[]] | null>(resumeScript, keys, values);
      if (!reply) return undefined;
      const [userId, ...ended] = reply;
      return { userId, sessionId, ended };
    },

    async end(userId: UserId, sessionId: SessionId): Promise<void> {
      await redis.run((commands) =>
        commands.multi().del(keyOf.session(sessionId)).srem(keyOf.userSessions(userId), sessionId).exec(),
      );
    },

    /** Ends all sessions of the user, tokens included; answers with those that it ended. */
    endAll: (userId: UserId): Promise<SessionId[]> =>
      redis.runScript(endAllScript, [keyOf.userSessions(userId)], []),

    /** How many sessions each of the users has open, in the order asked. */
    async count(userIds: readonly UserId[]): Promise<number[]> {
      if (userIds.length === 0) return [];
      return redis.runScript(countScript, userIds.map(keyOf.userSessions), []);
    },

    /** Prolongs sessions; answers with those that are no more, or that another connection has. */
    async touch(sessions: RequestOf<typeof touchSessions>['sessions']): Promise<SessionId[]> {
      const alive = await Promise.all(
        sessions.map(({ sessionId, connectionId }) => {
          const values = [...lifetimes, ...(connectionId ? [connectionId] : [])];
          return redis.runScript<number>(touchScript, [keyOf.session(sessionId)], values);
        }),
      );
      return sessions.filter((_session, index) => alive[index] !== 1).map(({ sessionId }) => sessionId);
    },

    async release(userId: UserId, { connectionId }: ConnectionPlace): Promise<void> {
      await redis.runScript(releaseScript, [keyOf.userSessions(userId)], [connectionId]);
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
