import { createHash, randomBytes } from 'node:crypto';
import type { UserId } from '@parley/protocol';

/** 256 random bits, as `createGuestKey` makes them. */
const keyPattern = /^[\w-]{43}$/;
/** Of the key's hash: 96 bits, as all our ids have. */
const idDigits = 24;

/** A new key: whoever has it is the guest that is made of it. */
export function createGuestKey(): string {
  return randomBytes(32).toString('base64url');
}

/** The guest of that key, always the same; undefined where it can't be a key. */
export function guestIdOf(key: string): UserId | undefined {
  if (!keyPattern.test(key)) return undefined;
  return `guest_${createHash('sha256').update(key).digest('hex').slice(0, idDigits)}` as UserId;
}
