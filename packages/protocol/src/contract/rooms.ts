import { Type } from '@parley/schema';
import type { Static } from '@parley/schema';
import { GatewayId, MessageId, RoomId, UserId } from '../ids.ts';
import { Address, LeaseReply, Room, RoomMember, User, Visibility } from '../models.ts';
import { RoomName, UserName } from '../text.ts';
import { method } from './method.ts';
import { isOwnId } from './subjects.ts';

/** How many users may be named when a room is made. */
export const maxParticipants = 1_000;

/** Makes a room with the caller as its owner and first member. */
export const createRoom = method('rooms.create', {
  request: Type.Object({
    name: RoomName,
    visibility: Visibility,
    participants: Type.Array(UserName, { maxItems: maxParticipants }),
    /** The client's, for its limits. */
    address: Address,
  }),
  reply: Room,
  errors: ['user_not_found', 'room_exists', 'forbidden', 'rate_limited'],
});

export const RoomSummary = Type.Object({
  ...Room.properties,
  member: Type.Boolean(),
  /** Users present. */
  users: Type.Integer({ minimum: 0 }),
});

/** `mine`: the rooms the caller is a member of, in the order of joining. `public`: the 1,000 public ones with the most users present. */
export const listRooms = method('rooms.list', {
  request: Type.Object({ scope: Type.Union([Type.Literal('mine'), Type.Literal('public')]) }),
  reply: Type.Object({ rooms: Type.Array(RoomSummary) }),
});

/**
 * For gateways, which know where a guest is: the same of these rooms, in the order asked. Those that do not exist, and private ones that
 * the caller is not in, are left out.
 */
export const describeRooms = method('rooms.describe', {
  request: Type.Object({ roomIds: Type.Array(RoomId, { maxItems: 1_000 }) }),
  reply: Type.Object({ rooms: Type.Array(RoomSummary) }),
});

const roomOnly = Type.Object({ roomId: RoomId });
const roomAndUser = Type.Object({ roomId: RoomId, user: UserName });
const ownersErrors = ['room_not_found', 'not_in_room', 'not_owner'] as const;

export const addMember = method('rooms.addMember', {
  request: roomAndUser,
  reply: Type.Object({ roomId: RoomId, user: User }),
  errors: [...ownersErrors, 'user_not_found', 'forbidden'],
});

/** An owner can't be removed (`forbidden`); who is no member is `user_not_found`. */
export const removeMember = method('rooms.removeMember', {
  request: roomAndUser,
  reply: Type.Object({ roomId: RoomId, user: User }),
  errors: [...ownersErrors, 'user_not_found', 'forbidden'],
});

export const renameRoom = method('rooms.rename', {
  request: Type.Object({ roomId: RoomId, newName: RoomName }),
  reply: Room,
  errors: [...ownersErrors, 'room_exists', 'forbidden'],
});

/** For its owner; any public one for an admin too. */
export const deleteRoom = method('rooms.delete', {
  request: roomOnly,
  reply: roomOnly,
  errors: [...ownersErrors, 'cannot_delete_default'],
});

/**
 * Public rooms are open to all; a private room's members are told that they are in already. A guest becomes no member: it
 * is only told the room.
 */
export const joinRoom = method('rooms.join', {
  request: roomOnly,
  reply: Type.Object({ room: Room, user: User }),
  errors: ['room_not_found', 'not_in_room', 'forbidden'],
});

export const leaveRoom = method('rooms.leave', {
  request: roomOnly,
  reply: Type.Object({ roomId: RoomId, user: User }),
  errors: ['room_not_found', 'not_in_room', 'forbidden'],
});

/** Members in the order of their names, after a name, as many as fit a page. */
export const listMembers = method('rooms.listMembers', {
  request: Type.Object({ roomId: RoomId, after: Type.Optional(UserName) }),
  reply: Type.Object({ roomId: RoomId, members: Type.Array(RoomMember), hasMore: Type.Boolean() }),
  errors: ['room_not_found', 'not_in_room'],
});

/** For the other services: which of these users may write there: members, and guests where the room is public. */
export const findAccess = method('rooms.findAccess', {
  request: Type.Object({ roomId: RoomId, userIds: Type.Array(UserId, { maxItems: 1_000 }) }),
  reply: Type.Object({ visibility: Visibility, memberIds: Type.Array(UserId) }),
  errors: ['room_not_found'],
});

export const RoomOfMember = Type.Object({
  ...Room.properties,
  /** What follows this message was sent since the user entered. Absent for who entered before it was kept. */
  sinceId: Type.Optional(MessageId),
});

/** For gateways: the rooms that the caller is a member of, in the order of joining. */
export const findMemberships = method('rooms.findMemberships', {
  request: Type.Object({}),
  reply: Type.Object({ rooms: Type.Array(RoomOfMember) }),
});

/**
 * In place of a room's id: the user has a connection that is present in all its rooms. Known from its login on, so
 * that a room's list of users is right from the moment the room is made, before its own count is.
 */
export const everywhere = 'everywhere' as RoomId;

/** A room with another id can't exist, and nobody could be told of it. */
const PresenceRoomId = Type.Refine(
  RoomId,
  (id) => isOwnId(id) || id === everywhere,
  () => 'must be an id that was made here',
);
const Presence = Type.Object({ roomId: PresenceRoomId, name: UserName });

/** Users present in a room. Of two counts of one room the one with the greater version is the later one. */
const Count = Type.Object({ roomId: RoomId, users: Type.Integer({ minimum: 0 }) });
const Version = Type.Integer({ minimum: 0 });

/**
 * Who came into and who went from sight in which room, on one gateway, by name: no two users have the same at a time.
 * Answers with the rooms' counts. `known: false`: the gateway has no lease, so nothing was counted.
 */
export const reportPresence = method('rooms.reportPresence', {
  request: Type.Object({
    gatewayId: GatewayId,
    present: Type.Array(Presence, { maxItems: 1_000 }),
    absent: Type.Array(Presence, { maxItems: 1_000 }),
  }),
  reply: Type.Object({ known: Type.Boolean(), version: Version, counts: Type.Array(Count) }),
});

/** Prolongs the gateway's share of presence. `known: false`: it was dropped meanwhile and has to be reported anew. */
export const renewPresenceLease = method('rooms.renewPresenceLease', {
  request: Type.Object({ gatewayId: GatewayId }),
  reply: LeaseReply,
});

/**
 * For gateways: rooms that somebody is in there, each asked about once and for one of those users, in any order. `closed`: private rooms
 * that the user named is not in. Those that do not exist are left out.
 */
export const findRooms = method('rooms.find', {
  request: Type.Object({
    rooms: Type.Array(Type.Object({ roomId: RoomId, userId: UserId }), { maxItems: 1_000 }),
  }),
  reply: Type.Object({ rooms: Type.Array(Room), closed: Type.Array(RoomId) }),
});

/** Which of these rooms exist, in any order, and nothing else of them. */
export const findExistingRooms = method('rooms.findExisting', {
  request: Type.Object({ roomIds: Type.Array(RoomId, { maxItems: 1_000 }) }),
  reply: Type.Object({ roomIds: Type.Array(RoomId) }),
});

/** The public room of that name. */
export const findPublicRoom = method('rooms.findPublic', {
  request: Type.Object({ name: RoomName }),
  reply: Room,
  errors: ['room_not_found'],
});

export const maxReachablePage = 1_000;

/** Public rooms and those the caller is a member of, in the order of their ids, after an id. */
export const listReachable = method('rooms.listReachable', {
  request: Type.Object({
    after: Type.Optional(RoomId),
    limit: Type.Integer({ minimum: 1, maximum: maxReachablePage }),
  }),
  reply: Type.Object({ rooms: Type.Array(Room), hasMore: Type.Boolean() }),
});

/** A public room as the lobby shows it. */
export const LobbyRoom = Type.Object({ ...Count.properties, name: RoomName });
export type LobbyRoom = Static<typeof LobbyRoom>;

export const maxLobbyRooms = 1_000;

/** For gateways: the 1,000 public rooms with the most users present. `total`: how many public rooms there are. */
export const readLobby = method('rooms.readLobby', {
  request: Type.Object({}),
  reply: Type.Object({ version: Version, rooms: Type.Array(LobbyRoom), total: Type.Integer({ minimum: 0 }) }),
});
