import { describe, expect, test } from '@jest/globals';
import { sendMessage } from '../../contract/gateway.ts';
import { errorCodes, ParleyError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import { createId } from '../../ids.ts';
import type { RoomId } from '../../ids.ts';
import { commandOf, framesSuite, written } from '../frames.suite.ts';
import { loginFixtures } from './frames.fixtures.ts';
import { events } from './events.ts';
import { loginDialect } from './index.ts';
import { requests } from './requests.ts';

framesSuite({
  dialect: loginDialect,
  bodyField: 'data',
  requests,
  events,
  fixtures: loginFixtures,
  errorFrame: (code, message, action) => ({
    action: 'error',
    original_action: action,
    status: 'error',
    message,
    code,
  }),
});

describe('the integrity handshake, as the seed has it', () => {
  const handshake = loginDialect.handshake!;
  const asked = loginFixtures.replies.filter(({ action }) => action !== 'character_count');
  const [messages, others] = [true, false].map((isMessage) =>
    asked.filter(({ action }) => (action === 'send_message') === isMessage),
  );
  const ack =
    '{"action":"ack","status":"success","message":"Action processed successfully.",' +
    '"data":{"transaction_id":"unique_transaction_id"}}';

  test('a request is answered by its count', () => {
    const frame = handshake.count('unique_transaction_id', { a: 10, b: 5, c: 3 }, 'send_message');
    expect(frame).toBe(
      '{"action":"character_count","data":{"transaction_id":"unique_transaction_id",' +
        '"letter_frequencies":{"a":10,"b":5,"c":3},"original_action":"send_message"}}',
    );
  });

  test.each(others!)('$title: the usual reply with the id of the exchange, then the ack', (fixture) => {
    const frames = handshake.encodeReply(
      commandOf(loginFixtures, fixture),
      fixture.reply,
      'unique_transaction_id',
    );
    const added = { ...fixture.added, transaction_id: 'unique_transaction_id' };
    const reply = written({ ...fixture, added }, 'data');
    expect(frames).toEqual([reply, ack]);
  });

  test.each(messages!)('$title: one ack, under the id of the exchange', (fixture) => {
    const frames = handshake.encodeReply(
      commandOf(loginFixtures, fixture),
      fixture.reply,
      'unique_transaction_id',
    );
    const data = { ...(fixture.frame['data'] as object), transaction_id: 'unique_transaction_id' };
    expect(frames).toEqual([written({ ...fixture, frame: { ...fixture.frame, data } }, 'data')]);
  });

  test('what has no reply of its own is closed by the ack alone', () => {
    const command = commandOf(loginFixtures, loginFixtures.unanswered[0]!);
    expect(handshake.encodeReply(command, undefined, 'unique_transaction_id')).toEqual([ack]);
  });

  test('a count that differs ends in an ack of failure', () => {
    expect(handshake.mismatch('unique_transaction_id')).toBe(
      JSON.stringify({
        action: 'ack',
        status: 'error',
        message: errorCodes.handshake_mismatch.text,
        code: 'handshake_mismatch',
        data: { transaction_id: 'unique_transaction_id' },
      }),
    );
  });

  test('an error names the exchange that it ends', () => {
    const error = new ParleyError('missing_field', { field: 'room_id' }).with({
      transactionId: 'exchange_1',
    });
    expect(JSON.parse(loginDialect.encodeError(error, 'delete_room'))).toMatchObject({
      action: 'error',
      code: 'missing_field',
      data: { field: 'room_id', transaction_id: 'exchange_1' },
    });
    const refused = new ParleyError('invalid_credentials', { transactionId: 'exchange_1' });
    expect(JSON.parse(loginDialect.encodeError(refused, 'login'))).toMatchObject({
      action: 'login_fail',
      data: { transaction_id: 'exchange_1' },
    });
  });
});

describe('an error', () => {
  test.each(['invalid_credentials', 'already_logged_in'] as const)(
    'is a login_fail with the words of the seed where a login fails as %s',
    (code) => {
      expect(loginDialect.encodeError(new ParleyError(code), 'login')).toBe(
        JSON.stringify({
          action: 'login_fail',
          original_action: 'login',
          status: 'error',
          message: 'Invalid credentials or user already logged in',
          code,
        }),
      );
    },
  );

  test('of a malformed login is no login_fail, and neither is that of another action', () => {
    const actionOf = (code: ErrorCode, action: string) =>
      (JSON.parse(loginDialect.encodeError(new ParleyError(code), action)) as { action: string }).action;
    expect(actionOf('missing_field', 'login')).toBe('error');
    expect(actionOf('unavailable', 'login')).toBe('error');
    expect(actionOf('rate_limited', 'login')).toBe('error');
    expect(actionOf('invalid_credentials', 'get_rooms')).toBe('error');
  });

  test('tells its details in snake_case, and its own message where it has one', () => {
    const error = new ParleyError(
      'rate_limited',
      { retryAfterMs: 250, field: 'participants.1', users: ['zoë'] },
      { message: 'Slower.' },
    );
    expect(JSON.parse(loginDialect.encodeError(error, 'create_room'))).toEqual({
      action: 'error',
      original_action: 'create_room',
      status: 'error',
      message: 'Slower.',
      code: 'rate_limited',
      data: { retry_after_ms: 250, field: 'participants.1', users: ['zoë'] },
    });
  });
});

test('a transaction_id is the same in the ack of a message and at all its receivers', () => {
  const roomId = createId('room');
  const sentAt = '2024-01-01T12:00:00.000Z';
  const event = { type: 'message', roomId, id: 41, sender: 'anna', content: 'hello', sentAt } as const;
  const sent = { ...event, senderId: createId('user') };
  const file = { name: 'a.txt', size: 1, type: 'text/plain', sha256: '0'.repeat(64) };
  const command = { method: sendMessage, request: {}, action: 'send_message', claimedName: undefined };
  const ack = JSON.parse(loginDialect.encodeReply(command, { roomId, messageId: 41, sentAt })!);
  for (const told of [sent, { ...sent, file }]) {
    const received = JSON.parse(loginDialect.encodeEvent(told)[0]!);
    expect(received.data.transaction_id).toBe(ack.data.transaction_id);
  }
});

describe('a download', () => {
  const download = {
    roomId: 'unique_room_id' as RoomId,
    file: { name: 'my_document.pdf', size: 1_048_576, type: 'application/pdf', sha256: 'a'.repeat(64) },
    packets: 1_024,
  };

  test('begins as the seed has it, our own fields behind', () => {
    expect(loginDialect.download?.meta(download)).toBe(
      JSON.stringify({
        action: 'file_down_meta',
        status: 'success',
        message: 'Starting file download.',
        data: {
          room_id: 'unique_room_id',
          file_path: 'my_document.pdf',
          file_size: 1_048_576,
          total_packets: 1_024,
          file_type: 'application/pdf',
          sha256: 'a'.repeat(64),
        },
      }),
    );
  });

  test('goes on as the seed has it', () => {
    expect(loginDialect.download?.data(download, 10, 'BASE64_ENCODED_CHUNK_DATA...')).toBe(
      JSON.stringify({
        action: 'file_down_data',
        data: {
          room_id: 'unique_room_id',
          file_path: 'my_document.pdf',
          sequence_number: 10,
          file_data: 'BASE64_ENCODED_CHUNK_DATA...',
        },
      }),
    );
  });
});

describe('errors of the transfer of files', () => {
  test('speak of the fields as the client does, and say which file and chunk it is', () => {
    const error = new ParleyError('invalid_field', { field: 'bytes', fileName: 'a.txt', sequence: 3 });
    expect(JSON.parse(loginDialect.encodeError(error, 'file_send_data'))).toMatchObject({
      original_action: 'file_send_data',
      data: { field: 'file_data', file_path: 'a.txt', sequence_number: 3 },
    });
    expect(() =>
      loginDialect.decode({
        action: 'file_send_data',
        data: { room_id: 'r', file_path: 'a.txt', sequence_number: 3 },
      }),
    ).toThrow(expect.objectContaining({ details: { field: 'file_data', fileName: 'a.txt', sequence: 3 } }));
  });
});
