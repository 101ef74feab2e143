import { RedisScript } from '@parley/service-kit';

/*
 * What Redis does in one step for presence. The scripts reach keys that they only learn of while they run, so they need
 * one Redis, not a cluster.
 *
 * parley:presence:room:<roomId>      hash: name -> on how many gateways that user is present. Its length is the room's count.
 * parley:presence:share:<gatewayId>  set of `roomId/name`: the gateway's share of all rooms. Names may contain `/`, ids do not.
 */

/** Sorted set: gateway id -> when its lease ends, in ms since 1970 by Redis's clock. */
export const leasesKey = 'parley:presence:leases';
/** Sorted set: room id -> users present. Neither empty rooms nor unlisted ones are in it. */
const countsKey = 'parley:presence:counts';
/** Set of rooms with users present that the lobby never shows: private ones, and deleted ones. */
const unlistedKey = 'parley:presence:unlisted';
/** The version that was given last. */
const versionKey = 'parley:presence:version';

const now = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Versions grow by at least one, and are times in µs where nothing else is known: what was told before Redis was emptied
 * is not taken for newer than what is told after it.
 */
const nextVersion = `
local function nextVersion()
  local time = redis.call('time')
  local last = tonumber(redis.call('get', '${versionKey}')) or 0
  local version = math.max(last + 1, time[1] * 1000000 + time[2])
  redis.call('set', '${versionKey}', string.format('%.0f', version))
  return version
end
`;

/**
 * \`count\` adds 1 or -1 to the gateways on which the user of a share is present. \`news\` answers with a version and, for
 * each room counted in: its id, its users, whether it may be in the lobby, who came into sight and who went from it.
 */
const counting = `${nextVersion}
local rooms, byId = {}, {}

local function note(roomId, name, change)
  local room = byId[roomId]
  if not room then
    room = { id = roomId, names = {}, changes = {} }
    byId[roomId] = room
    rooms[#rooms + 1] = room
  end
  if change == 0 then return end
  if not room.changes[name] then room.names[#room.names + 1] = name end
  room.changes[name] = (room.changes[name] or 0) + change
end

local function roomOf(share)
  return string.match(share, '^([^/]+)/(.+)$')
end

local function count(share, change)
  local roomId, name = roomOf(share)
  local key = 'parley:presence:room:' .. roomId
  local gateways = redis.call('hincrby', key, name, change)
  if gateways <= 0 then redis.call('hdel', key, name) end
  local isTurn = change == 1 and gateways == 1 or change == -1 and gateways <= 0
  note(roomId, name, isTurn and change or 0)
end

local function news()
  local told = {}
  for _, room in ipairs(rooms) do
    if room.id ~= 'everywhere' then
      local joined, left = {}, {}
      for _, name in ipairs(room.names) do
        if room.changes[name] > 0 then joined[#joined + 1] = name end
        if room.changes[name] < 0 then left[#left + 1] = name end
      end
      local users = redis.call('hlen', 'parley:presence:room:' .. room.id)
      local unlisted = redis.call('sismember', '${unlistedKey}', room.id)
      if users == 0 then
        redis.call('zrem', '${countsKey}', room.id)
        redis.call('srem', '${unlistedKey}', room.id)
      elseif unlisted == 0 then
        redis.call('zadd', '${countsKey}', users, room.id)
      end
      told[#told + 1] = { room.id, users, 1 - unlisted, joined, left }
    end
  end
  return { nextVersion(), told }
end
`;

/**
 * Counts what is new in the gateway's share, and no longer what went. KEYS: leases, share. ARGV: gateway, how many are
 * present, then all. Answers with the news; with nothing where the gateway has no lease.
 */
export const reportScript = new RedisScript(`${counting}
if not redis.call('zscore', KEYS[1], ARGV[1]) then return false end
local presentCount = tonumber(ARGV[2])
for index = 3, #ARGV do
  local share = ARGV[index]
  local isPresent = index - 2 <= presentCount
  if redis.call(isPresent and 'sadd' or 'srem', KEYS[2], share) == 1 then
    count(share, isPresent and 1 or -1)
  else
    note(roomOf(share), '', 0)
  end
end
return news()
`);

/** KEYS: leases. ARGV: gateway, for how long in ms. Answers with 1 where there was a lease. */
export const renewScript = new RedisScript(`${now}
local lease = redis.call('zscore', KEYS[1], ARGV[1])
-- Once it was over, part of the share may be swept already.
local known = lease and tonumber(lease) > now
redis.call('zadd', KEYS[1], now + ARGV[2], ARGV[1])
return known and 1 or 0
`);

/**
 * Drops shares of a gateway whose lease is over. KEYS: leases. ARGV: how many shares at most. Answers with the news;
 * with nothing where no such gateway is left.
 */
export const sweepScript = new RedisScript(`${now}${counting}
local limit = tonumber(ARGV[1])
local dead = redis.call('zrangebyscore', KEYS[1], '-inf', now, 'limit', 0, 1)[1]
if not dead then return false end
local shares = redis.call('spop', 'parley:presence:share:' .. dead, limit)
for _, share in ipairs(shares) do count(share, -1) end
if #shares < limit then redis.call('zrem', KEYS[1], dead) end
return news()
`);

/** ARGV: rooms. Answers with the users present in each. */
export const countScript = new RedisScript(`
local users = {}
for index, roomId in ipairs(ARGV) do users[index] = redis.call('hlen', 'parley:presence:room:' .. roomId) end
return users
`);

/** The same with a version of its own in front. */
export const countAnewScript = new RedisScript(`${nextVersion}
local users = { nextVersion() }
for index, roomId in ipairs(ARGV) do users[index + 1] = redis.call('hlen', 'parley:presence:room:' .. roomId) end
return users
`);

/** ARGV: how many. Answers with the last version and the listed rooms with the most users, each followed by its count. */
export const busiestScript = new RedisScript(`
local version = redis.call('get', '${versionKey}') or '0'
return { version, redis.call('zrevrange', '${countsKey}', 0, ARGV[1] - 1, 'withscores') }
`);

/** ARGV: rooms, which are not listed from now on as long as anybody is present. */
export const unlistScript = new RedisScript(`
for _, roomId in ipairs(ARGV) do
  redis.call('zrem', '${countsKey}', roomId)
  if redis.call('exists', 'parley:presence:room:' .. roomId) == 1 then
    redis.call('sadd', '${unlistedKey}', roomId)
  end
end
`);
