import { expect, test } from '@jest/globals';
import { subjects } from './contract/subjects.ts';
import fc from 'fast-check';
import {
  ConnectionId,
  createId,
  GatewayId,
  MessageId,
  messageOfTransaction,
  RoomId,
  transactionIdOf,
  UserId,
} from './ids.ts';
import { matches } from './validation.ts';

test.each(['user', 'room', 'connection', 'gateway', 'exchange'] as const)(
  'the id of a %s tells its kind',
  (kind) => {
    expect(createId(kind)).toMatch(new RegExp(`^${kind}_[0-9a-f]{24}$`));
  },
);

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

test('a transaction id leads back to its message', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (messageId) => {
      const roomId = createId('room');
      expect(messageOfTransaction(transactionIdOf(roomId, messageId))).toEqual({ roomId, messageId });
    }),
  );
});

test.each([
  ['nothing', ''],
  ['words', 'unique_transaction_id'],
  ['an exchange', createId('exchange')],
  ['a room', createId('room')],
  ['a room without a message', `${createId('room')}.`],
  ['message 0', `${createId('room')}.0`],
  ['a number with leading zeros', `${createId('room')}.01`],
  ['a number below 0', `${createId('room')}.-1`],
  ['half a message', `${createId('room')}.1.5`],
  ['an exponent', `${createId('room')}.1e3`],
  ['a number beyond all messages', `${createId('room')}.${Number.MAX_SAFE_INTEGER + 1}`],
  ['an even larger number', `${createId('room')}.${'9'.repeat(100)}`],
  ['a user', `${createId('user')}.1`],
  ['another room name', 'room_name.1'],
  ['capital letters', `${createId('room').replace(/.$/, 'A')}.1`],
  ['something before', ` ${createId('room')}.1`],
  ['something behind', `${createId('room')}.1\n`],
])('a transaction id of %s leads to no message', (_what, transactionId) => {
  expect(messageOfTransaction(transactionId)).toBeUndefined();
});

test('whatever is taken for a transaction id of a message is exactly that', () => {
  const nearly = fc.stringMatching(/^room_[0-9a-f]{24}[.:][0-9]{1,17}$/);
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string()), (transactionId) => {
      const message = messageOfTransaction(transactionId);
      if (!message) return;
      expect(matches(MessageId, message.messageId)).toBe(true);
      expect(transactionIdOf(message.roomId, message.messageId)).toBe(transactionId);
    }),
  );
});
