import { expect, test } from '@jest/globals';
import { pickRoom } from './rooms.ts';

const rooms = [
  { id: 'room_1', name: 'tea' },
  { id: 'room_2', name: 'Caf\u00e9' },
  { id: 'room_3', name: 'tea' },
  { id: 'room_4', name: 'room_1' },
];

test('a room is meant by its id or by its name', () => {
  expect(pickRoom(rooms, 'room_2')).toBe(rooms[1]);
  expect(pickRoom(rooms, ' Cafe\u0301 ')).toBe(rooms[1]);
  expect(pickRoom(rooms, 'Tea')).toBeUndefined();
});

test('an id comes before a name that looks like it', () => {
  expect(pickRoom(rooms, 'room_1')).toBe(rooms[0]);
});

test('a name that several rooms have is refused, with their ids', () => {
  expect(() => pickRoom(rooms, 'tea')).toThrow(/2 rooms called tea; .*: room_1, room_3$/);
});
