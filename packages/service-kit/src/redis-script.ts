import { createHash } from 'node:crypto';
import { ReplyError } from 'ioredis';
import type { Redis } from 'ioredis';

/** A Lua script that Redis runs in one step. It is sent by its SHA-1, and whole only where Redis does not know it yet. */
export class RedisScript {
  readonly #text: string;
  readonly #sha1: string;

  constructor(text: string) {
    this.#text = text;
    this.#sha1 = createHash('sha1').update(text).digest('hex');
  }

  async run(redis: Redis, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha1, keys.length, ...keys, ...values);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return redis.eval(this.#text, keys.length, ...keys, ...values);
    }
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error instanceof ReplyError && error.message.startsWith('NOSCRIPT');
}
