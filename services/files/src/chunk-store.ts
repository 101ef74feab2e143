import { setTimeout as delay } from 'node:timers/promises';
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  ReplayPolicy,
  StorageType,
} from '@nats-io/jetstream';
import type { JetStreamClient, JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import { ParleyError, subjects } from '@parley/protocol';
import type { UploadId } from '@parley/protocol';
import type { Bus, Log } from '@parley/service-kit';

export interface ChunkStoreOptions {
  /** What the stream may take on disk; less where the server has less. */
  maxBytes: number;
  /** How long a chunk is kept, in ms. */
  keepMs: number;
  /** On how many servers of a cluster each chunk is stored before it counts as stored. */
  replicas: number;
  /** Bounds each request to the server. */
  timeoutMs: number;
  log: Log;
}

/** A chunk that should be there and is not. */
export class MissingChunkError extends Error {}

const streamName = 'PARLEY_CHUNKS';

/** Less space than this is no use, in bytes. */
const minStreamBytes = 64 * 2 ** 20;

/** Most bytes of chunks that are read ahead, and the least and most chunks. */
const readAheadBytes = 4 * 2 ** 20;
const minReadAhead = 8;
const maxReadAhead = 128;

/** How many chunks are listed at a time. */
const listPage = 10_000;

/** A consumer that was left behind is removed by the server after this time, in ns. */
const consumerIdleNs = 30e9;

/** https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const serverErrors = {
  noSpaceToReserve: 10_047,
  noSuchStream: 10_059,
  streamFull: 10_077,
} as const;

/**
 * The chunks of unfinished uploads: a JetStream stream on disk, one subject per chunk, of which the last message counts.
 * What was acknowledged outlives the death of any process, ours and the server's.
 */
export class ChunkStore {
  readonly #bus: Bus;
  readonly #options: ChunkStoreOptions;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  #capacityBytes = 0;

  constructor(bus: Bus, manager: JetStreamManager, options: ChunkStoreOptions) {
    this.#bus = bus;
    this.#options = options;
    this.#manager = manager;
    this.#client = jetstream(bus.connection, { timeout: options.timeoutMs });
  }

  /** What the stream may take on disk, in bytes. */
  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  /** Makes the stream, or brings it in line with the options. Where the disk is too small, the stream is made smaller. */
  async prepare(): Promise<void> {
    for (let maxBytes = this.#options.maxBytes; ; maxBytes = Math.floor(maxBytes / 2)) {
      try {
        await this.#makeStream(maxBytes);
        this.#capacityBytes = maxBytes;
        return;
      } catch (err) {
        const isTooBig = isServerError(err, 'noSpaceToReserve') && maxBytes >= 2 * minStreamBytes;
        if (!isTooBig) throw err;
        this.#options.log.warn({ maxBytes }, 'NATS has no room for so many chunks, making do with half');
      }
    }
  }

  async #makeStream(maxBytes: number): Promise<void> {
    const { keepMs, replicas } = this.#options;
    const config = {
      subjects: [subjects.allChunks],
      storage: StorageType.File,
      // A chunk that comes again replaces the former one.
      max_msgs_per_subject: 1,
      // A full stream refuses what is new: it would drop chunks of others otherwise.
      discard: DiscardPolicy.New,
      max_bytes: maxBytes,
      max_age: keepMs * 1e6,
      num_replicas: replicas,
    } satisfies Partial<StreamConfig>;
    try {
      // Where there is one, to add it may be refused for want of the space that it has itself.
      await this.#manager.streams.update(streamName, config);
    } catch (err) {
      if (!isServerError(err, 'noSuchStream')) throw err;
      await this.#manager.streams.add({ name: streamName, ...config });
    }
  }

  /** @throws unless JetStream answers and has the stream. */
  async ping(): Promise<void> {
    await this.#manager.streams.info(streamName);
  }

  /**
   * Stores a chunk; resolves once it is safe.
   * @param deadline In ms since 1970.
   * @throws ParleyError `rate_limited` where there is no space, `unavailable`: the chunk may be stored or not.
   */
  async put(uploadId: UploadId, sequence: number, bytes: Uint8Array, deadline: number): Promise<void> {
    const timeout = deadline - Date.now();
    if (timeout <= 0) throw new ParleyError('unavailable');
    try {
      await this.#client.publish(subjects.chunk(uploadId, sequence), bytes, { timeout });
    } catch (cause) {
      const isFull = isServerError(cause, 'streamFull') || isServerError(cause, 'noSpaceToReserve');
      if (!isFull) throw new ParleyError('unavailable', {}, { cause });
      const message = 'There is no space for more unfinished uploads; try again later.';
      throw new ParleyError('rate_limited', {}, { message, cause });
    }
  }

  /**
   * The chunks in the order of their numbers, some of them read ahead.
   * @throws MissingChunkError, ParleyError `unavailable`.
   */
  async *read(uploadId: UploadId, first: number, count: number): AsyncGenerator<Uint8Array> {
    const ahead: Promise<Uint8Array>[] = [];
    let largest = 0;
    let next = first;
    for (let yielded = 0; yielded < count; yielded += 1) {
      // Until the first chunk came nothing is known of their sizes.
      const fitting = Math.floor(readAheadBytes / (largest || Infinity));
      const width = Math.min(Math.max(fitting, minReadAhead), maxReadAhead);
      while (ahead.length < width && next < first + count) {
        const chunk = this.#get(uploadId, next);
        // Its failure is met when its turn comes; one that is never waited for must not end the process.
        chunk.catch(() => {});
        ahead.push(chunk);
        next += 1;
      }
      const chunk = await ahead.shift()!;
      largest = Math.max(largest, chunk.length);
      yield chunk;
    }
  }

  /**
   * Asks the stream's leader: a direct get would be answered by any replica, also by one that does not know the last
   * version of a chunk yet.
   */
  async #get(uploadId: UploadId, sequence: number): Promise<Uint8Array> {
    const question = JSON.stringify({ last_by_subj: subjects.chunk(uploadId, sequence) });
    const { timeoutMs: timeout } = this.#options;
    let answer: StoredMessage;
    try {
      const message = await this.#bus.connection.request(`$JS.API.STREAM.MSG.GET.${streamName}`, question, {
        timeout,
      });
      answer = message.json<StoredMessage>();
    } catch (cause) {
      throw new ParleyError('unavailable', {}, { cause });
    }
    if (answer.error?.code === 404) throw new MissingChunkError(`chunk ${sequence}`);
    if (answer.error || !answer.message) throw new ParleyError('unavailable', {}, { cause: answer.error });
    return Buffer.from(answer.message.data ?? '', 'base64');
  }

  /** How many chunks of the upload are stored. @throws ParleyError `unavailable` */
  async count(uploadId: UploadId): Promise<number> {
    return this.#withConsumer(uploadId, ({ pending }) => Promise.resolve(pending));
  }

  /**
   * Tells the number of each stored chunk, in no particular order. Reading a million takes seconds.
   * @param deadline What has not been told by then is left out, in ms since 1970.
   * @throws ParleyError `unavailable`
   */
  async list(uploadId: UploadId, deadline: number, tell: (sequence: number) => void): Promise<void> {
    await this.#withConsumer(uploadId, async ({ name, pending }) => {
      const consumer = await this.#client.consumers.get(streamName, name);
      for (let left = pending; left > 0 && Date.now() < deadline;) {
        const wanted = Math.min(left, listPage);
        const page = await consumer.fetch({ max_messages: wanted, expires: this.#options.timeoutMs });
        let came = 0;
        for await (const { subject } of page) {
          tell(Number(subject.slice(subject.lastIndexOf('.') + 1)));
          came += 1;
        }
        // A page falls short where some were removed meanwhile, and where the server took longer: it knows which.
        left = came < wanted ? (await consumer.info()).num_pending : left - came;
      }
    });
  }

  async #withConsumer<Result>(
    uploadId: UploadId,
    work: (consumer: { name: string; pending: number }) => Promise<Result>,
  ): Promise<Result> {
    try {
      const { name, num_pending: pending } = await this.#manager.consumers.add(streamName, {
        filter_subject: subjects.chunksOf(uploadId),
        deliver_policy: DeliverPolicy.All,
        replay_policy: ReplayPolicy.Instant,
        ack_policy: AckPolicy.None,
        headers_only: true,
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: consumerIdleNs,
      });
      const result = await work({ name, pending });
      await this.#manager.consumers.delete(streamName, name);
      return result;
    } catch (cause) {
      throw new ParleyError('unavailable', {}, { cause });
    }
  }

  /** Removes all chunks of the upload. @throws ParleyError `unavailable` */
  async purge(uploadId: UploadId): Promise<void> {
    try {
      await this.#manager.streams.purge(streamName, { filter: subjects.chunksOf(uploadId) });
    } catch (cause) {
      throw new ParleyError('unavailable', {}, { cause });
    }
  }
}

/** Opens the store, waiting for JetStream if need be. */
export async function openChunkStore(bus: Bus, options: ChunkStoreOptions): Promise<ChunkStore> {
  const { timeoutMs: timeout, log } = options;
  // Without the check it does not ask the server yet, so that what follows can wait for it.
  const manager = await jetstreamManager(bus.connection, { timeout, checkAPI: false });
  const store = new ChunkStore(bus, manager, options);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await store.prepare();
      break;
    } catch (err) {
      log.warn({ err, attempt }, 'JetStream is not ready, waiting; NATS has to run with JetStream');
      await delay(Math.min(500 * attempt, 5_000));
    }
  }
  // A server that lost its data comes back without the stream.
  bus.onReconnect(() => {
    store.prepare().catch((err: unknown) => {
      log.error({ err }, 'the stream of chunks could not be made again');
    });
  });
  return store;
}

/** The answer of `$JS.API.STREAM.MSG.GET`. */
interface StoredMessage {
  message?: { data?: string };
  error?: { code: number; description: string };
}

function isServerError(error: unknown, name: keyof typeof serverErrors): boolean {
  return error instanceof JetStreamApiError && error.code === serverErrors[name];
}
