import {
  addMember,
  createRoom,
  deleteRoom,
  findAccess,
  findMemberships,
  joinRoom,
  leaveRoom,
  listMembers,
  listRooms,
  ParleyError,
  removeMember,
  renameRoom,
  renewPresenceLease,
  reportPresence,
} from '@parley/protocol';
import { callerOf, endpoint } from '@parley/service-kit';
import type { Endpoint } from '@parley/service-kit';
import type { Membership } from './membership.ts';
import type { PresenceStore } from './presence.ts';
import { publicFace } from './rooms.ts';
import type { Rooms } from './rooms.ts';
import type { RoomStore } from './store.ts';

export interface RoomsServiceParts {
  rooms: Rooms;
  membership: Membership;
  presence: PresenceStore;
  store: RoomStore;
}

/** The service's endpoints on the bus. */
export function roomsService({ rooms, membership, presence, store }: RoomsServiceParts): Endpoint[] {
  return [
    endpoint(createRoom, (request, context) => rooms.create(callerOf(context), request)),
    endpoint(listRooms, ({ scope }, context) =>
      scope === 'mine' ? rooms.listMine(callerOf(context)) : rooms.listPublic(callerOf(context)),
    ),
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
    endpoint(findAccess, async ({ roomId, userIds }) => {
      const room = await store.find(roomId);
      if (!room) throw new ParleyError('room_not_found');
      return { visibility: room.visibility, memberIds: await store.findMemberIds(roomId, userIds) };
    }),
    endpoint(findMemberships, async ({ userId }) => ({
      rooms: (await store.listOfUser(userId)).map(publicFace),
    })),
    endpoint(reportPresence, async ({ gatewayId, present, absent }) => ({
      known: await presence.report(gatewayId, present, absent),
    })),
    endpoint(renewPresenceLease, ({ gatewayId }) => presence.renewLease(gatewayId)),
  ];
}
