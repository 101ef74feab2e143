import { Type } from 'typebox';
import { GatewayId, RoomId, UserId } from '../ids.ts';
import { LeaseReply, Room, RoomMember, User, Visibility } from '../models.ts';
import { RoomName, UserName } from '../text.ts';
import { method } from './method.ts';

/** How many users may be named when a room is made. */
export const maxParticipants = 1_000;

/** Makes a room with the caller as its owner and first member. */
export const createRoom = method('rooms.create', {
  request: Type.Object({
    name: RoomName,
    visibility: Visibility,
    participants: Type.Array(UserName, { maxItems: maxParticipants }),
  }),
  reply: Room,
  errors: ['user_not_found', 'room_exists', 'forbidden'],
});

export const RoomSummary = Type.Object({
  roomId: RoomId,
  name: RoomName,
  owner: UserName,
  member: Type.Boolean(),
  /** Users present. */
  users: Type.Integer({ minimum: 0 }),
});

/** `mine`: the rooms the caller is a member of, in the order of joining. `public`: the 1,000 public ones with the most users present. */
export const listRooms = method('rooms.list', {
  request: Type.Object({ scope: Type.Union([Type.Literal('mine'), Type.Literal('public')]) }),
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
  errors: [...ownersErrors, 'room_exists'],
});

export const deleteRoom = method('rooms.delete', {
  request: roomOnly,
  reply: roomOnly,
  errors: ownersErrors,
});

/** Public rooms are open to all; a private room's members are told that they are in already. */
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

/** For the other services: which of these users are members. */
export const findAccess = method('rooms.findAccess', {
  request: Type.Object({ roomId: RoomId, userIds: Type.Array(UserId, { maxItems: 1_000 }) }),
  reply: Type.Object({ visibility: Visibility, memberIds: Type.Array(UserId) }),
  errors: ['room_not_found'],
});

/** For gateways: the rooms a user belongs to, wherever it comes from. */
export const findMemberships = method('rooms.findMemberships', {
  request: Type.Object({ userId: UserId }),
  reply: Type.Object({ rooms: Type.Array(Room) }),
});

/**
 * In place of a room's id: the user has a connection that is present in all its rooms. Known from its login on, so
 * that a room's list of users is right from the moment the room is made, before its own count is.
 */
export const everywhere = 'everywhere' as RoomId;

const Presence = Type.Object({ roomId: RoomId, userId: UserId });

/**
 * Who came into and who went from sight in which room, on one gateway. `known: false`: the gateway has no lease, so
 * nothing was counted.
 */
export const reportPresence = method('rooms.reportPresence', {
  request: Type.Object({
    gatewayId: GatewayId,
    present: Type.Array(Presence, { maxItems: 1_000 }),
    absent: Type.Array(Presence, { maxItems: 1_000 }),
  }),
  reply: Type.Object({ known: Type.Boolean() }),
});

/** Prolongs the gateway's share of presence. `known: false`: it was dropped meanwhile and has to be reported anew. */
export const renewPresenceLease = method('rooms.renewPresenceLease', {
  request: Type.Object({ gatewayId: GatewayId }),
  reply: LeaseReply,
});
