import { expect, test } from '@jest/globals';
import { subjects } from './contract/subjects.ts';
import { ConnectionId, createId, GatewayId, RoomId, transactionIdOf, UserId } from './ids.ts';
import { matches } from './validation.ts';

test.each(['user', 'room', 'connection', 'gateway'] as const)('the id of a %s tells its kind', (kind) => {
  expect(createId(kind)).toMatch(new RegExp(`^${kind}_[0-9a-f]{24}$`));
});

test('ids of our own making are valid everywhere and can be subjects', () => {
  const room = createId('room');
  expect(matches(RoomId, room)).toBe(true);
  expect(matches(UserId, createId('user'))).toBe(true);
  expect(matches(ConnectionId, createId('connection'))).toBe(true);
  expect(matches(GatewayId, createId('gateway'))).toBe(true);
  expect(subjects.roomMessages(room)).toContain(room);
});

test('no two ids are the same', () => {
  const ids = Array.from({ length: 10_000 }, () => createId('room'));
  expect(new Set(ids).size).toBe(ids.length);
});

test('a transaction id is made of the room and the message, so that it is theirs for ever', () => {
  const room = createId('room');
  expect(transactionIdOf(room, 41)).toBe(`${room}.41`);
  expect(transactionIdOf(room, 41)).not.toBe(transactionIdOf(room, 42));
  expect(transactionIdOf(room, 41)).not.toBe(transactionIdOf(createId('room'), 41));
});
