import { setTimeout as delay } from 'node:timers/promises';
import { ParleyError } from '@parley/protocol';
import { Redis, ReplyError } from 'ioredis';
import type { Log } from './log.ts';
import { redisMetrics } from './redis-metrics.ts';
import type { RedisScript } from './redis-script.ts';

export interface RedisOptions {
  redisUrl: string;
  /** Bounds the wait for each command. */
  timeoutMs: number;
  log: Log;
}

/** A server that is just restarted may answer nothing at all: the next attempt finds it. In ms. */
const connectTimeoutMs = 1_000;

/** Redis with our failure manners: away means `unavailable` at once, and reconnecting goes on for ever. */
export class RedisStore implements AsyncDisposable {
  readonly #redis: Redis;
  readonly #watched: Disposable;
  #closing: Promise<void> | undefined;

  constructor({ redisUrl, timeoutMs, log }: RedisOptions) {
    this.#redis = new Redis(redisUrl, {
      commandTimeout: timeoutMs,
      connectTimeout: Math.min(timeoutMs, connectTimeoutMs),
      // A command that was under way when the connection broke may have been done: its caller decides, not the driver.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      // The commands of one turn of the event loop go out in one write.
      enableAutoPipelining: true,
      retryStrategy: (attempt) => Math.min(100 * attempt, 2_000) * (0.5 + Math.random() / 2),
    });
    this.#redis.on('error', (err: Error) => {
      log.warn({ err }, 'redis connection failed');
    });
    this.#watched = redisMetrics().connected.from(() => (this.#redis.status === 'ready' ? 1 : 0));
  }

  /** Runs commands. @throws ParleyError `unavailable` when Redis is away, too slow or not ready. */
  async run<Result>(commands: (redis: Redis) => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    try {
      return await commands(this.#redis);
    } catch (cause) {
      if (isObjection(cause)) throw cause;
      throw new ParleyError('unavailable', {}, { cause });
    } finally {
      redisMetrics().seconds.observe((performance.now() - startedAt) / 1_000);
    }
  }

  /** Resolves when the connection is there; there is no telling when that will be. */
  async connected(): Promise<void> {
    if (this.#redis.status !== 'ready')
      await new Promise<void>((resolve) => this.#redis.once('ready', resolve));
  }

  /** Runs a script; what it answers is of the type that the caller knows it to be. @throws ParleyError as `run`. */
  async runScript<Reply>(
    script: RedisScript,
    keys: readonly string[],
    values: readonly (string | number)[],
  ): Promise<Reply> {
    return (await this.run((redis) => script.run(redis, keys, values))) as Reply;
  }

  async ping(): Promise<void> {
    await this.run((redis) => redis.ping());
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#redis
      .quit()
      .catch(() => {
        this.#redis.disconnect();
      })
      .then(() => {
        this.#watched[Symbol.dispose]();
      });
    return this.#closing;
  }
}

/** Opens Redis, waiting for it if need be. */
export async function openRedis(options: RedisOptions): Promise<RedisStore> {
  const store = new RedisStore(options);
  for (let attempt = 1; ; attempt += 1) {
    await Promise.race([store.connected(), delay(Math.min(100 * attempt, 2_000))]);
    try {
      await store.ping();
      return store;
    } catch {
      // The store's own listener tells why.
    }
  }
}

/** Whether Redis understood and refused: a bug of ours, unlike its passing states. */
function isObjection(cause: unknown): boolean {
  if (!(cause instanceof Error) || !(cause instanceof ReplyError)) return false;
  return !/^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|OOM|BUSY)/.test(cause.message);
}
