import { expect, test } from '@jest/globals';
import { RateLimiter, TokenBucket } from './rate-limiter.ts';

const limits = { requests: { perSecond: 100, burst: 400 }, sends: { perSecond: 50, burst: 200 } };

test('a burst of messages passes, the next one waits until there is a token', () => {
  const limiter = new RateLimiter(limits, undefined, 0);
  for (let sent = 0; sent < 200; sent += 1) expect(limiter.admit(true, 0)).toBe(0);
  expect(limiter.admit(true, 0)).toBe(20);
  expect(limiter.admit(true, 20)).toBe(0);
});

test('other requests have their own, wider limit', () => {
  const limiter = new RateLimiter(limits, undefined, 0);
  for (let sent = 0; sent < 200; sent += 1) limiter.admit(true, 0);
  for (let asked = 0; asked < 200; asked += 1) expect(limiter.admit(false, 0)).toBe(0);
  expect(limiter.admit(false, 0)).toBe(10);
});

test('tokens never grow beyond the burst', () => {
  const limiter = new RateLimiter(limits, undefined, 0);
  const hour = 3_600_000;
  for (let sent = 0; sent < 200; sent += 1) expect(limiter.admit(true, hour)).toBe(0);
  expect(limiter.admit(true, hour)).toBeGreaterThan(0);
});

test('ten seconds of refusals without a pause are abuse', () => {
  const limiter = new RateLimiter(limits, undefined, 0);
  for (let now = 0; now < 14_000; now += 1) limiter.admit(true, now);
  expect(limiter.isAbused()).toBe(true);
});

test('a client that pauses when it is told is no abuser', () => {
  const limiter = new RateLimiter(limits, undefined, 0);
  for (let round = 0; round < 20; round += 1) {
    for (let now = round * 5_000; now < round * 5_000 + 3_000; now += 1) limiter.admit(true, now);
    expect(limiter.isAbused()).toBe(false);
  }
});

function bytesOf(perSecond: number, burst: number) {
  const bucket = () => new TokenBucket({ perSecond, burst }, 0);
  return { received: bucket(), pages: bucket() };
}

test('what is read of all connections of an address is so many bytes a second, after a burst', () => {
  const bytes = bytesOf(1_000, 250);
  const [first, second] = [new RateLimiter(limits, bytes, 0), new RateLimiter(limits, bytes, 0)];
  expect(first.read(200, 0)).toBe(0);
  expect(second.read(100, 0)).toBe(50);
  expect(first.read(100, 50)).toBe(100);
  expect(second.read(250, 1_000)).toBe(0);
});

test('pages for an address are so many bytes a second, each taken as what it may be until it is known what it was', () => {
  const bytes = bytesOf(1_000, 250);
  const [first, second] = [new RateLimiter(limits, bytes, 0), new RateLimiter(limits, bytes, 0)];
  expect(first.reservePage(500, 0)).toBe(0);
  expect(second.reservePage(500, 0)).toBe(250);
  expect(first.read(250, 0)).toBe(0);
  first.giveBack(400);
  expect(second.reservePage(500, 0)).toBe(0);
  expect(first.reservePage(500, 0)).toBe(350);
  expect(first.reservePage(500, 350)).toBe(0);
});
