import { describe, expect, test } from '@jest/globals';
import { refusalBy } from '../testing.ts';
import { identifyDialect } from './index.ts';
import { requests } from './requests.ts';

const emoji = '😀';
const composed = 'Zoë';
const decomposed = composed.normalize('NFD');

/** Actions about a room, with what else they need. */
const aboutRoom: [string, object][] = [
  ['createRoom', {}],
  ['joinRoom', {}],
  ['leaveRoom', {}],
  ['deleteRoom', {}],
  ['sendMessage', { message: 'hello' }],
  ['history', {}],
];
const aboutUser: [string, string][] = [
  ['identify', 'username'],
  ['rename', 'newUsername'],
];
const badNames = ['', ' \t', 'a'.repeat(65), emoji.repeat(65), 'a\0b', 'a\nb', 'a\ud83d', 7, null, ['a'], {}];

test('every action is about a room, about a user, or takes nothing', () => {
  const actions = [...aboutRoom, ...aboutUser].map(([action]) => action);
  expect([...actions, 'roomsList'].sort()).toEqual(Object.keys(requests).sort());
});

describe('the name of a room', () => {
  test.each(aboutRoom.filter(([action]) => action !== 'createRoom'))(
    'is trimmed and brought to NFC in %s, and stands for its id',
    (action, rest) => {
      const { roomName, request } = decode(action, { room: ` ${decomposed}\n`, ...rest });
      expect(roomName).toBe(composed);
      expect(request).not.toHaveProperty('roomId');
    },
  );

  test('is the name of a new room in createRoom, and stands for no other', () => {
    const { roomName, request } = decode('createRoom', { room: ` ${decomposed} ` });
    expect(request).toEqual({ name: composed });
    expect(roomName).toBeUndefined();
  });

  test.each(aboutRoom)('may not be left out of %s, and must be a name', (action, rest) => {
    expect(refusal(action, rest)).toEqual(['missing_field', 'room']);
    for (const room of badNames) {
      expect(refusal(action, { room, ...rest })).toEqual(['invalid_field', 'room']);
    }
  });
});

describe('the name of a user', () => {
  test('is trimmed and brought to NFC', () => {
    expect(decode('identify', { username: ` ${decomposed} ` }).request).toEqual({ name: composed });
    expect(decode('rename', { newUsername: ` ${decomposed} ` }).request).toEqual({ newName: composed });
  });

  test.each(aboutUser)('may not be left out of %s, and must be a name', (action, field) => {
    expect(refusal(action, {})).toEqual(['missing_field', field]);
    for (const name of badNames) {
      expect(refusal(action, { [field]: name })).toEqual(['invalid_field', field]);
    }
  });

  test('is claimed nowhere: who speaks is whom the connection identified', () => {
    const payload = { room: 'tea', message: 'hello', username: 'anna', from: 'anna' };
    expect(decode('sendMessage', payload)).toMatchObject({ claimedName: undefined });
    expect(decode('identify', payload)).toMatchObject({ claimedName: undefined });
  });
});

describe('a message', () => {
  const send = (fields: object) => ({ room: 'tea', ...fields });

  test.each(['a', emoji.repeat(8_192), '  a\n ', decomposed, '\u0001"\\'])(
    'is kept exactly: %j',
    (message) => {
      expect(decode('sendMessage', send({ message })).request).toEqual({ content: message });
    },
  );

  test.each(['', 'a'.repeat(8_193), 'a\0b', '\ude00a', 5, null, {}])('may not be %j', (message) => {
    expect(refusal('sendMessage', send({ message }))).toEqual(['invalid_field', 'message']);
  });

  test('may not be left out', () => {
    expect(refusal('sendMessage', send({}))).toEqual(['missing_field', 'message']);
  });

  test.each(['', 'i'.repeat(129), 'a\0', 1, null])('can not have the client’s id %j', (clientMessageId) => {
    expect(refusal('sendMessage', send({ message: 'a', clientMessageId }))).toEqual([
      'invalid_field',
      'clientMessageId',
    ]);
  });
});

describe('a page of history', () => {
  const ask = (fields: object) => ({ room: 'tea', ...fields });

  test.each([
    [undefined, 100],
    [1, 1],
    [1_000, 1_000],
    [1_001, 1_000],
    [1e300, 1_000],
  ])('with limit %p is one of %p', (limit, capped) => {
    const fields = limit === undefined ? {} : { limit };
    expect(decode('history', ask(fields)).request).toEqual({ limit: capped });
  });

  test.each([0, -1, 1.5, '10', null, [5]])('can not have the limit %p', (limit) => {
    expect(refusal('history', ask({ limit }))).toEqual(['invalid_field', 'limit']);
  });

  test.each([-1, 1.5, 2 ** 53, '1', null])('can not be bounded by the id %p', (id) => {
    expect(refusal('history', ask({ after: id }))).toEqual(['invalid_field', 'after']);
    expect(refusal('history', ask({ before: id }))).toEqual(['invalid_field', 'before']);
  });
});

describe('the rest of a frame', () => {
  test('unknown extra fields are ignored, in the frame and in its payload', () => {
    const frame = { action: 'joinRoom', version: 2, payload: { room: 'tea', color: 'red' } };
    expect(identifyDialect.decode(frame)).toMatchObject({ request: {}, roomName: 'tea' });
  });

  test('payload may be left out where nothing is required', () => {
    expect(identifyDialect.decode({ action: 'roomsList' }).request).toEqual({});
    expect(() => identifyDialect.decode({ action: 'joinRoom' })).toThrow('The field `room` is missing');
  });

  test.each([null, [], 'text', 7])('payload can not be %p', (payload) => {
    expect(refusal('roomsList', payload)).toEqual(['invalid_field', 'payload']);
  });

  test('a body in another dialect’s place is none', () => {
    const frame = { action: 'joinRoom', room: 'tea', data: { room: 'tea' } };
    expect(refusalBy(identifyDialect, frame)).toEqual(['missing_field', 'room']);
  });
});

function decode(action: string, payload: unknown) {
  return identifyDialect.decode({ action, payload });
}

/** The code and the field that the refusal names. */
function refusal(action: string, payload: unknown) {
  return refusalBy(identifyDialect, { action, payload });
}
