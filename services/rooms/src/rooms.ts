import { createId, defaultRoomId, firstThatFit, isGuest, ParleyError } from '@parley/protocol';
import type {
  Caller,
  ConnectionId,
  createRoom,
  describeRooms,
  findRooms,
  listReachable,
  listRooms,
  ReplyOf,
  RequestOf,
  Room,
  RoomId,
} from '@parley/protocol';
import type { RateLimit } from '@parley/service-kit';
import type { Directory } from './directory.ts';
import type { RoomEvents } from './events.ts';
import type { LobbyNews } from './lobby-news.ts';
import type { PresenceStore } from './presence.ts';
import type { ListedRoom, RoomStore, StoredRoom } from './store.ts';

export interface RoomsParts {
  store: RoomStore;
  presence: PresenceStore;
  directory: Directory;
  events: RoomEvents;
  lobbyNews: Pick<LobbyNews, 'changed'>;
  maxMembersPerRoom: number;
  limit: RateLimit;
  limits: { roomsPerAddress: number };
}

export type Rooms = ReturnType<typeof createRooms>;

/** Rooms themselves: made, listed, renamed, deleted. */
export function createRooms({
  store,
  presence,
  directory,
  events,
  lobbyNews,
  maxMembersPerRoom,
  limit,
  limits,
}: RoomsParts) {
  /** All or nothing: where a participant is unknown there is no room. A guest owns its room without being a member. */
  async function create(
    caller: Caller,
    { name, visibility, participants, address }: RequestOf<typeof createRoom>,
  ): Promise<ReplyOf<typeof createRoom>> {
    // While Redis is away nobody counts, and rooms can still be made.
    await limit(`room:address:${address}`, limits.roomsPerAddress).catch((thrown: unknown) => {
      if (ParleyError.from(thrown).code !== 'unavailable') throw thrown;
    });
    if (isGuest(caller.userId) && visibility === 'private') throw guestsStayPublic();
    const named = await directory.getUsers(participants.filter((participant) => participant !== caller.name));
    // The caller's name is the gateway's word: an account may be among them under its own.
    const others = named.filter(({ userId }) => userId !== caller.userId);
    const maker = { userId: caller.userId, name: caller.name };
    const creators = isGuest(caller.userId) ? [] : [maker];
    const members = [...creators, ...others];
    if (members.length > maxMembersPerRoom) throw roomIsFull();
    const roomId = createId('room');
    const { full } = await store.insert({ roomId, name, visibility, owner: maker, members });
    if (full.length > 0) throw tooManyRooms(full);

    const entry = { sinceId: 0, origin: caller.connectionId };
    const created = { type: 'room-created', roomId, roomName: name, owner: caller.name } as const;
    events.entered(creators, { ...entry, change: created });
    for (const user of others) {
      const added = { type: 'member-added', roomId, roomName: name, owner: caller.name, user } as const;
      events.entered([user], { ...entry, change: added });
    }
    const room = { roomId, name, visibility, owner: caller.name };
    tellLobby(room);
    return room;
  }

  async function listMine(caller: Caller): Promise<ReplyOf<typeof listRooms>> {
    const rooms = await store.listOfUser(caller.userId);
    return { rooms: await withUsers(rooms.map((room) => ({ ...room, member: true }))) };
  }

  /** The same of these rooms, in the order asked, as far as they are open to the caller. */
  async function describe(
    caller: Caller,
    roomIds: readonly RoomId[],
  ): Promise<ReplyOf<typeof describeRooms>> {
    const found = await store.describe(caller.userId, roomIds);
    const byId = new Map(found.map((room) => [room.roomId, room]));
    return { rooms: await withUsers(roomIds.flatMap((roomId) => byId.get(roomId) ?? [])) };
  }

  /** As many as fit a page, with the users present in each. */
  async function withUsers(rooms: readonly ListedRoom[]): Promise<ReplyOf<typeof listRooms>['rooms']> {
    const counts = await presence.count(rooms.map(({ roomId }) => roomId));
    const listed = rooms.map((room, index) => ({
      ...publicFace(room),
      member: room.member,
      users: counts[index]!,
    }));
    return firstThatFit(listed);
  }

  /** Public rooms and those the caller is a member of, in the order of their ids. */
  async function listAllReachable(
    { userId }: Caller,
    { after = '', limit }: { after?: string; limit: number },
  ): Promise<ReplyOf<typeof listReachable>> {
    const rooms = await store.listReachable(userId, after, limit + 1);
    return { rooms: rooms.slice(0, limit).map(publicFace), hasMore: rooms.length > limit };
  }

  /** For the users named, each in one room: what it may know of that. */
  async function find({ rooms: asked }: RequestOf<typeof findRooms>): Promise<ReplyOf<typeof findRooms>> {
    const [rooms, members] = await Promise.all([
      store.findMany(asked.map(({ roomId }) => roomId)),
      store.findMembers(asked),
    ]);
    const isIn = new Set(members.map(({ roomId }) => roomId));
    const isOpen = ({ roomId, visibility }: StoredRoom) => visibility === 'public' || isIn.has(roomId);
    const closed = rooms.filter((room) => !isOpen(room)).map(({ roomId }) => roomId);
    return { rooms: rooms.filter(isOpen).map(publicFace), closed };
  }

  /** @throws ParleyError `room_not_found` */
  async function getPublic(name: string): Promise<Room> {
    const room = await store.findPublic(name);
    if (!room) throw new ParleyError('room_not_found');
    return publicFace(room);
  }

  async function rename(caller: Caller, roomId: RoomId, newName: string): Promise<Room> {
    if (roomId === defaultRoomId) throw defaultKeepsItsName();
    const room = await store.rename(roomId, newName, caller.userId);
    if (!room) throw await refusal(caller, roomId);
    const change = { type: 'room-renamed', roomId, oldName: room.oldName, newName } as const;
    events.changed(change, caller.connectionId);
    tellLobby(room);
    return publicFace(room);
  }

  async function remove(caller: Caller, roomId: RoomId): Promise<void> {
    if (roomId === defaultRoomId) throw new ParleyError('cannot_delete_default');
    const room = (await store.delete(roomId, caller.userId)) ?? (await removeAsAdmin(caller, roomId));
    tellRemoved(room, caller.connectionId);
  }

  /** For operators: whoever owns it. @throws ParleyError `room_not_found`, `cannot_delete_default`. */
  async function drop(roomId: RoomId): Promise<Room> {
    if (roomId === defaultRoomId) throw new ParleyError('cannot_delete_default');
    const room = await store.drop(roomId);
    if (!room) throw new ParleyError('room_not_found');
    tellRemoved(room, undefined);
    return publicFace(room);
  }

  function tellRemoved(room: StoredRoom, origin: ConnectionId | undefined): void {
    events.changed({ type: 'room-deleted', roomId: room.roomId, roomName: room.name }, origin);
    tellLobby(room);
  }

  /** Admins may delete any public room. */
  async function removeAsAdmin(caller: Caller, roomId: RoomId): Promise<StoredRoom> {
    const room = await store.find(roomId);
    const mayRemove = room?.visibility === 'public' && (await directory.isAdmin(caller.userId));
    const removed = mayRemove ? await store.deletePublic(roomId) : undefined;
    if (!removed) throw await refusal(caller, roomId);
    return removed;
  }

  function tellLobby({ roomId, visibility }: Room): void {
    if (visibility === 'public') lobbyNews.changed([roomId]);
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

  return {
    create,
    listMine,
    describe,
    find,
    listReachable: listAllReachable,
    getPublic,
    rename,
    remove,
    drop,
    getOwned,
    getVisible,
  };
}

/** What everybody may know of a room. */
export function publicFace({ roomId, name, visibility, owner }: StoredRoom): Room {
  return { roomId, name, visibility, owner };
}

export function roomIsFull(): ParleyError {
  return new ParleyError('forbidden', {}, { message: 'The room may not have so many members.' });
}

export function tooManyRooms(users: string[]): ParleyError {
  const message = `These users are in as many rooms as one may be: ${users.join(', ')}. They have to leave or delete one first.`;
  return new ParleyError('forbidden', { users }, { message });
}

function guestsStayPublic(): ParleyError {
  const message = 'Guests can make public rooms only; log in with an account to make a private one.';
  return new ParleyError('forbidden', {}, { message });
}

function defaultKeepsItsName(): ParleyError {
  return new ParleyError('forbidden', {}, { message: 'The room `default` cannot be renamed.' });
}
