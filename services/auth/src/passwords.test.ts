import { expect, test } from '@jest/globals';
import { hashPassword, isPassword } from './passwords.ts';

test('a password is right for its own hash only, and its hash is never the same twice', async () => {
  const [hash, again] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
  expect(hash).not.toBe(again);
  expect(await isPassword(hash, 'correct horse')).toBe(true);
  expect(await isPassword(again, 'correct horse')).toBe(true);
  expect(await isPassword(hash, 'correct horsf')).toBe(false);
});

test('hashes are argon2id with 19 MiB, 2 passes and 1 lane, in PHC format', async () => {
  expect(await hashPassword('correct horse')).toMatch(
    /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22,}\$[\w+/]{43}$/,
  );
});

test('all of a password counts, up to its last character', async () => {
  const long = '\u{1F600}'.repeat(255);
  const hash = await hashPassword(`${long}a`);
  expect(await isPassword(hash, `${long}b`)).toBe(false);
  expect(await isPassword(hash, `${long}a`)).toBe(true);
});

test('for an unknown user no password is right, after the same work', async () => {
  const hash = await hashPassword('correct horse');
  expect(await isPassword(undefined, 'correct horse')).toBe(false);
  const known = await workOf(() => isPassword(hash, 'wrong horse'));
  const unknown = await workOf(() => isPassword(undefined, 'wrong horse'));
  expect(unknown).toBeGreaterThan(known / 3);
  expect(unknown).toBeLessThan(known * 3);
});

/** The processor time of several runs on all threads, in µs: the same whatever else the machine does. */
async function workOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let round = 0; round < 10; round += 1) await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
