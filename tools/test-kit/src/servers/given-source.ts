import type { ServerAddresses } from '@parley/local-stack';
import { isRedisEmpty, listStreams } from './emptying.ts';
import type { ServerSource } from './server-set.ts';

/**
 * The servers at these addresses, for one Parley at a time: on one bus there can't be two. Tests empty NATS and Redis, and make
 * databases of their own.
 * @throws Error where there is something in NATS or Redis that may be somebody's.
 */
export async function givenSource(addresses: ServerAddresses): Promise<ServerSource> {
  if (!(await isRedisEmpty(addresses.redisUrl)))
    throw new Error('REDIS_URL: there are keys in it; the tests need a Redis that they may empty.');
  if ((await listStreams(addresses.natsUrl)).length > 0)
    throw new Error('NATS_URL: there are streams on it; the tests need a NATS that they may empty.');
  let isTaken = false;
  return {
    take() {
      if (isTaken) return Promise.resolve(undefined);
      isTaken = true;
      // S3_ENDPOINT and the like are in the environment of the services already.
      return Promise.resolve({ addresses, s3: {} });
    },
    giveBack() {
      isTaken = false;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
