import {
  addMember,
  createRoom,
  deleteRoom,
  describeRooms,
  dropRoom,
  findAccess,
  findExistingRooms,
  findMemberships,
  findPublicRoom,
  findRooms,
  joinRoom,
  leaveRoom,
  listAllRooms,
  listMembers,
  listReachable,
  listRooms,
  readLobby,
  removeMember,
  renameRoom,
  renewPresenceLease,
  reportPresence,
  showRoom,
} from '@parley/protocol';
import { callerOf, endpoint } from '@parley/service-kit';
import type { Endpoint } from '@parley/service-kit';
import type { Administration } from './administration.ts';
import type { Attendance } from './attendance.ts';
import type { Lobby } from './lobby.ts';
import type { Membership } from './membership.ts';
import type { PresenceStore } from './presence.ts';
import { publicFace } from './rooms.ts';
import type { Rooms } from './rooms.ts';
import type { RoomStore } from './store.ts';

export interface RoomsServiceParts {
  rooms: Rooms;
  membership: Membership;
  administration: Administration;
  attendance: Attendance;
  lobby: Lobby;
  presence: PresenceStore;
  store: RoomStore;
}

/** The service's endpoints on the bus. */
export function roomsService(parts: RoomsServiceParts): Endpoint[] {
  const { rooms, membership, administration, attendance, lobby, presence, store } = parts;
  return [
    endpoint(createRoom, (request, context) => rooms.create(callerOf(context), request)),
    endpoint(listRooms, ({ scope }, context) =>
      scope === 'mine' ? rooms.listMine(callerOf(context)) : lobby.list(callerOf(context)),
    ),
    endpoint(describeRooms, ({ roomIds }, context) => rooms.describe(callerOf(context), roomIds)),
    endpoint(renameRoom, ({ roomId, newName }, context) => rooms.rename(callerOf(context), roomId, newName)),
    endpoint(deleteRoom, async ({ roomId }, context) => {
      await rooms.remove(callerOf(context), roomId);
      return { roomId };
    }),
    endpoint(addMember, async ({ roomId, user }, context) => ({
      roomId,
      user: await membership.add(callerOf(context), roomId, user),
    })),
    endpoint(removeMember, async ({ roomId, user }, context) => ({
      roomId,
      user: await membership.remove(callerOf(context), roomId, user),
    })),
    endpoint(joinRoom, ({ roomId }, context) => membership.join(callerOf(context), roomId)),
    endpoint(leaveRoom, async ({ roomId }, context) => ({
      roomId,
      user: await membership.leave(callerOf(context), roomId),
    })),
    endpoint(listMembers, ({ roomId, after }, context) => membership.list(callerOf(context), roomId, after)),
    endpoint(findAccess, ({ roomId, userIds }) => membership.findWriters(roomId, userIds)),
    endpoint(findMemberships, async (_request, context) => ({
      rooms: (await store.listOfUser(callerOf(context).userId)).map((room) => ({
        ...publicFace(room),
        ...(room.sinceId !== null && { sinceId: room.sinceId }),
      })),
    })),
    endpoint(findRooms, (request) => rooms.find(request)),
    endpoint(findExistingRooms, async ({ roomIds }) => ({
      roomIds: (await store.findMany(roomIds)).map(({ roomId }) => roomId),
    })),
    endpoint(findPublicRoom, ({ name }) => rooms.getPublic(name)),
    endpoint(listReachable, (request, context) => rooms.listReachable(callerOf(context), request)),
    endpoint(readLobby, () => lobby.read()),
    endpoint(reportPresence, (request) => attendance.report(request)),
    endpoint(renewPresenceLease, ({ gatewayId }) => presence.renewLease(gatewayId)),
    endpoint(listAllRooms, (request) => administration.list(request)),
    endpoint(showRoom, ({ roomId, after }) => administration.show(roomId, after)),
    endpoint(dropRoom, ({ roomId }) => administration.drop(roomId)),
  ];
}
