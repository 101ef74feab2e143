import { createId, firstThatFit, ParleyError } from '@parley/protocol';
import type { Caller, createRoom, ReplyOf, RequestOf, Room, RoomId, listRooms } from '@parley/protocol';
import type { Directory } from './directory.ts';
import type { RoomEvents } from './events.ts';
import type { PresenceStore } from './presence.ts';
import type { RoomStore, StoredRoom } from './store.ts';

export interface RoomsParts {
  store: RoomStore;
  presence: PresenceStore;
  directory: Directory;
  events: RoomEvents;
  maxMembersPerRoom: number;
}

/** Public rooms that are looked at when the busiest are listed, and how many of them are. */
const maxPublicRoomsRead = 10_000;
const maxPublicRoomsListed = 1_000;

export type Rooms = ReturnType<typeof createRooms>;

/** Rooms themselves: made, listed, renamed, deleted. */
export function createRooms({ store, presence, directory, events, maxMembersPerRoom }: RoomsParts) {
  /** All or nothing: where a participant is unknown there is no room. */
  async function create(
    caller: Caller,
    { name, visibility, participants }: RequestOf<typeof createRoom>,
  ): Promise<ReplyOf<typeof createRoom>> {
    const others = await directory.getUsers(
      participants.filter((participant) => participant !== caller.name),
    );
    const members = [{ userId: caller.userId, name: caller.name }, ...others];
    if (members.length > maxMembersPerRoom) throw roomIsFull();
    const roomId = createId('room');
    const { full } = await store.insert({ roomId, name, visibility, owner: caller, members });
    if (full.length > 0) throw tooManyRooms(full);

    const entry = { sinceId: 0, origin: caller.connectionId };
    const created = { type: 'room-created', roomId, roomName: name, owner: caller.name } as const;
    events.entered([caller], { ...entry, change: created });
    for (const user of others) {
      const added = { type: 'member-added', roomId, roomName: name, owner: caller.name, user } as const;
      events.entered([user], { ...entry, change: added });
    }
    return { roomId, name, visibility, owner: caller.name };
  }

  async function listMine(caller: Caller): Promise<ReplyOf<typeof listRooms>> {
    const rooms = await store.listOfUser(caller.userId);
    return { rooms: firstThatFit(await summarize(rooms.map((room) => ({ ...room, member: true })))) };
  }

  async function listPublic(caller: Caller): Promise<ReplyOf<typeof listRooms>> {
    const rooms = await summarize(await store.listPublic(caller.userId, maxPublicRoomsRead));
    const busiestFirst = rooms.sort((a, b) => b.users - a.users);
    return { rooms: firstThatFit(busiestFirst.slice(0, maxPublicRoomsListed)) };
  }

  async function summarize(rooms: readonly (StoredRoom & { member: boolean })[]) {
    const counts = await presence.count(rooms.map(({ roomId }) => roomId));
    return rooms.map(({ roomId, name, owner, member }, index) => ({
      roomId,
      name,
      owner,
      member,
      users: counts[index] ?? 0,
    }));
  }

  async function rename(caller: Caller, roomId: RoomId, newName: string): Promise<Room> {
    const room = await store.rename(roomId, newName, caller.userId);
    if (!room) throw await refusal(caller, roomId);
    events.changed({ type: 'room-renamed', roomId, newName }, caller.connectionId);
    return publicFace(room);
  }

  async function remove(caller: Caller, roomId: RoomId): Promise<void> {
    if (!(await store.delete(roomId, caller.userId))) throw await refusal(caller, roomId);
    events.changed({ type: 'room-deleted', roomId }, caller.connectionId);
  }

  /** Why somebody may not do what only the owner may. */
  async function refusal(caller: Caller, roomId: RoomId): Promise<ParleyError> {
    const room = await store.find(roomId);
    if (!room) return new ParleyError('room_not_found');
    const isOutside = room.visibility === 'private' && !(await store.isMember(roomId, caller.userId));
    return new ParleyError(isOutside ? 'not_in_room' : 'not_owner');
  }

  /** The room, for its owner. @throws ParleyError `room_not_found`, `not_in_room` or `not_owner`. */
  async function getOwned(caller: Caller, roomId: RoomId): Promise<StoredRoom> {
    const room = await store.find(roomId);
    if (room?.ownerId !== caller.userId) throw await refusal(caller, roomId);
    return room;
  }

  /** The room, for those who may look into it. @throws ParleyError `room_not_found` or `not_in_room`. */
  async function getVisible(caller: Caller, roomId: RoomId): Promise<StoredRoom> {
    const room = await store.find(roomId);
    if (!room) throw new ParleyError('room_not_found');
    if (room.visibility === 'public' || (await store.isMember(roomId, caller.userId))) return room;
    throw new ParleyError('not_in_room');
  }

  return { create, listMine, listPublic, rename, remove, getOwned, getVisible };
}

/** What everybody may know of a room. */
export function publicFace({ roomId, name, visibility, owner }: StoredRoom): Room {
  return { roomId, name, visibility, owner };
}

export function roomIsFull(): ParleyError {
  return new ParleyError('forbidden', {}, { message: 'The room may not have so many members.' });
}

export function tooManyRooms(users: string[]): ParleyError {
  const message = `These users are in as many rooms as one may be: ${users.join(', ')}. They have to leave one first.`;
  return new ParleyError('forbidden', { users }, { message });
}
