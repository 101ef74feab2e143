import { hash, verify } from '@node-rs/argon2';

/*
 * argon2id (the library's default), by OWASP's first recommendation for it (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane. The
 * library computes on libuv's threads, off the event loop.
 */
const options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** @returns The hash in PHC string format. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, options);
}

/** What is tried against when there is no such account, so that the answer takes the same time. */
const nobodysHash = hashPassword(crypto.randomUUID());

/** @param passwordHash Undefined for an unknown user: as much work, and never right. */
export async function isPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  const right = await verify(passwordHash ?? (await nobodysHash), password);
  return right && passwordHash !== undefined;
}
