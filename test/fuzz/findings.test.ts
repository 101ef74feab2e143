import { expect, test } from '@jest/globals';
import { Findings } from './findings.ts';
import { leakIn } from './leaks.ts';
import { loginRules } from './parts/answer-rules.ts';
import { Ledger } from './parts/ledger.ts';

const refused = { action: 'error', code: 'not_in_room', message: 'You are not in this room.' };

test('a ledger knows what is not answered, and what is answered twice', () => {
  const ledger = new Ledger(loginRules);
  ledger.asked('get_rooms');
  ledger.asked('get_messages');
  expect(ledger.took({ action: 'rooms_list', data: { rooms: [] } })).toBeUndefined();
  expect(ledger.isSettled).toBe(false);
  expect(ledger.missing).toEqual(['"get_messages"']);
  expect(ledger.took({ ...refused, original_action: 'get_messages' })).toBeUndefined();
  expect(ledger.isSettled).toBe(true);
  expect(ledger.took({ action: 'rooms_list', data: { rooms: [] } })).toBe(
    '"get_rooms" is answered more often than asked',
  );
});

test('what others do in a room is no answer too many', () => {
  const ledger = new Ledger(loginRules);
  expect(ledger.took({ action: 'user_added', data: {} })).toBeUndefined();
  ledger.asked('add_user_to_room');
  expect(ledger.isSettled).toBe(false);
});

test.each([
  ['internal', 'Something went wrong on our side.', '"login" is answered with internal'],
  ['unavailable', 'Part of the service is away.', '"login" is answered with unavailable'],
  ['strange', 'So it is.', 'the error code "strange" is none of the table'],
  ['invalid_field', ' ', 'the error invalid_field has no words'],
  ['invalid_field', 'relation "auth.account" does not exist', 'the error invalid_field says "relation ""'],
])('the error %s: %s is found', (code, message, problem) => {
  const ledger = new Ledger(loginRules);
  ledger.asked('login');
  expect(ledger.took({ action: 'error', original_action: 'login', code, message })).toBe(problem);
});

test.each([
  'TypeError: Cannot read properties of undefined',
  'x\n    at Object.run (/srv/parley/services/gateway/src/main.ts:10:5)',
  'duplicate key value violates unique constraint "member_pkey"',
  'select id from rooms.room where id = $1',
  'connect ECONNREFUSED 127.0.0.1:5432',
])('"%s" comes from the inside', (text) => {
  expect(leakIn(text)).toBeDefined();
});

test.each([
  'The field `room_id` is missing; add it.',
  'You are anna here and can only speak for yourself.',
  'This path does not know the method DELETE; use GET, HEAD.',
  'Select another name; this one is taken.',
])('"%s" does not', (text) => {
  expect(leakIn(text)).toBeUndefined();
});

test('one bug that is met again is one finding, and the first of more than twenty are kept', () => {
  const findings = new Findings();
  findings.add({ part: 'frames', what: 'the connection was closed with 1006', input: ['a'] });
  findings.add({ part: 'frames', what: 'the connection was closed with 1011', input: ['b'] });
  expect(findings.all).toHaveLength(1);
  for (const letter of 'abcdefghijklmnopqrstuvwxyz') findings.add({ part: 'http', what: letter, input: [] });
  expect(findings.all).toHaveLength(20);
});
