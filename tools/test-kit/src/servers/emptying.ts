import { createLog, openBus, openRedis } from '@parley/service-kit';

const log = createLog('test', 'silent');
const timeoutMs = 20_000;

/** The streams on the bus: uploaded chunks are all that outlives a Parley there. */
export async function listStreams(natsUrl: string): Promise<string[]> {
  return onBus(natsUrl, async (ask) => (await ask<{ streams: string[] | null }>('NAMES')).streams ?? []);
}

export async function emptyBus(natsUrl: string): Promise<void> {
  const streams = await listStreams(natsUrl);
  await onBus(natsUrl, (ask) => Promise.all(streams.map((stream) => ask(`DELETE.${stream}`))));
}

/** Whether there is anything in any of its databases. */
export async function isRedisEmpty(redisUrl: string): Promise<boolean> {
  await using redis = await openRedis({ redisUrl, timeoutMs, log });
  return await redis.run(async (commands) => !(await commands.info('keyspace')).includes('keys='));
}

export async function emptyRedis(redisUrl: string): Promise<void> {
  await using redis = await openRedis({ redisUrl, timeoutMs, log });
  await redis.run((commands) => commands.flushall());
}

async function onBus<Result>(
  natsUrl: string,
  work: (ask: <Answer>(subject: string) => Promise<Answer>) => Promise<Result>,
): Promise<Result> {
  await using bus = await openBus({ natsUrl, name: 'parley-test', requestTimeoutMs: timeoutMs, log });
  return await work(async (subject) =>
    (await bus.connection.request(`$JS.API.STREAM.${subject}`, '', { timeout: timeoutMs })).json(),
  );
}
