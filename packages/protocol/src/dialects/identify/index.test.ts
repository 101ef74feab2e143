import { describe, expect, test } from '@jest/globals';
import type { LobbyRoom } from '../../contract/rooms.ts';
import { ParleyError } from '../../errors.ts';
import { createId } from '../../ids.ts';
import { framesSuite } from '../frames.suite.ts';
import { events } from './events.ts';
import { identifyFixtures } from './frames.fixtures.ts';
import { identifyDialect } from './index.ts';
import { requests } from './requests.ts';

framesSuite({
  dialect: identifyDialect,
  bodyField: 'payload',
  requests,
  events,
  fixtures: identifyFixtures,
  errorFrame: (reason, detail, originalAction) => ({
    action: 'error',
    payload: { reason, detail, originalAction },
  }),
});

test('an error tells its details in camelCase, and its own message where it has one', () => {
  const details = { retryAfterMs: 250, field: 'room', users: ['zoë'] };
  const error = new ParleyError('rate_limited', details, { message: 'Slower.' });
  expect(JSON.parse(identifyDialect.encodeError(error, 'sendMessage'))).toEqual({
    action: 'error',
    payload: {
      reason: 'rate_limited',
      detail: 'Slower.',
      originalAction: 'sendMessage',
      retry_after_ms: 250,
      field: 'room',
      users: ['zoë'],
    },
  });
});

describe('the list of rooms', () => {
  const listed = (rooms: LobbyRoom[]) => identifyDialect.encodeEvent({ type: 'lobby-listed', rooms });

  test('has every name, also one that objects have by nature', () => {
    const names = ['__proto__', 'constructor', 'toString', '"', '10', 'Zoë', '😀'];
    const frames = listed(names.map((name, index) => ({ roomId: createId('room'), name, users: index })));
    const { rooms } = JSON.parse(frames[0]!).payload as { rooms: object };
    expect(new Map(Object.entries(rooms))).toEqual(new Map(names.map((name, index) => [name, index])));
  });

  test('may be empty', () => {
    expect(listed([])).toEqual(['{"action":"roomsList","payload":{"rooms":{}}}']);
  });
});
