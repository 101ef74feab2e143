import { expect, test } from '@jest/globals';
import { ParleyError } from '../../errors.ts';
import { framesSuite } from '../frames.suite.ts';
import { events } from './events.ts';
import { joinFixtures } from './frames.fixtures.ts';
import { joinDialect } from './index.ts';
import { requests } from './requests.ts';

framesSuite({
  dialect: joinDialect,
  bodyField: undefined,
  requests,
  events,
  fixtures: joinFixtures,
  errorFrame: (code, message, originalAction) => ({ action: 'error', code, message, originalAction }),
});

test('an error tells its details in camelCase, and its own message where it has one', () => {
  const details = { retryAfterMs: 250, field: 'roomId', users: ['zoë'] };
  const error = new ParleyError('rate_limited', details, { message: 'Slower.' });
  expect(JSON.parse(joinDialect.encodeError(error, 'send-message'))).toEqual({
    action: 'error',
    code: 'rate_limited',
    message: 'Slower.',
    originalAction: 'send-message',
    retry_after_ms: 250,
    field: 'roomId',
    users: ['zoë'],
  });
});

test('a file is reached under its name, whatever the name', () => {
  const names = ['a b.txt', '100%.txt', 'a?b#c&d=e.txt', 'Zoë 😀.txt', '...'];
  for (const name of names) {
    const file = { name, size: 0, type: '', sha256: '0'.repeat(64) };
    const event = { ...joinFixtures.events.find(({ title }) => title === 'file')!.event, file };
    const { url } = JSON.parse(joinDialect.encodeEvent(event)[0]!);
    const { pathname, search, hash } = new URL(url, 'http://localhost');
    expect(decodeURIComponent(pathname)).toBe(`/api/rooms/room_12345/files/${name}`);
    expect([search, hash]).toEqual(['', '']);
  }
});
