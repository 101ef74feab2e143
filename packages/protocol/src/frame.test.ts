import { describe, expect, test } from '@jest/globals';
import { listRooms } from './contract/rooms.ts';
import { joinDialect } from './dialects/join/index.ts';
import { loginDialect } from './dialects/login/index.ts';
import { readFrame } from './frame.ts';

describe('a frame', () => {
  test('with a known action is read in the dialect of the action', () => {
    const read = readFrame('{"action":"get_rooms","data":{"chatid":"anna"}}', undefined, joinDialect);
    expect(read).toMatchObject({ dialect: loginDialect, recognised: true, action: 'get_rooms' });
    expect(read.command).toMatchObject({ method: listRooms, claimedName: 'anna' });
  });

  test('with a known action has its dialect even if it asks for something impossible', () => {
    const read = readFrame('{"action":"login","data":{}}', undefined, joinDialect);
    expect(read).toMatchObject({ dialect: loginDialect, recognised: true, action: 'login' });
    expect(read.error).toMatchObject({ code: 'missing_field', details: { field: 'chatid' } });
  });

  test.each(['', ' ', '{', 'null', '7', '"text"', '[]', '[{"action":"get_rooms"}]', '{"action":"login"}}'])(
    'that is no JSON object is invalid_json: %s',
    (text) => {
      const read = readFrame(text, undefined, joinDialect);
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
    const { error } = readFrame(text, undefined, joinDialect);
    expect(error).toMatchObject({ code, details: { field: 'action' } });
  });

  test.each(['', 'dance', 'SendMessage', 'Login', 'constructor', '__proto__', 'toString'])(
    'with the unknown action %p is told so, and fixes no dialect',
    (action) => {
      const read = readFrame(JSON.stringify({ action, data: {} }), undefined, joinDialect);
      expect(read).toMatchObject({ dialect: joinDialect, recognised: false, action });
      expect(read.error?.code).toBe('unknown_action');
      expect(readFrame(JSON.stringify({ action }), loginDialect, joinDialect).error?.code).toBe(
        'unknown_action',
      );
    },
  );

  test('echoes no more than 64 characters of an unknown action', () => {
    const { action } = readFrame(JSON.stringify({ action: 'a'.repeat(1_000) }), undefined, joinDialect);
    expect(action).toBe('a'.repeat(64));
  });

  test('nested a hundred thousand times is one clear error', () => {
    const nested = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(readFrame(nested, undefined, joinDialect).error?.code).toBe('invalid_json');
    const read = readFrame(`{"action":"send_message","data":{"content":${nested}}}`, undefined, joinDialect);
    expect(read.error).toMatchObject({ code: 'invalid_json' });
  });
});
