import { describe, expect, test } from '@jest/globals';
import * as contract from './index.ts';
import { errorCodes } from '../errors.ts';
import { createId } from '../ids.ts';
import type { GatewayId, RoomId, UserId } from '../ids.ts';
import type { Method } from './method.ts';
import { isOwnId, subjects } from './subjects.ts';

const methods = Object.values<unknown>(contract).filter(
  (value): value is Method => typeof value === 'object' && value !== null && 'endpoint' in value,
);

test('subjects are made of methods and of ids of our own', () => {
  const [room, user, gateway] = [createId('room'), createId('user'), createId('gateway')];
  expect(subjects.method(contract.renameRoom)).toBe('parley.rpc.rooms.rename');
  expect(subjects.gatewayMethod(contract.probeConnection, gateway)).toBe(
    `parley.rpc.gateway.${gateway}.probeConnection`,
  );
  expect(subjects.roomMessages(room)).toBe(`parley.event.room.${room}.messages`);
  expect(subjects.roomChange(room)).toBe(`parley.event.room.${room}.change`);
  expect(subjects.roomEvents(room)).toBe(`parley.event.room.${room}.*`);
  expect(subjects.userEvents(user)).toBe(`parley.event.user.${user}`);
});

describe.each([
  ...['', '*', '>', 'a.b', 'room_*', 'unique_room_id', 'room_0123456789abcdef0123456'],
  ...['room_0123456789abcdef012345678', 'room_0123456789ABCDEF01234567', '_0123456789abcdef01234567'],
  ...['room_0123456789abcdef01234567\n', ' room_0123456789abcdef01234567', 'room_0123456789abcdef01234567.>'],
])('the foreign id %p', (foreign) => {
  test('never becomes a subject', () => {
    const refusal = 'an id that is not ours was about to become a bus subject';
    expect(() => subjects.roomMessages(foreign as RoomId)).toThrow(refusal);
    expect(() => subjects.roomChange(foreign as RoomId)).toThrow(refusal);
    expect(() => subjects.roomEvents(foreign as RoomId)).toThrow(refusal);
    expect(() => subjects.userEvents(foreign as UserId)).toThrow(refusal);
    expect(() => subjects.gatewayMethod(contract.probeConnection, foreign as GatewayId)).toThrow(refusal);
  });

  test('is known to be foreign', () => {
    expect(isOwnId(foreign)).toBe(false);
  });
});

describe('the methods', () => {
  test('have names and subjects that no other has', () => {
    expect(methods.length).toBeGreaterThan(20);
    expect(new Set(methods.map(({ name }) => name)).size).toBe(methods.length);
    expect(new Set(methods.map((method) => subjects.method(method))).size).toBe(methods.length);
  });

  test.each(methods.map((method) => [method.name, method] as const))(
    '%s is called `service.endpoint`, and its errors are of the table',
    (name, { service, endpoint, errors }) => {
      expect(name).toBe(`${service}.${endpoint}`);
      expect(endpoint).toMatch(/^[a-zA-Z]+$/);
      for (const code of errors) expect(Object.keys(errorCodes)).toContain(code);
    },
  );
});
