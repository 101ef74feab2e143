import type { Method, ReplyOf, RequestOf } from '../contract/method.ts';
import type { ClientEvent } from '../events.ts';
import type { RoomId, UserId } from '../ids.ts';
import type { JsonObject } from './dialect.ts';

/*
 * The form of the dialects' fixtures: frames as the seeds have them, and what they mean in the house's own words; and the
 * same for our extensions.
 */

type WireFrame = JsonObject & { action: string };

/** A frame of a client. */
export interface RequestFixture {
  title: string;
  frame: WireFrame;
  method: Method;
  /** Without the id of a room that is named by `roomName`. */
  request: unknown;
  claimedName?: string | undefined;
  roomName?: string;
}

/** A frame of the server. */
export interface FrameFixture {
  /** As the seed has it, but for times, to which we add milliseconds, and for `transaction_id`. */
  frame: WireFrame;
  /** The fields that we add to its body, behind those of the seed. */
  added?: JsonObject;
}

/** A request and what the services answered. */
export interface AnsweredFixture {
  title: string;
  action: string;
  roomName?: string;
  request: unknown;
  reply: unknown;
}

/** An answer to a request. */
export type ReplyFixture = AnsweredFixture & FrameFixture;

/** A notification. */
export interface EventFixture extends FrameFixture {
  title: string;
  event: ClientEvent;
  /** Where the event is told in two frames. */
  then?: FrameFixture;
}

/** Everything that is said in a dialect, in examples. */
export interface DialectFixtures {
  requests: RequestFixture[];
  replies: ReplyFixture[];
  /** Requests whose answer is no frame of their own. */
  unanswered: AnsweredFixture[];
  events: EventFixture[];
  /** Events that the dialect does not tell. */
  untold: ClientEvent['type'][];
}

export const fixtureRoomId = 'room_0123456789abcdef01234567' as RoomId;
export const fixtureUserId = 'user_000000000000000000000123' as UserId;

/** Lets the compiler hold a fixture against its method's own types. */
export function request<M extends Method>(
  title: string,
  method: M,
  fixture: Omit<RequestFixture, 'title' | 'method' | 'request'> & {
    request: RequestOf<M> | Omit<RequestOf<M>, 'roomId'>;
  },
): RequestFixture {
  return { title, method, ...fixture };
}

/** As `request`. */
export function reply<M extends Method, Fixture extends Omit<AnsweredFixture, 'title'>>(
  title: string,
  _method: M,
  fixture: Fixture & { request: RequestOf<M>; reply: ReplyOf<M> },
): Fixture & { title: string } {
  return { title, ...fixture };
}
