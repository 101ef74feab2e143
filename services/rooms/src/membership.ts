import { firstThatFit, isGuest, ParleyError } from '@parley/protocol';
import type {
  Caller,
  findAccess,
  joinRoom,
  listMembers,
  ReplyOf,
  RoomChange,
  RoomId,
  User,
  UserId,
  UserName,
} from '@parley/protocol';
import { publicFace, roomIsFull, tooManyRooms } from './rooms.ts';
import type { Rooms, RoomsParts } from './rooms.ts';
import type { StoredRoom } from './store.ts';

/** Most members of one page. */
const maxPageMembers = 10_000;

export type Membership = ReturnType<typeof createMembership>;

/** Who belongs to a room. */
export function createMembership({
  store,
  presence,
  directory,
  events,
  rooms,
}: RoomsParts & { rooms: Rooms }) {
  async function add(caller: Caller, roomId: RoomId, name: UserName): Promise<User> {
    const room = await rooms.getOwned(caller, roomId);
    const [user] = (await directory.getUsers([name])) as [User];
    await enter(caller, room, user, {
      type: 'member-added',
      roomId,
      roomName: room.name,
      owner: room.owner,
      user,
    });
    return user;
  }

  /** Anybody may join a public room; a member is confirmed again. A guest is told the room and becomes no member. */
  async function join(caller: Caller, roomId: RoomId): Promise<ReplyOf<typeof joinRoom>> {
    const room = await rooms.getVisible(caller, roomId);
    const user = { userId: caller.userId, name: caller.name };
    if (isGuest(user.userId)) return { room: publicFace(room), user };
    await enter(caller, room, user, { type: 'member-joined', roomId, roomName: room.name, user });
    return { room: publicFace(room), user };
  }

  async function enter(caller: Caller, room: StoredRoom, user: User, change: RoomChange): Promise<void> {
    const { roomId } = room;
    // A member enters nothing: what it has not acknowledged stays owed to it.
    if (await store.isMember(roomId, user.userId)) return;
    // Read before the commit: whatever is sent once the user is in has a greater id.
    const sinceId = await directory.noteEntry(roomId, user);
    const outcome = await store.addMember(roomId, user, sinceId);
    if (outcome === 'no room') throw new ParleyError('room_not_found');
    if (outcome === 'full') throw roomIsFull();
    if (outcome === 'too many rooms') throw tooManyRooms([user.name]);
    if (outcome === 'already') return;
    // The user first: it is in the room, with its channel, when the others hear of it.
    events.entered([user], { change, sinceId, origin: caller.connectionId });
    events.changed(change, caller.connectionId);
  }

  async function remove(caller: Caller, roomId: RoomId, name: UserName): Promise<User> {
    const room = await rooms.getOwned(caller, roomId);
    if (name === room.owner) {
      throw new ParleyError(
        'forbidden',
        {},
        { message: 'The owner cannot be removed; delete the room instead.' },
      );
    }
    const user = await store.removeMember(roomId, name);
    if (!user)
      throw new ParleyError('user_not_found', { users: [name] }, { message: `${name} is not in this room.` });
    exit(caller, user, { type: 'member-removed', roomId, user });
    return user;
  }

  async function leave(caller: Caller, roomId: RoomId): Promise<User> {
    const room = await rooms.getVisible(caller, roomId);
    if (room.ownerId === caller.userId) {
      throw new ParleyError('forbidden', {}, { message: 'The owner cannot leave; delete the room instead.' });
    }
    const user = await store.removeUser(roomId, caller.userId);
    if (!user) throw new ParleyError('not_in_room');
    exit(caller, user, { type: 'member-left', roomId, user });
    return user;
  }

  function exit(caller: Caller, user: User, change: RoomChange): void {
    events.left(user, change, caller.connectionId);
    events.changed(change, caller.connectionId);
  }

  /** Those of the users who may write there: members, and guests where the room is public. @throws ParleyError `room_not_found` */
  async function findWriters(
    roomId: RoomId,
    userIds: readonly UserId[],
  ): Promise<ReplyOf<typeof findAccess>> {
    const access = await store.findAccess(roomId, userIds);
    if (!access) throw new ParleyError('room_not_found');
    const { visibility, memberIds } = access;
    const guests = visibility === 'public' ? userIds.filter(isGuest) : [];
    return { visibility, memberIds: [...memberIds, ...guests] };
  }

  async function list(
    caller: Caller,
    roomId: RoomId,
    after: UserName | undefined,
  ): Promise<ReplyOf<typeof listMembers>> {
    return { roomId, ...(await readPage(await rooms.getVisible(caller, roomId), after)) };
  }

  /** Members in the order of their names, after a name. */
  async function readPage(
    { roomId, ownerId }: StoredRoom,
    after: UserName = '',
  ): Promise<Pick<ReplyOf<typeof listMembers>, 'members' | 'hasMore'>> {
    const users = await store.listMembers(roomId, after, maxPageMembers + 1);
    const online = await presence.findPresent(
      roomId,
      users.map(({ name }) => name),
    );
    const members = users.map(({ userId, name }) => ({
      name,
      online: online.has(name),
      role: userId === ownerId ? ('owner' as const) : ('member' as const),
    }));
    const page = firstThatFit(members.slice(0, maxPageMembers));
    return { members: page, hasMore: page.length < members.length };
  }

  return { add, join, remove, leave, findWriters, list, readPage };
}
