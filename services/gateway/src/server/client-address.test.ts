import { describe, expect, test } from '@jest/globals';
import { clientAddress, networkOf } from './client-address.ts';

/** The address of a client that came from there, with that `X-Forwarded-For`. */
function addressOf(remoteAddress: string, forwarded: string | undefined, trustedProxies: number): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return clientAddress({ headers, socket: { remoteAddress } }, trustedProxies);
}

describe('the address of a client', () => {
  test('is where it comes from where no proxy is trusted, whatever it says', () => {
    expect(addressOf('192.0.2.1', undefined, 0)).toBe('192.0.2.1');
    expect(addressOf('192.0.2.1', '198.51.100.7', 0)).toBe('192.0.2.1');
  });

  test.each([
    [1, '203.0.113.9'],
    [2, '198.51.100.7'],
    [3, '192.0.2.66'],
  ])('is what the last %i trusted proxies were told', (trustedProxies, address) => {
    expect(addressOf('10.0.0.1', '192.0.2.66, 198.51.100.7 ,203.0.113.9', trustedProxies)).toBe(address);
  });

  test('is not what the client says before its own', () => {
    const spoofed = ['1.1.1.1', '2.2.2.2, 3.3.3.3', ', ,', '::1'];
    const seen = spoofed.map((first) => addressOf('10.0.0.1', `${first}, 203.0.113.9`, 1));
    expect(new Set(seen)).toEqual(new Set(['203.0.113.9']));
  });

  test('is the first hop where it came past some of the proxies', () => {
    expect(addressOf('10.0.0.1', '203.0.113.9', 3)).toBe('203.0.113.9');
    expect(addressOf('10.0.0.1', undefined, 1)).toBe('10.0.0.1');
    expect(addressOf('10.0.0.1', '', 2)).toBe('10.0.0.1');
  });

  test.each([
    ['no address', 'unknown'],
    ['a name of its own', '_hidden'],
    ['numbers that are too large', '999.1.1.1'],
    ['half an address', '1.2.3'],
    ['a bracket that does not close', '[::1'],
    ['a network', '2001:db8::/32'],
    ['very much', 'x'.repeat(16_000)],
  ])('is where it comes from where the header says %s', (_what, garbage) => {
    expect(addressOf('10.0.0.1', garbage, 1)).toBe('10.0.0.1');
  });
});

describe('of an address', () => {
  test.each([
    '192.0.2.1',
    '::ffff:192.0.2.1',
    '::FFFF:c000:201',
    '0:0:0:0:0:ffff:192.0.2.1',
    '192.0.2.1:4711',
  ])('in the form of %s the whole counts', (text) => {
    expect(networkOf(text)).toBe('192.0.2.1');
  });

  test.each([
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff:ffff:192.0.2.1', '2001:db8:1:2::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['[2001:db8::1]:4711', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['::192.0.2.1', '0:0:0:0::/64'],
  ])('such as %s the first half counts', (text, network) => {
    expect(networkOf(text)).toBe(network);
  });

  test('two networks are two', () => {
    expect(networkOf('2001:db8:1:2::1')).not.toBe(networkOf('2001:db8:1:3::1'));
  });
});
