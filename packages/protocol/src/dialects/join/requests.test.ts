import { describe, expect, test } from '@jest/globals';
import { refusalBy } from '../testing.ts';
import { joinDialect } from './index.ts';
import { requests } from './requests.ts';

const emoji = '😀';
const composed = 'Zoë';
const decomposed = composed.normalize('NFD');
const actions = Object.keys(requests);
const complete = { username: 'john_doe', roomId: 'room_12345', message: 'hello' };

describe('who speaks', () => {
  test.each(actions)('is said by username in %s, trimmed and in NFC', (action) => {
    expect(decode(action, { ...complete, username: ` ${decomposed}\n` }).claimedName).toBe(composed);
  });

  test('must be said to join, and may be left out afterwards', () => {
    const unsaid = { roomId: 'room_12345', message: 'hello' };
    expect(refusal('join', unsaid)).toEqual(['missing_field', 'username']);
    expect(decode('send-message', unsaid).claimedName).toBeUndefined();
    expect(decode('leave', unsaid).claimedName).toBeUndefined();
  });

  test.each(actions)('must be a name in %s', (action) => {
    const bad = ['', ' \t', 'a'.repeat(65), emoji.repeat(65), 'a\0b', 'a\nb', 'a\ud83d', 7, null, ['a'], {}];
    for (const username of bad) {
      expect(refusal(action, { ...complete, username })).toEqual(['invalid_field', 'username']);
    }
  });
});

describe('the id of a room', () => {
  test.each(actions)('is passed on as it is in %s, known or not', (action) => {
    for (const roomId of ['room_12345', 'room name with spaces', 'parley.rpc.*', '>', ' r ']) {
      const command = decode(action, { ...complete, roomId });
      expect(command.request).toMatchObject({ roomId });
      expect(command.roomName).toBeUndefined();
    }
  });

  test.each(actions)('may not be left out of %s, and is text', (action) => {
    expect(refusal(action, { username: 'john_doe', message: 'hello' })).toEqual(['missing_field', 'roomId']);
    for (const roomId of ['', 'r'.repeat(65), 'r\0', '\ud83d', 1, null, {}]) {
      expect(refusal(action, { ...complete, roomId })).toEqual(['invalid_field', 'roomId']);
    }
  });
});

describe('a join', () => {
  test.each([0, 1, Number.MAX_SAFE_INTEGER])('may go on after the message %p', (lastId) => {
    expect(decode('join', { ...complete, lastId }).request).toEqual({ roomId: 'room_12345', lastId });
  });

  test.each([-1, 1.5, 2 ** 53, '1', null])('can not go on after %p', (lastId) => {
    expect(refusal('join', { ...complete, lastId })).toEqual(['invalid_field', 'lastId']);
  });

  test.each(['', 't'.repeat(257), 't\0', 1, null])('can not have the token %p', (token) => {
    expect(refusal('join', { ...complete, token })).toEqual(['invalid_field', 'token']);
  });
});

describe('a message', () => {
  const send = (fields: object) => ({ roomId: 'r', ...fields });

  test.each(['a', emoji.repeat(8_192), '  a\n ', decomposed, '\u0001"\\'])(
    'is kept exactly: %j',
    (message) => {
      expect(decode('send-message', send({ message })).request).toEqual({ roomId: 'r', content: message });
    },
  );

  test.each(['', 'a'.repeat(8_193), 'a\0b', '\ude00a', 5, null, {}])('may not be %j', (message) => {
    expect(refusal('send-message', send({ message }))).toEqual(['invalid_field', 'message']);
  });

  test('may not be left out', () => {
    expect(refusal('send-message', send({}))).toEqual(['missing_field', 'message']);
  });

  test.each(['', 'i'.repeat(129), 'a\0', 1, null])('can not have the client’s id %j', (clientMessageId) => {
    expect(refusal('send-message', send({ message: 'a', clientMessageId }))).toEqual([
      'invalid_field',
      'clientMessageId',
    ]);
  });
});

describe('the rest of a frame', () => {
  test('unknown extra fields are ignored', () => {
    const { request } = decode('leave', { ...complete, version: 2, data: { roomId: 'other' } });
    expect(request).toEqual({ roomId: 'room_12345' });
  });

  test('a body in another dialect’s place is none', () => {
    expect(refusal('leave', { data: complete, payload: complete })).toEqual(['missing_field', 'roomId']);
  });

  test('what is inherited is no field', () => {
    const inherited = JSON.parse('{"__proto__": {"roomId": "r"}}') as object;
    expect(refusal('leave', inherited)).toEqual(['missing_field', 'roomId']);
  });
});

function decode(action: string, fields: object) {
  return joinDialect.decode({ ...fields, action });
}

/** The code and the field that the refusal names. */
function refusal(action: string, fields: object) {
  return refusalBy(joinDialect, { ...fields, action });
}
