import { expect, test } from '@jest/globals';
import type { Message } from '@parley/client';
import { rowsOf } from './rows.ts';
import type { TimelineState } from './timeline.ts';

function message(id: number, sender: string, minute: number, day = 3): Message {
  return { id, roomId: 'room_1', sender, content: `${id}`, sentAt: new Date(2026, 2, day, 10, minute) };
}

function state(changes: Partial<TimelineState>): TimelineState {
  return {
    status: 'ready',
    messages: [],
    hasOlder: true,
    older: 'idle',
    sends: [],
    uploads: [],
    receipts: new Map(),
    readUpTo: undefined,
    grewAtStart: false,
    ...changes,
  };
}

/** The rows in short: `+` begins a group. */
function inShort(given: TimelineState): string[] {
  return rowsOf(given, 'ada').map((row) => {
    if (row.kind === 'message') return `${row.startsGroup ? '+' : ''}${row.message.sender}`;
    if (row.kind === 'sending') return `${row.startsGroup ? '+' : ''}sending`;
    return row.kind;
  });
}

test('messages of one sender stand together for five minutes', () => {
  const messages = [message(1, 'ben', 0), message(2, 'ben', 5), message(3, 'ben', 11), message(4, 'ada', 11)];
  expect(inShort(state({ messages }))).toEqual(['day', '+ben', 'ben', '+ben', '+ada']);
});

test('each day begins with its date, and a new group', () => {
  const messages = [message(1, 'ben', 59, 3), message(2, 'ben', 0, 4)];
  expect(inShort(state({ messages }))).toEqual(['day', '+ben', 'day', '+ben']);
});

test('the line of what is new stands before the first unread message of somebody else', () => {
  const messages = [message(7, 'ben', 0), message(8, 'ada', 1), message(9, 'ben', 2), message(10, 'ben', 3)];
  expect(inShort(state({ messages, readUpTo: 7 }))).toEqual(['day', '+ben', '+ada', 'unread', '+ben', 'ben']);
  expect(inShort(state({ messages }))).not.toContain('unread');
  expect(inShort(state({ messages, readUpTo: 10 }))).not.toContain('unread');
});

test('what is being sent goes on where the last own message was', () => {
  const messages = [message(1, 'ada', 0)];
  const sends = [{ key: 'a', content: 'hello', at: new Date(2026, 2, 3, 10, 2) }];
  expect(inShort(state({ messages, sends }))).toEqual(['day', '+ada', 'sending']);
  expect(inShort(state({ messages: [], sends }))).toEqual(['day', '+sending']);
});

test('while history is on its way there is only what is being sent', () => {
  const sends = [{ key: 'a', content: 'hello', at: new Date(2026, 2, 3, 10, 2) }];
  const messages = [message(7, 'ben', 0)];
  expect(inShort(state({ status: 'loading', messages, sends }))).toEqual(['day', '+sending']);
});

test('the beginning is shown once there is nothing before it', () => {
  const messages = [message(1, 'ben', 0)];
  expect(inShort(state({ messages, hasOlder: false }))).toEqual(['beginning', 'day', '+ben']);
});

test('the key of a row is its own', () => {
  const messages = [message(1, 'ben', 0, 3), message(2, 'ben', 1, 4), message(3, 'ben', 2, 5)];
  const keys = rowsOf(state({ messages, readUpTo: 1, hasOlder: false }), 'ada').map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
});
