import { findMemberships, joinRoom } from '@parley/protocol';
import type { ConnectionId, EnteredRoom, MessageId, Room, RoomId, UserId } from '@parley/protocol';
import { callerOf } from '@parley/service-kit';
import type { Bus, RequestContext } from '@parley/service-kit';

/**
 * That a user may be in a room, as the rooms service said. What puts connections into rooms takes these, and they are made nowhere but
 * here, of the service's answers and events: so no room's id gets somebody in, whatever it comes from.
 */
export class Admission {
  readonly roomId: RoomId;
  /** What follows this message was sent since the user entered; undefined where that is not known. */
  readonly sinceId: MessageId | undefined;
  readonly #userId: UserId;
  /** The room's name in the event that told of it, and the connection that was not told. */
  readonly #toldName: string | undefined;
  readonly #origin: ConnectionId | undefined;

  private constructor(userId: UserId, roomId: RoomId, sinceId?: MessageId, event?: EnteredRoom) {
    this.#userId = userId;
    this.roomId = roomId;
    this.sinceId = sinceId;
    this.#toldName = event && 'roomName' in event.change ? event.change.roomName : undefined;
    this.#origin = event?.origin;
  }

  /** The room's name as this connection of the user was told it by an event; undefined where it was not. */
  nameToldTo(connectionId: ConnectionId): string | undefined {
    return connectionId === this.#origin ? undefined : this.#toldName;
  }

  /** Whether it is this user that was admitted. */
  isOf(userId: UserId): boolean {
    return userId === this.#userId;
  }

  /** Lets the caller in, where it may be. @throws ParleyError as `joinRoom`, `unavailable`. */
  static async byJoining(
    bus: Pick<Bus, 'call'>,
    roomId: RoomId,
    context: RequestContext,
  ): Promise<{ admission: Admission; room: Room }> {
    const { userId } = callerOf(context);
    const { room } = await bus.call(joinRoom, { roomId }, context);
    return { admission: new Admission(userId, room.roomId), room };
  }

  /** To the rooms that the caller is a member of, in the order of joining. @throws ParleyError `unavailable` */
  static async ofMember(
    bus: Pick<Bus, 'callTogether'>,
    context: RequestContext,
  ): Promise<{ admission: Admission; room: Room }[]> {
    const { userId } = callerOf(context);
    const { rooms } = await bus.callTogether(findMemberships, {}, context);
    return rooms.map(({ sinceId, ...room }) => ({
      admission: new Admission(userId, room.roomId, sinceId),
      room,
    }));
  }

  /** By an event on the user's own subject, where nobody speaks of rooms but the rooms service. */
  static byEvent(userId: UserId, event: EnteredRoom): Admission {
    return new Admission(userId, event.roomId, event.sinceId, event);
  }
}
