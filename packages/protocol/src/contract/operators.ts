import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import { GatewayId, RoomId } from '../ids.ts';
import { Room, RoomMember, User } from '../models.ts';
import { NewPassword, RoomName, UserName } from '../text.ts';
import { Time } from '../times.ts';
import { AccountRole } from './auth.ts';
import { method } from './method.ts';

/*
 * What an operator may ask: whoever reaches the bus. No dialect has a frame for any of it.
 */

const Count = Type.Integer({ minimum: 0 });

/** Gives an account what it may do. */
export const setRole = method('auth.setRole', {
  request: Type.Object({ name: UserName, role: AccountRole }),
  reply: Type.Object({}),
  errors: ['user_not_found'],
});

/** An account as it is listed. */
export const AccountRecord = Type.Object({
  ...User.properties,
  role: AccountRole,
  createdAt: Time,
  /** Null while it may log in. */
  disabledAt: Type.Union([Time, Type.Null()]),
  /** Open ones, tokens included. */
  sessions: Count,
});
export type AccountRecord = Static<typeof AccountRecord>;

export const maxAccountsPage = 1_000;

/** Accounts in the order of their names, after a name. */
export const listAccounts = method('auth.listAccounts', {
  request: Type.Object({
    after: Type.Optional(UserName),
    limit: Type.Integer({ minimum: 1, maximum: maxAccountsPage }),
  }),
  reply: Type.Object({ accounts: Type.Array(AccountRecord), hasMore: Type.Boolean() }),
});

/** Makes an account, as `register` does, without a limit. */
export const addAccount = method('auth.addAccount', {
  request: Type.Object({ name: UserName, password: NewPassword }),
  reply: User,
  errors: ['username_taken'],
});

const accountOnly = Type.Object({ name: UserName });
/** How many sessions were ended; their connections close with 4003. */
const endedSessions = Type.Object({ endedSessions: Count });

/** Gives an account another password, and ends what was opened with the former one. */
export const setPassword = method('auth.setPassword', {
  request: Type.Object({ name: UserName, password: NewPassword }),
  reply: endedSessions,
  errors: ['user_not_found'],
});

/** Keeps an account from logging in, and ends its sessions. */
export const disableAccount = method('auth.disableAccount', {
  request: accountOnly,
  reply: endedSessions,
  errors: ['user_not_found'],
});

/** Lets a disabled account log in again. */
export const enableAccount = method('auth.enableAccount', {
  request: accountOnly,
  reply: Type.Object({}),
  errors: ['user_not_found'],
});

/** Ends all sessions of an account; it may log in again at once. */
export const endAccountSessions = method('auth.endAccountSessions', {
  request: accountOnly,
  reply: endedSessions,
  errors: ['user_not_found'],
});

/** A room as it is listed. */
export const RoomRecord = Type.Object({
  ...Room.properties,
  createdAt: Time,
  members: Count,
  /** Users present. */
  users: Count,
});
export type RoomRecord = Static<typeof RoomRecord>;

/** Each room of a page has its members counted, of which it may have many. */
export const maxRoomsPage = 250;

/** All rooms, or those of a name, in the order of their names and ids, after one of them. */
export const listAllRooms = method('rooms.listAll', {
  request: Type.Object({
    name: Type.Optional(RoomName),
    after: Type.Optional(Type.Object({ name: RoomName, roomId: RoomId })),
    limit: Type.Integer({ minimum: 1, maximum: maxRoomsPage }),
  }),
  reply: Type.Object({ rooms: Type.Array(RoomRecord), hasMore: Type.Boolean() }),
});

/** A room with its members in the order of their names, after a name, as many as fit a page. */
export const showRoom = method('rooms.show', {
  request: Type.Object({ roomId: RoomId, after: Type.Optional(UserName) }),
  reply: Type.Object({ room: RoomRecord, members: Type.Array(RoomMember), hasMore: Type.Boolean() }),
  errors: ['room_not_found'],
});

/** Deletes a room, whoever owns it; those in it are told as when its owner does. */
export const dropRoom = method('rooms.drop', {
  request: Type.Object({ roomId: RoomId }),
  reply: Room,
  errors: ['room_not_found', 'cannot_delete_default'],
});

/** What one gateway holds at the moment. */
export const GatewayStatus = Type.Object({
  gatewayId: GatewayId,
  /** Connections of users, by their dialect. */
  connections: Type.Record(Type.String(), Count),
  /** Connections that are nobody's yet. */
  anonymous: Count,
  /** Of those of users, how many are guests'. */
  guests: Count,
  /** Rooms with somebody of this gateway in them. */
  rooms: Count,
});
export type GatewayStatus = Static<typeof GatewayStatus>;

/** Asked of each gateway under its own subject. */
export const readGatewayStatus = method('gateway.readStatus', {
  request: Type.Object({}),
  reply: GatewayStatus,
});

/** What an instance tells of one of its methods, since it started, as `data` of its NATS micro stats. */
export const EndpointStats = Type.Object({
  answered: Count,
  /** Of the answers, those that were no fault of who asked: `internal` and `unavailable`. */
  errors: Count,
  /** What all the answers took, from the request's arrival on, in ms. */
  totalMs: Type.Number({ minimum: 0 }),
});
export type EndpointStats = Static<typeof EndpointStats>;
