/**
 * Users, sessions and rooms put straight where Parley's services keep them: logging in by password is dear on purpose, and a thousand
 * connections would wait for minutes. Nobody can log in by password here; sessions are resumed.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createId, type RoomId, type UserId } from '@parley/protocol';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { ServerAddresses } from '@parley/local-stack';

const sessionMs = 24 * 60 * 60 * 1_000;

export interface SeededUser {
  userId: UserId;
  name: string;
  sessionKey: string;
}

export interface SeededRoom {
  roomId: RoomId;
  name: string;
  visibility: 'private' | 'public';
  /** The first owns it. */
  members: readonly SeededUser[];
}

/** Makes up users; {@link storeSeeds} makes them known. */
export function createUsers(prefix: string, count: number): SeededUser[] {
  return Array.from({ length: count }, (_, index) => ({
    userId: createId('user'),
    name: `${prefix}-${index}`,
    sessionKey: randomBytes(32).toString('base64url'),
  }));
}

/** Accounts with an open session each, and rooms with their members. */
export async function storeSeeds(
  { databaseUrl, redisUrl }: ServerAddresses,
  users: readonly SeededUser[],
  rooms: readonly SeededRoom[],
): Promise<void> {
  await Promise.all([storeRows(databaseUrl, users, rooms), storeSessions(redisUrl, users)]);
}

async function storeRows(
  databaseUrl: string,
  users: readonly SeededUser[],
  rooms: readonly SeededRoom[],
): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    await client.query(
      `insert into auth.account (id, name, password_hash) select id, name, '' from unnest($1::text[], $2::text[]) as new (id, name)`,
      [users.map(({ userId }) => userId), users.map(({ name }) => name)],
    );
    await client.query(
      `insert into rooms.room (id, name, visibility, owner_id, owner)
       select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])`,
      [
        rooms.map(({ roomId }) => roomId),
        rooms.map(({ name }) => name),
        rooms.map(({ visibility }) => visibility),
        rooms.map(({ members }) => members[0]!.userId),
        rooms.map(({ members }) => members[0]!.name),
      ],
    );
    const members = rooms.flatMap((room) => room.members.map((user) => ({ ...user, roomId: room.roomId })));
    await client.query(
      `insert into rooms.member (room_id, user_id, name)
       select * from unnest($1::text[], $2::text[], $3::text[])`,
      [
        members.map(({ roomId }) => roomId),
        members.map(({ userId }) => userId),
        members.map(({ name }) => name),
      ],
    );
  } finally {
    await client.end();
  }
}

async function storeSessions(redisUrl: string, users: readonly SeededUser[]): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    const commands = redis.pipeline();
    for (const { userId, name, sessionKey } of users) {
      const sessionId = createHash('sha256').update(sessionKey).digest('hex');
      const key = `parley:session:${sessionId}`;
      commands.hset(key, { userId, name, kind: 'login' }).pexpire(key, sessionMs);
      commands.sadd(`parley:user-sessions:${userId}`, sessionId);
      commands.pexpire(`parley:user-sessions:${userId}`, sessionMs);
    }
    await commands.exec();
  } finally {
    redis.disconnect();
  }
}
