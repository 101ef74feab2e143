import { expect, test } from '@jest/globals';
import { RoomView } from './room-view.ts';

const others = { isOwn: false };

function messages(first: number, last: number): { id: number }[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({ id: first + index }));
}

test('while the person is elsewhere, messages of others are counted', () => {
  const view = new RoomView();
  expect(view.take({ id: 1 }, others)).toEqual([]);
  expect(view.take({ id: 2 }, { isOwn: true })).toEqual([]);
  expect(view.unread).toBe(1);
});

test('what came meanwhile is among the history, and marked as new', () => {
  const view = new RoomView();
  for (const message of messages(4, 5)) view.take(message, others);
  view.look();
  expect(view.loaded(messages(1, 5))).toEqual({ messages: messages(1, 5), fresh: 2 });
  expect(view.unread).toBe(0);
});

test('what comes while history is read is shown behind it, once', () => {
  const view = new RoomView();
  view.look();
  for (const message of messages(3, 6)) expect(view.take(message, others)).toEqual([]);
  expect(view.loaded(messages(1, 4)).messages).toEqual(messages(1, 6));
  expect(view.take({ id: 6 }, others)).toEqual([]);
  expect(view.take({ id: 7 }, others)).toEqual([{ id: 7 }]);
});

test('who looks away and back finds what is new', () => {
  const view = new RoomView();
  view.look();
  view.loaded([]);
  view.take({ id: 1 }, others);
  view.lookAway();
  view.take({ id: 2 }, others);
  expect(view.unread).toBe(1);
  view.look();
  expect(view.loaded(messages(1, 2))).toEqual({ messages: messages(1, 2), fresh: 1 });
});
