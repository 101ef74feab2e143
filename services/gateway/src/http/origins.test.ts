import { expect, test } from '@jest/globals';
import { isAllowedOrigin } from './origins.ts';

const app = 'https://app.example.org';

test.each([
  ['no origin: no page of a browser', undefined, 'chat.example.org', []],
  ['our own host', 'http://chat.example.org:20200', 'chat.example.org:20200', []],
  ['our own host behind a proxy that speaks TLS', 'https://chat.example.org', 'chat.example.org', []],
  ['our own host, whose default port is named', 'https://chat.example.org', 'chat.example.org:443', []],
  ['our own host by its IPv6 address', 'http://[::1]:20200', '[::1]:20200', []],
  ['one of the list', app, 'chat.example.org', ['https://other.example.org', app]],
  ['any, where all are allowed', app, 'chat.example.org', ['*']],
])('%s may come', (_who, origin, host, allowed) => {
  expect(isAllowedOrigin(origin, host, allowed)).toBe(true);
});

test.each([
  ['another host', app, 'chat.example.org', []],
  ['another port of our host', 'http://chat.example.org:8080', 'chat.example.org:20200', []],
  ['a host that ours begins with', 'https://chat.example', 'chat.example.org', []],
  ['one that is like one of the list', 'https://app.example.org.evil.example', 'chat.example.org', [app]],
  ['one of the list by another scheme', 'http://app.example.org', 'chat.example.org', [app]],
  ['an opaque origin', 'null', 'chat.example.org', [app]],
  ['an opaque origin without a host to compare', 'null', undefined, []],
  ['a file', 'file://', '', []],
  ['what is no origin', 'chat.example.org', 'chat.example.org', []],
])('%s may not', (_who, origin, host, allowed) => {
  expect(isAllowedOrigin(origin, host, allowed)).toBe(false);
});
