import { describe, expect, test } from '@jest/globals';
import type { Command } from '../command.ts';
import type { RequestOf } from '../contract/method.ts';
import { errorCodes, ParleyError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { ClientEvent } from '../events.ts';
import { matches } from '../validation.ts';
import type { EventTable } from './define-dialect.ts';
import type { Dialect, JsonObject } from './dialect.ts';
import { fixtureRoomId } from './fixtures.ts';
import type { AnsweredFixture, DialectFixtures, FrameFixture } from './fixtures.ts';
import type { RequestTable } from './request-rows.ts';

/** What the suite holds against each other. */
export interface FramesSuiteParts {
  dialect: Dialect;
  /** The field that holds the body of a frame; undefined where the frame itself is the body. */
  bodyField: string | undefined;
  requests: RequestTable<object>;
  events: EventTable<object>;
  fixtures: DialectFixtures;
  /** The frame that tells an error that has neither details nor a message of its own. */
  errorFrame: (code: ErrorCode, text: string, action: string | null) => object;
}

/** Every frame of a dialect, both ways, to the byte. */
export function framesSuite({
  dialect,
  bodyField,
  requests,
  events,
  fixtures,
  errorFrame,
}: FramesSuiteParts) {
  describe('every request is understood', () => {
    test.each(fixtures.requests)('$title', (fixture) => {
      const { frame, method, request, claimedName, roomName } = fixture;
      expect(dialect.recognises(frame.action)).toBe(true);
      const command = dialect.decode(frame);
      expect(command).toEqual({ method, request, action: frame.action, claimedName, roomName });
      expect(command.method).toBe(method);
      expect(matches(command.method.request, completeRequest(command))).toBe(true);
    });

    test('and none is without an example here', () => {
      const actions = fixtures.requests.map(({ frame }) => frame.action);
      expect(distinct(actions)).toEqual(Object.keys(requests).sort());
    });
  });

  describe('every reply is written as the seed has it, our own fields behind', () => {
    test.each(fixtures.replies)('$title', (fixture) => {
      const frame = dialect.encodeReply(commandOf(fixtures, fixture), fixture.reply);
      expect(frame).toBe(written(fixture, bodyField));
    });

    test('and none is without an example here', () => {
      const actions = [...fixtures.replies, ...fixtures.unanswered].map(({ action }) => action);
      expect(distinct(actions)).toEqual(Object.keys(requests).sort());
    });
  });

  if (fixtures.unanswered.length > 0) {
    test.each(fixtures.unanswered)('no frame of its own answers $title', (fixture) => {
      expect(dialect.encodeReply(commandOf(fixtures, fixture), fixture.reply)).toBeUndefined();
    });
  }

  describe('every notification is written as the seed has it, our own fields behind', () => {
    test.each(fixtures.events)('$title', ({ event, then, ...first }) => {
      const frames = [first, ...(then ? [then] : [])];
      expect(dialect.encodeEvent(event)).toEqual(frames.map((fixture) => written(fixture, bodyField)));
    });

    test('and none is without an example here, or said to be untold', () => {
      const told = fixtures.events.map(({ event }) => event.type);
      expect(distinct(told)).toEqual(Object.keys(events).sort());
      expect(distinct([...told, ...fixtures.untold])).toEqual(Object.keys(eventTypes).sort());
    });

    test.each(fixtures.untold)('%s is not told', (type) => {
      expect(dialect.encodeEvent({ type } as ClientEvent)).toEqual([]);
    });
  });

  describe('an error has the form of the seed, our own fields behind:', () => {
    const entries = Object.entries(errorCodes) as [ErrorCode, { text: string }][];

    test.each(entries)('%s', (code, { text }) => {
      const error = new ParleyError(code);
      expect(dialect.encodeError(error, 'dance')).toBe(JSON.stringify(errorFrame(code, text, 'dance')));
      expect(dialect.encodeError(error, undefined)).toBe(JSON.stringify(errorFrame(code, text, null)));
    });
  });
}

/** The command that a fixture's answer is to. */
export function commandOf(
  { requests }: DialectFixtures,
  { action, request, roomName }: AnsweredFixture,
): Command {
  const { method } = requests.find(({ frame }) => frame.action === action)!;
  return {
    method,
    request,
    action,
    claimedName: undefined,
    ...(roomName === undefined ? {} : { roomName }),
  };
}

/** The exact text of a frame: the seed's keys in the seed's order, then ours. */
export function written({ frame, added }: FrameFixture, bodyField: string | undefined): string {
  if (bodyField === undefined) return JSON.stringify({ ...frame, ...added });
  return JSON.stringify({ ...frame, [bodyField]: { ...(frame[bodyField] as JsonObject), ...added } });
}

/** The request with the id of the room that is named, as the gateway completes it. */
export function completeRequest({ request, roomName }: Command): RequestOf<Command['method']> {
  return roomName === undefined ? request : { ...(request as object), roomId: fixtureRoomId };
}

const eventTypes: Record<ClientEvent['type'], true> = {
  message: true,
  'message-delivered': true,
  'user-joined': true,
  'user-left': true,
  'presence-ended': true,
  'room-created': true,
  'member-added': true,
  'member-joined': true,
  'member-removed': true,
  'member-left': true,
  'room-renamed': true,
  'room-deleted': true,
  'lobby-listed': true,
};

function distinct(names: string[]): string[] {
  return [...new Set(names)].sort();
}
