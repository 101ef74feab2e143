import { describe, expect, test } from '@jest/globals';
import { errorCodes, isErrorCode, ParleyError } from './errors.ts';
import type { ErrorCode } from './errors.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];

describe.each(codes)('the error %s', (code) => {
  test('has a status of failure and a sentence that says what to do', () => {
    expect(errorCodes[code].http).toBeGreaterThanOrEqual(400);
    expect(errorCodes[code].text).toMatch(/^[A-Z].*\.$/);
  });

  test('is told by its own text unless more can be said', () => {
    expect(new ParleyError(code)).toMatchObject({
      code,
      http: errorCodes[code].http,
      message: errorCodes[code].text,
      details: {},
    });
    expect(new ParleyError(code, { field: 'x' }, { message: 'More.' })).toMatchObject({
      code,
      message: 'More.',
      details: { field: 'x' },
    });
  });
});

// The statuses of the documented table.
test.each<[number, ErrorCode[]]>([
  [400, ['invalid_json', 'missing_field', 'invalid_field', 'handshake_mismatch', 'handshake_timeout']],
  [401, ['not_authenticated', 'invalid_credentials']],
  [403, ['forbidden', 'not_owner', 'not_in_room', 'cannot_delete_default']],
  [404, ['unknown_action', 'user_not_found', 'room_not_found', 'file_not_found', 'upload_not_found']],
  [409, ['already_logged_in', 'room_exists', 'username_taken', 'chunks_missing']],
  [413, ['too_large']],
  [429, ['rate_limited']],
  [500, ['internal']],
  [503, ['unavailable']],
])('status %i is that of %p', (http, expected) => {
  expect(codes.filter((code) => errorCodes[code].http === http)).toEqual(expected);
});

test('what is thrown by mistake becomes internal and says nothing of itself', () => {
  const secret = new TypeError('password123 is not a function');
  const error = ParleyError.from(secret);
  expect(error).toMatchObject({ code: 'internal', message: errorCodes.internal.text, details: {} });
  expect(error.cause).toBe(secret);
  expect(ParleyError.from(undefined).code).toBe('internal');
});

test('an error of ours stays itself', () => {
  const error = new ParleyError('not_owner');
  expect(ParleyError.from(error)).toBe(error);
});

test('further details come to those that an error has, which stays as it was', () => {
  const cause = new Error('refused');
  const error = new ParleyError('invalid_field', { field: 'room_id' }, { message: 'Wrong.', cause });
  const told = error.with({ transactionId: 'exchange_1' });
  expect(told).toBeInstanceOf(ParleyError);
  expect(told).toMatchObject({ code: 'invalid_field', http: 400, message: 'Wrong.' });
  expect(told.details).toEqual({ field: 'room_id', transactionId: 'exchange_1' });
  expect(told.cause).toBe(cause);
  expect(error.details).toEqual({ field: 'room_id' });
  expect(told.with({ field: 'content' }).details).toEqual({ field: 'content', transactionId: 'exchange_1' });
});

test('only the codes of the table are codes', () => {
  expect(codes.every(isErrorCode)).toBe(true);
  for (const other of ['', 'Internal', 'constructor', '__proto__', undefined, 500]) {
    expect(isErrorCode(other)).toBe(false);
  }
});
