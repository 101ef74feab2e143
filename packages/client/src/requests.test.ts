import { afterEach, expect, test } from '@jest/globals';
import { ParleyClientError } from './errors.ts';
import type { Frame } from './frames.ts';
import { Requests } from './requests.ts';

let current: Requests | undefined;
afterEach(() => {
  current?.fail(new ParleyClientError('closed'));
});

function newRequests() {
  const sent: { action: string; data: Record<string, unknown> }[] = [];
  const requests = new Requests({
    transmit: (text) => sent.push(JSON.parse(text)),
    timeoutMs: 60_000,
    timedOut: () => undefined,
    self: () => 'anna',
  });
  current = requests;
  requests.open('open');
  const send = (room_id: string, options = {}) => {
    const outcome = requests.ask('send_message', { room_id, content: 'Hi' }, options);
    return outcome.then(
      ({ message_id }) => message_id,
      (error: unknown) => (error as ParleyClientError).code,
    );
  };
  return { requests, sent, send };
}

const ack = (room_id: string, message_id: number): Frame => ({
  action: 'ack',
  status: 'success',
  data: { room_id, message_id },
});
const refusal = (code: string): Frame => ({
  action: 'error',
  status: 'error',
  original_action: 'send_message',
  code,
  data: {},
});

test('an error that does not say which of several it is about waits for the answers of the others', async () => {
  const { requests, send } = newRequests();
  const outcomes = Promise.all([send('a'), send('b'), send('c')]);
  requests.take(refusal('rate_limited'));
  requests.take(ack('c', 3));
  requests.take(ack('a', 1));
  expect(await outcomes).toEqual([1, 'rate_limited', 3]);
});

test('of different errors nobody knows whose they are: each is asked again alone', async () => {
  const { requests, sent, send } = newRequests();
  const outcomes = Promise.all([send('a'), send('b')]);
  requests.take(refusal('not_in_room'));
  requests.take(refusal('unavailable'));
  expect(sent.map(({ data }) => data['room_id'])).toEqual(['a', 'b', 'a']);
  requests.take(ack('a', 7));
  expect(sent).toHaveLength(4);
  requests.take(refusal('not_in_room'));
  expect(await outcomes).toEqual([7, 'not_in_room']);
});

test('what a connection took along is asked again on the next, in its order, unless nobody waits', async () => {
  const { requests, sent, send } = newRequests();
  const ending = new AbortController();
  const outcomes = Promise.all([send('a'), send('b', { signal: ending.signal }), send('a'), send('c')]);
  ending.abort();
  requests.lost();
  requests.open('open');
  expect(sent.slice(3).map(({ data }) => data['room_id'])).toEqual(['a', 'c']);
  requests.take(ack('c', 1));
  requests.take(ack('a', 1));
  requests.take(ack('a', 2));
  expect(await outcomes).toEqual([1, 'aborted', 2, 1]);
});

test('what may have been done and must not be done twice is not asked again', async () => {
  const { requests, sent } = newRequests();
  const creating = requests.ask('create_room', { room_name: 'Tea' });
  requests.lost();
  requests.open('open');
  await expect(creating).rejects.toMatchObject({ code: 'connection_lost' });
  expect(sent).toHaveLength(1);
});

test('what happens to others is no answer', async () => {
  const { requests } = newRequests();
  const joining = requests.ask('join_room', { room_id: 'a' });
  const joined = (chatid: string): Frame => ({
    action: 'room_joined',
    status: 'success',
    data: { room_id: 'a', chatid },
  });
  expect(requests.take(joined('ben'))).toBe(false);
  expect(requests.take(joined('anna'))).toBe(true);
  expect(await joining).toEqual({ room_id: 'a', chatid: 'anna' });
});

test('before the session is there only what makes one goes out', () => {
  const { requests, sent, send } = newRequests();
  requests.lost();
  void send('a');
  requests.ask('login', { chatid: 'anna' }, { isUrgent: true }).catch(() => undefined);
  requests.open('urgent');
  expect(sent.map(({ action }) => action)).toEqual(['login']);
  requests.open('open');
  expect(sent.map(({ action }) => action)).toEqual(['login', 'send_message']);
});
