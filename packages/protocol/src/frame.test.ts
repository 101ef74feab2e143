import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { loginDialect } from './dialects/login/index.ts';
import { requests } from './dialects/login/requests.ts';
import { createRoom, listRooms } from './contract/rooms.ts';
import { readFrame } from './frame.ts';
import { letterFrequencies } from './letter-frequencies.ts';
import { isName, normalizeName } from './text.ts';
import { matches } from './validation.ts';

describe('a frame', () => {
  test('with a known action is read in the dialect of the action', () => {
    const read = readFrame('{"action":"get_rooms","data":{"chatid":"anna"}}', undefined);
    expect(read).toMatchObject({ dialect: loginDialect, recognised: true, action: 'get_rooms' });
    expect(read.command).toMatchObject({ method: listRooms, claimedName: 'anna' });
  });

  test('with a known action has its dialect even if it asks for something impossible', () => {
    const read = readFrame('{"action":"login","data":{}}', undefined);
    expect(read).toMatchObject({ dialect: loginDialect, recognised: true, action: 'login' });
    expect(read.error).toMatchObject({ code: 'missing_field', details: { field: 'chatid' } });
  });

  test.each(['', ' ', '{', 'null', '7', '"text"', '[]', '[{"action":"get_rooms"}]', '{"action":"login"}}'])(
    'that is no JSON object is invalid_json: %s',
    (text) => {
      const read = readFrame(text, undefined);
      expect(read).toMatchObject({ recognised: false, action: undefined, error: { code: 'invalid_json' } });
    },
  );

  test.each([
    ['{}', 'missing_field'],
    ['{"data":{}}', 'missing_field'],
    ['{"action":null}', 'invalid_field'],
    ['{"action":7}', 'invalid_field'],
    ['{"action":["login"]}', 'invalid_field'],
    ['{"__proto__":{"action":"login"}}', 'missing_field'],
  ])('without a proper action names that field: %s', (text, code) => {
    const { error } = readFrame(text, undefined);
    expect(error).toMatchObject({ code, details: { field: 'action' } });
  });

  test.each(['', 'dance', 'sendMessage', 'Login', 'constructor', '__proto__', 'toString'])(
    'with the unknown action %p is told so, and fixes no dialect',
    (action) => {
      const read = readFrame(JSON.stringify({ action, data: {} }), undefined);
      expect(read).toMatchObject({ recognised: false, action, error: { code: 'unknown_action' } });
      expect(readFrame(JSON.stringify({ action }), loginDialect).error?.code).toBe('unknown_action');
    },
  );

  test('echoes no more than 64 characters of an unknown action', () => {
    const { action } = readFrame(JSON.stringify({ action: 'a'.repeat(1_000) }), undefined);
    expect(action).toBe('a'.repeat(64));
  });

  test('nested a hundred thousand times is one clear error', () => {
    const nested = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(readFrame(nested, undefined).error?.code).toBe('invalid_json');
    const read = readFrame(`{"action":"send_message","data":{"content":${nested}}}`, undefined);
    expect(read.error).toMatchObject({ code: 'missing_field' });
  });
});

const clientsFaults = ['invalid_json', 'missing_field', 'invalid_field', 'unknown_action'];
const action = fc.constantFrom(...Object.keys(requests));
const anyText = fc.string({ unit: 'binary' });
const field = fc.constantFrom(
  ...['chatid', 'chat_id', 'password', 'session_key', 'participants', 'room_name', 'scope', 'room_id'],
  ...['user_to_add', 'user_to_remove', 'new_room_name', 'after', 'content', 'client_message_id'],
  ...['from_time', 'after_id', 'before_id', 'limit', 'handshake', 'receipts', 'transaction_id', 'confirm'],
  ...['letter_frequencies', 'constructor', '__proto__'],
);

describe('whatever is sent becomes a command or one clear error:', () => {
  test.each<[string, fc.Arbitrary<string>]>([
    ['any text', anyText],
    ['any JSON', fc.json({ stringUnit: 'binary' })],
    ['any JSON object with any action', fc.record({ action: anyText, data: fc.jsonValue() }).map(toJson)],
    ['any data for a known action', fc.record({ action, data: fc.jsonValue() }).map(toJson)],
    [
      'any values in known fields',
      fc
        .record({ action, data: fc.dictionary(field, fc.oneof(anyText, fc.jsonValue(), fc.integer())) })
        .map(toJson),
    ],
  ])('%s', (_what, frames) => {
    fc.assert(
      fc.property(frames, fc.constantFrom(undefined, loginDialect), (text, spoken) => {
        const read = readFrame(text, spoken);
        if (read.command) {
          expect(matches(read.command.method.request, read.command.request)).toBe(true);
          return;
        }
        expect(clientsFaults).toContain(read.error.code);
        const told = JSON.parse(read.dialect.encodeError(read.error, read.action));
        expect(told).toMatchObject({ action: 'error', status: 'error', code: read.error.code });
        expect(told.message).toMatch(/\S/);
      }),
      { numRuns: 500 },
    );
  });
});

const padding = fc.constantFrom('', ' ', '\t ', '\u00a0');
const name = fc
  .tuple(padding, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), padding)
  .map((parts) => parts.join(''))
  .filter((text) => isName(normalizeName(text)));
const text = (minLength: number, maxLength: number) =>
  fc.string({
    unit: fc.oneof(fc.constant('😀'), fc.string({ minLength: 1, maxLength: 1 })),
    minLength,
    maxLength,
  });
const roomId = text(1, 64);
const messageId = fc.nat();
const transactionId = text(1, 128);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const time = fc
  .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString());

/** Well-formed bodies of each action, without who speaks. */
const bodies: Record<string, Record<string, fc.Arbitrary<unknown>>> = {
  register: { chatid: name, password: text(8, 256) },
  login: {
    chatid: name,
    password: text(1, 256),
    session_key: optional(text(1, 256)),
    handshake: optional(fc.boolean()),
    receipts: optional(fc.boolean()),
  },
  logout: {},
  create_room: { participants: fc.array(name, { maxLength: 20 }), room_name: name },
  get_rooms: { scope: optional(fc.constantFrom('mine', 'public')) },
  add_user_to_room: { room_id: roomId, user_to_add: name },
  remove_user_from_room: { room_id: roomId, user_to_remove: name },
  delete_room: { room_id: roomId },
  rename_room: { room_id: roomId, new_room_name: name },
  join_room: { room_id: roomId },
  leave_room: { room_id: roomId },
  get_room_users: { room_id: roomId, after: optional(name) },
  send_message: { room_id: roomId, content: text(1, 200), client_message_id: optional(text(1, 128)) },
  get_messages: {
    room_id: roomId,
    from_time: optional(time),
    after_id: optional(messageId),
    before_id: optional(messageId),
    limit: optional(fc.integer({ min: 1 })),
  },
  get_receipts: { room_id: roomId },
  confirm_count: { transaction_id: transactionId, confirm: fc.boolean() },
  character_count: {
    transaction_id: transactionId,
    letter_frequencies: anyText.map(letterFrequencies),
    original_action: optional(anyText),
  },
  ack: { transaction_id: transactionId, status: optional(anyText) },
};

describe('every well-formed request is a valid command:', () => {
  test.each(Object.keys(requests))('%s', (known) => {
    const data = fc.record({ chat_id: optional(name), ...bodies[known] });
    fc.assert(
      fc.property(data, (body) => {
        const { command, error } = readFrame(toJson({ action: known, data: body }), undefined);
        expect(error).toBeUndefined();
        expect(matches(command!.method.request, command!.request)).toBe(true);
        const claimed = (body as { chatid?: string }).chatid ?? body.chat_id;
        expect(command!.claimedName).toBe(claimed?.trim().normalize('NFC'));
      }),
    );
  });

  test('names are the same however they are composed and padded', () => {
    fc.assert(
      fc.property(name, (written) => {
        const decode = (room_name: string) =>
          readFrame(toJson({ action: 'create_room', data: { participants: [], room_name } }), undefined)
            .command;
        expect(decode(` ${written.normalize('NFD')} `)).toEqual(decode(written));
        expect(decode(written)).toMatchObject({ method: createRoom });
      }),
    );
  });
});

function toJson(frame: object): string {
  return JSON.stringify(frame);
}
