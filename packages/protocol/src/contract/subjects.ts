import type { GatewayId, RoomId, UploadId, UserId } from '../ids.ts';
import type { Method } from './method.ts';

/*
 * Every subject on the bus. Tokens are method names and ids of our own making; an id that was not made by `createId`
 * can't become one.
 */
const token = /^[a-z]+_[0-9a-f]{24}$/;

function tokenOf(id: string): string {
  if (!token.test(id)) throw new Error('an id that is not ours was about to become a bus subject');
  return id;
}

/** Whether the id can exist at all: everything else may be called not found without asking. */
export function isOwnId(id: string): boolean {
  return token.test(id);
}

export const subjects = {
  /** Requests; the instances of a service share them as a queue group, named like the service. */
  method: ({ service, endpoint }: Method) => `parley.rpc.${service}.${endpoint}`,
  /** Requests to one gateway. */
  gatewayMethod: ({ endpoint }: Method, gatewayId: GatewayId) =>
    `parley.rpc.gateway.${tokenOf(gatewayId)}.${endpoint}`,
  /** `MessagesCommitted` of a room. */
  roomMessages: (roomId: RoomId) => `parley.event.room.${tokenOf(roomId)}.messages`,
  /** `RoomChanged` of a room: apart from its messages, so that who caches membership need not read every message. */
  roomChange: (roomId: RoomId) => `parley.event.room.${tokenOf(roomId)}.change`,
  /** `PresenceChanged` of a room. */
  roomPresence: (roomId: RoomId) => `parley.event.room.${tokenOf(roomId)}.presence`,
  /** All of a room. */
  roomEvents: (roomId: RoomId) => `parley.event.room.${tokenOf(roomId)}.*`,
  /** `RoomChanged` of all rooms. */
  allRoomChanges: 'parley.event.room.*.change',
  /** `LobbyChanged`. */
  lobby: 'parley.event.lobby',
  /** `UserEvent`s of a user. */
  userEvents: (userId: UserId) => `parley.event.user.${tokenOf(userId)}`,
  /** What a gateway sends to itself, to see whether it comes back. */
  canary: (gatewayId: GatewayId) => `parley.canary.${tokenOf(gatewayId)}`,
  /** One chunk of an upload, kept by JetStream. */
  chunk: (uploadId: UploadId, sequence: number) => `parley.chunk.${tokenOf(uploadId)}.${sequence}`,
  /** All chunks of an upload. */
  chunksOf: (uploadId: UploadId) => `parley.chunk.${tokenOf(uploadId)}.*`,
  /** All chunks of all uploads. */
  allChunks: 'parley.chunk.*.*',
} as const;
