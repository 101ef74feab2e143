import { describe, expect, test } from '@jest/globals';
import { errorOf, refusalBy } from '../testing.ts';
import { loginDialect } from './index.ts';

const emoji = '😀';
const composed = 'Zoë';
const decomposed = composed.normalize('NFD');

describe('a name', () => {
  test('is trimmed and brought to NFC, in the frame of who speaks and wherever a name is asked for', () => {
    expect(decode('register', { chatid: ` \t${decomposed}\n`, password: 'password123' })).toMatchObject({
      request: { name: composed },
      claimedName: composed,
    });
    expect(
      decode('create_room', { participants: [` ${decomposed}`], room_name: `${decomposed} ` }).request,
    ).toMatchObject({ name: composed, participants: [composed] });
    expect(
      decode('add_user_to_room', { room_id: 'r', user_to_add: ` ${decomposed} ` }).request,
    ).toMatchObject({ user: composed });
    expect(
      decode('remove_user_from_room', { room_id: 'r', user_to_remove: ` ${decomposed} ` }).request,
    ).toMatchObject({ user: composed });
    expect(decode('rename_room', { room_id: 'r', new_room_name: ` ${decomposed} ` }).request).toMatchObject({
      newName: composed,
    });
    expect(decode('get_room_users', { room_id: 'r', after: ` ${decomposed} ` }).request).toMatchObject({
      after: composed,
    });
  });

  test.each([
    ['1 character', 'a'],
    ['64 characters', 'a'.repeat(64)],
    ['64 emoji, each a code point of two units', emoji.repeat(64)],
    ['64 characters in spaces', `  ${'a'.repeat(64)}  `],
    ['64 characters that NFC makes of 256', '\u03b1\u0313\u0300\u0345'.repeat(64)],
    ['marks, spaces and joiners inside', 'A b\u200dc'],
  ])('may be %s', (_what, name) => {
    expect(decode('get_rooms', { chatid: name }).claimedName).toBe(name.trim().normalize('NFC'));
  });

  test.each([
    ['empty', ''],
    ['only spaces', ' \u00a0\t '],
    ['65 characters', 'a'.repeat(65)],
    ['65 emoji', emoji.repeat(65)],
    ['64 characters that NFC makes 128', '\u0958'.repeat(64)],
    ['with a NUL', 'a\0b'],
    ['with a line break', 'a\nb'],
    ['with DEL', 'a\u007fb'],
    ['with a C1 control character', 'a\u0085b'],
    ['with a lone surrogate', 'a\ud83d'],
    ['a number', 7],
    ['null', null],
    ['a list', ['a']],
  ])('may not be %s', (_what, name) => {
    expect(refusal('get_rooms', { chatid: name })).toEqual(['invalid_field', 'chatid']);
    expect(refusal('get_rooms', { chat_id: name })).toEqual(['invalid_field', 'chat_id']);
    expect(refusal('rename_room', { room_id: 'r', new_room_name: name })).toEqual([
      'invalid_field',
      'new_room_name',
    ]);
  });

  test('of a million characters is refused without normalizing it, which would take minutes', () => {
    const marks = `a${'\u0301'.repeat(500_000)}${'\u0316'.repeat(500_000)}`;
    expect(refusal('login', { chatid: marks, password: 'password123' })).toEqual(['invalid_field', 'chatid']);
  });
});

describe('who speaks', () => {
  test('is said by chatid or chat_id, or not at all', () => {
    expect(decode('get_rooms', { chatid: 'anna' }).claimedName).toBe('anna');
    expect(decode('get_rooms', { chat_id: 'anna' }).claimedName).toBe('anna');
    expect(decode('get_rooms', {}).claimedName).toBeUndefined();
  });

  test('must be said to register and to log in', () => {
    expect(refusal('register', { password: 'password123' })).toEqual(['missing_field', 'chatid']);
    expect(refusal('login', { password: 'password123' })).toEqual(['missing_field', 'chatid']);
  });
});

describe('the content of a message', () => {
  const send = (content: unknown) => ({ room_id: 'r', content });

  test.each([
    ['1 character', 'a'],
    ['8192 characters', 'a'.repeat(8_192)],
    ['8192 emoji', emoji.repeat(8_192)],
    ['spaces around, not trimmed', '  a\n '],
    ['only a space', ' '],
    ['decomposed letters, not composed', decomposed],
    ['control characters other than NUL', '\u0001\t\r\n\u007f'],
    ['quotes and backslashes', '"\\/\u2028'],
  ])('may be %s and is kept exactly', (_what, content) => {
    expect(decode('send_message', send(content)).request).toEqual({ roomId: 'r', content });
  });

  test.each([
    ['empty', ''],
    ['8193 characters', 'a'.repeat(8_193)],
    ['8193 emoji', emoji.repeat(8_193)],
    ['8194 characters in 4097 letters with accents', 'e\u0301'.repeat(4_097)],
    ['with a NUL', 'a\0b'],
    ['with a lone high surrogate', 'a\ud83d'],
    ['with a lone low surrogate', '\ude00a'],
    ['a number', 5],
    ['null', null],
    ['an object', {}],
  ])('may not be %s', (_what, content) => {
    expect(refusal('send_message', send(content))).toEqual(['invalid_field', 'content']);
  });

  test('may not be left out', () => {
    expect(refusal('send_message', { room_id: 'r' })).toEqual(['missing_field', 'content']);
  });
});

describe('a password', () => {
  const register = (password: unknown) => ({ chatid: 'anna', password });

  test.each(['12345678', emoji.repeat(8), 'p'.repeat(256), emoji.repeat(256), ' spaces stay '])(
    'of 8 to 256 characters can be registered as it is: %s',
    (password) => {
      expect(decode('register', register(password)).request).toEqual({ name: 'anna', password });
    },
  );

  test.each(['', '1234567', emoji.repeat(7), 'p'.repeat(257), 'password\0', 'password\ud83d', 12345678])(
    'of another length or kind can not: %p',
    (password) => {
      expect(refusal('register', register(password))).toEqual(['invalid_field', 'password']);
    },
  );

  test('too short to be registered is simply wrong at a login', () => {
    expect(decode('login', register('short')).request).toMatchObject({
      name: 'anna',
      proof: { password: 'short' },
    });
    expect(refusal('login', register('p'.repeat(257)))).toEqual(['invalid_field', 'password']);
  });

  test('or a session key must be brought to a login; of both the key counts', () => {
    expect(refusal('login', { chatid: 'anna' })).toEqual(['missing_field', 'password']);
    expect(
      decode('login', { chatid: 'anna', password: 'password123', session_key: 'key' }).request,
    ).toMatchObject({
      name: 'anna',
      proof: { sessionKey: 'key' },
    });
    expect(refusal('login', { chatid: 'anna', session_key: '' })).toEqual(['invalid_field', 'session_key']);
  });
});

describe('what a login asks for', () => {
  const login = (fields: object) => ({ chatid: 'anna', password: 'password123', ...fields });

  test.each([
    ['nothing', {}, false, false],
    ['the handshake', { handshake: true }, true, false],
    ['receipts', { receipts: true }, false, true],
    ['both', { handshake: true, receipts: true }, true, true],
    ['neither, in words', { handshake: false, receipts: false }, false, false],
  ])('may be %s', (_what, fields, handshake, receipts) => {
    const { request } = decode('login', login(fields));
    expect(request).toEqual({ name: 'anna', proof: { password: 'password123' }, handshake, receipts });
    const resumed = decode('login', { chatid: 'anna', session_key: 'key', ...fields }).request;
    expect(resumed).toEqual({ name: 'anna', proof: { sessionKey: 'key' }, handshake, receipts });
  });

  test.each(['true', 1, null, {}])('is said by true or false, not by %p', (wrong) => {
    expect(refusal('login', login({ handshake: wrong }))).toEqual(['invalid_field', 'handshake']);
    expect(refusal('login', login({ receipts: wrong }))).toEqual(['invalid_field', 'receipts']);
  });
});

describe('a step of the handshake', () => {
  const steps = ['confirm_count', 'character_count', 'ack'];
  const step = (transaction_id: unknown) => ({ transaction_id, confirm: true, letter_frequencies: {} });

  test.each(steps)('%s names its transaction', (action) => {
    expect(decode(action, step('unique_transaction_id')).request).toMatchObject({
      transactionId: 'unique_transaction_id',
    });
    expect(decode(action, step(emoji.repeat(128))).request).toMatchObject({
      transactionId: emoji.repeat(128),
    });
    expect(refusal(action, { confirm: true, letter_frequencies: {} })).toEqual([
      'missing_field',
      'transaction_id',
    ]);
    for (const wrong of ['', 't'.repeat(129), 't\0', '\ud83d', 1, null, {}]) {
      expect(refusal(action, step(wrong))).toEqual(['invalid_field', 'transaction_id']);
    }
  });

  test('confirms or does not', () => {
    expect(decode('confirm_count', step('t')).request).toEqual({ transactionId: 't', confirm: true });
    expect(decode('confirm_count', { transaction_id: 't', confirm: false }).request).toMatchObject({
      confirm: false,
    });
    expect(refusal('confirm_count', { transaction_id: 't' })).toEqual(['missing_field', 'confirm']);
    for (const confirm of ['true', 1, null]) {
      expect(refusal('confirm_count', { transaction_id: 't', confirm })).toEqual([
        'invalid_field',
        'confirm',
      ]);
    }
  });

  test('of the count may leave out what it counts, and says who speaks as any other', () => {
    const counted = { transaction_id: 't', letter_frequencies: { a: 1 } };
    const bare = decode('character_count', counted);
    const full = decode('character_count', {
      ...counted,
      chatid: 'anna',
      original_action: 'receive_message',
    });
    expect(bare.request).toEqual({ transactionId: 't', letterFrequencies: { a: 1 } });
    expect(full.request).toEqual(bare.request);
    expect([bare.claimedName, full.claimedName]).toEqual([undefined, 'anna']);
  });
});

describe('letter frequencies', () => {
  const counted = (json: string) => ({ transaction_id: 't', letter_frequencies: JSON.parse(json) });

  test.each([
    ['no character', '{}'],
    ['any characters', '{"a":10,"\\n":3,"\\u2028":1,"\\"":2,"😀":1,"\\u0301":1}'],
    ['a lone surrogate', '{"\\ud83d":2}'],
    ['a character that does not occur', '{"a":1,"b":0}'],
    ['more than a character', '{"ab":1,"":2}'],
    ['names that every object knows', '{"__proto__":1,"toString":2,"constructor":3}'],
  ])('may count %s and are kept as they are', (_what, json) => {
    const { letterFrequencies } = decode('character_count', counted(json)).request as {
      letterFrequencies: object;
    };
    expect(JSON.stringify(letterFrequencies)).toBe(JSON.stringify(JSON.parse(json)));
  });

  test.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"abc"'],
    ['a count below 0', '{"a":-1}'],
    ['half a character', '{"a":0.5}'],
    ['a text for a count', '{"a":"1"}'],
    ['a text for the count of line breaks', '{"\\n":"1"}'],
    ['a count that is beyond all counting', '{"a":1e300}'],
    ['an object for the count of __proto__', '{"__proto__":{"a":1}}'],
  ])('may not be or have %s', (_what, json) => {
    expect(refusal('character_count', counted(json))).toEqual(['invalid_field', 'letter_frequencies']);
  });

  test('with a key of a million characters are refused in a few words', () => {
    const error = errorOf(loginDialect, {
      action: 'character_count',
      data: counted(`{"${'a'.repeat(1_000_000)}":"x"}`),
    });
    expect(loginDialect.encodeError(error, 'character_count').length).toBeLessThan(500);
  });
});

describe('a page of history', () => {
  const ask = (fields: object) => ({ room_id: 'r', ...fields });

  test.each([
    [1, 1],
    [1_000, 1_000],
    [1_001, 1_000],
    [1e300, 1_000],
  ])('with limit %p is one of %p', (limit, capped) => {
    expect(decode('get_messages', ask({ limit })).request).toEqual({ roomId: 'r', limit: capped });
  });

  test.each([0, -1, 1.5, '10', null, [5]])('can not have the limit %p', (limit) => {
    expect(refusal('get_messages', ask({ limit }))).toEqual(['invalid_field', 'limit']);
  });

  test.each([-1, 1.5, 2 ** 53, '1', null])('can not be bounded by the id %p', (id) => {
    expect(refusal('get_messages', ask({ after_id: id }))).toEqual(['invalid_field', 'after_id']);
    expect(refusal('get_messages', ask({ before_id: id }))).toEqual(['invalid_field', 'before_id']);
  });
});

describe('a list of participants', () => {
  const create = (participants: unknown) => ({ participants, room_name: 'tea' });

  test('may be empty and may have 1000 names', () => {
    expect(decode('create_room', create([])).request).toMatchObject({ participants: [] });
    const names = Array.from({ length: 1_000 }, (_, index) => `user${index}`);
    expect(decode('create_room', create(names)).request).toMatchObject({ participants: names });
  });

  test.each([
    ['a name that is none', ['anna', ' '], 'participants.1'],
    ['a number', ['anna', 'bob', 7], 'participants.2'],
    ['null', [null], 'participants.0'],
    ['1001 names', Array<string>(1_001).fill('anna'), 'participants'],
    ['one name', 'anna', 'participants'],
    ['an object', {}, 'participants'],
  ])('may not be or have %s, and the error says where', (_what, participants, field) => {
    expect(refusal('create_room', create(participants))).toEqual(['invalid_field', field]);
  });

  test.each([
    ['no names', 7],
    ['names', 'anna'],
  ])('of half a million that are %s is refused without reading it all', (_what, item) => {
    let lastRead = 0;
    const participants = new Proxy(Array<unknown>(500_000).fill(item), {
      get(list, key, receiver) {
        if (Number(key) > lastRead) lastRead = Number(key);
        return Reflect.get(list, key, receiver) as unknown;
      },
    });
    const { code } = errorOf(loginDialect, { action: 'create_room', data: create(participants) });
    expect(code).toBe('invalid_field');
    expect(lastRead).toBeGreaterThan(0);
    expect(lastRead).toBeLessThanOrEqual(1_001);
  });

  test('may not be left out, and neither may the name of the room', () => {
    expect(refusal('create_room', { room_name: 'tea' })).toEqual(['missing_field', 'participants']);
    expect(refusal('create_room', { participants: [] })).toEqual(['missing_field', 'room_name']);
  });
});

describe('an id of the client', () => {
  const send = (id: unknown) => ({ room_id: 'r', content: 'hello', client_message_id: id });

  test.each(['1', 'ü', 'i'.repeat(128), emoji.repeat(128)])('may be 1 to 128 characters: %s', (id) => {
    expect(decode('send_message', send(id)).request).toMatchObject({ clientMessageId: id });
  });

  test.each(['', 'i'.repeat(129), 'a\0', 'a\ud83d', 1, null])('may not be %p', (id) => {
    expect(refusal('send_message', send(id))).toEqual(['invalid_field', 'client_message_id']);
  });
});

describe('the id of a room', () => {
  const inOneRoom = [
    ...['join_room', 'leave_room', 'delete_room'],
    ...['get_messages', 'get_room_users', 'get_receipts'],
  ];

  test.each(['unique_room_id', 'room name with spaces', 'parley.rpc.*', '>'])(
    'is passed on as it is, known or not: %s',
    (id) => {
      expect(decode('join_room', { room_id: id }).request).toEqual({ roomId: id });
    },
  );

  test.each(['', 'r'.repeat(65), 'r\0', '\ud83d', 1, null, {}])('may not be %p', (id) => {
    for (const action of inOneRoom) {
      expect(refusal(action, { room_id: id })).toEqual(['invalid_field', 'room_id']);
    }
  });

  test.each(inOneRoom)('may not be left out of %s', (action) => {
    expect(refusal(action, {})).toEqual(['missing_field', 'room_id']);
  });
});

describe('the rest of a frame', () => {
  test('unknown extra fields are ignored, in the frame and in its data', () => {
    const frame = { action: 'get_rooms', version: 2, data: { chatid: 'anna', color: 'red', scope: 'mine' } };
    expect(loginDialect.decode(frame)).toMatchObject({ request: { scope: 'mine' }, claimedName: 'anna' });
  });

  test('a scope is one of two words', () => {
    expect(refusal('get_rooms', { scope: 'all' })).toEqual(['invalid_field', 'scope']);
    expect(refusal('get_rooms', { scope: 1 })).toEqual(['invalid_field', 'scope']);
  });

  test('data may be left out where nothing is required', () => {
    expect(loginDialect.decode({ action: 'get_rooms' }).request).toEqual({ scope: 'mine' });
    expect(() => loginDialect.decode({ action: 'join_room' })).toThrow('The field `room_id` is missing');
  });

  test.each([null, [], 'text', 7])('data can not be %p', (data) => {
    expect(refusal('get_rooms', data)).toEqual(['invalid_field', 'data']);
  });

  test('what is inherited is no field', () => {
    const data = JSON.parse('{"__proto__": {"room_id": "r"}}') as object;
    expect(refusal('join_room', data)).toEqual(['missing_field', 'room_id']);
    for (const action of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(loginDialect.recognises(action)).toBe(false);
    }
  });
});

function decode(action: string, data: object) {
  return loginDialect.decode({ action, data });
}

/** The code and the field that the refusal names. */
function refusal(action: string, data: unknown) {
  return refusalBy(loginDialect, { action, data });
}
