import { describe, expect, test } from '@jest/globals';
import { bearerToken, clearedTokenCookie, tokenCookie, upgradeToken } from './tokens.ts';

function upgrade(url: string, headers: { authorization?: string; cookie?: string } = {}) {
  return upgradeToken({ url, headers });
}

describe('a token of an upgrade comes', () => {
  test('in its header before all others', () => {
    const headers = { authorization: 'Bearer of-header', cookie: 'parley_token=of-cookie' };
    expect(upgrade('/chat?token=of-query', headers)).toEqual({ token: 'of-header', isExplicit: true });
  });

  test('in its query before the cookie', () => {
    const found = upgrade('/chat?a=b&token=of%2Dquery', { cookie: 'parley_token=of-cookie' });
    expect(found).toEqual({ token: 'of-query', isExplicit: true });
  });

  test('in the cookie, which nobody asked the browser to send', () => {
    const found = upgrade('/chat', { cookie: 'theme=dark; parley_token=of-cookie; x=parley_token=no' });
    expect(found).toEqual({ token: 'of-cookie', isExplicit: false });
  });

  test('in the cookie that only we can have set before the other', () => {
    const cookie = 'parley_token=of-a-neighbour; __Host-parley_token=of-cookie';
    expect(upgrade('/chat', { cookie })).toEqual({ token: 'of-cookie', isExplicit: false });
  });

  test('nowhere', () => {
    expect(upgrade('/chat')).toBeUndefined();
    expect(upgrade('/chat?', { authorization: 'Basic dTpw', cookie: 'parley_token=' })).toBeUndefined();
  });

  test('empty where it was meant to come, which is a bad one', () => {
    expect(upgrade('/chat?token=')).toEqual({ token: '', isExplicit: true });
    expect(upgrade('/chat', { authorization: 'Bearer' })).toEqual({ token: '', isExplicit: true });
  });
});

test('the scheme of the header may be written as one likes', () => {
  expect(bearerToken('bearer  abc')).toBe('abc');
  expect(bearerToken('Bearer a b')).toBe('a b');
  expect(bearerToken('Bearerabc')).toBeUndefined();
  expect(bearerToken(undefined)).toBeUndefined();
});

test('the cookie is out of reach for scripts and other sites, and over TLS for listeners', () => {
  expect(tokenCookie('abc', false)).toBe('parley_token=abc; HttpOnly; SameSite=Strict; Path=/');
  expect(tokenCookie('abc', true)).toBe('__Host-parley_token=abc; HttpOnly; SameSite=Strict; Path=/; Secure');
  expect(clearedTokenCookie(false)).toBe('parley_token=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0');
  expect(clearedTokenCookie(true)).toBe(
    '__Host-parley_token=; HttpOnly; SameSite=Strict; Path=/; Secure; Max-Age=0',
  );
});
