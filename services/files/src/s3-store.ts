import { addAbortSignal, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  BucketAlreadyExists,
  BucketAlreadyOwnedByYou,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { BucketLocationConstraint, CompletedPart } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ParleyError } from '@parley/protocol';
import type { Log } from '@parley/service-kit';
import { blocksOf } from './blocks.ts';
import type { ByteStore } from './byte-store.ts';

export interface S3Options {
  endpoint: string;
  bucket: string;
  region: string;
  /** Without it the SDK looks for a key or role in its usual places. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  /** Bounds how long the server may be silent, and each small request, in ms. */
  timeoutMs: number;
  log: Log;
}

/** What one request carries at most, in bytes. S3 takes 10,000 parts, each but the last of at least 5 MiB. */
const partBytes = 8 * 2 ** 20;
const maxPartsInFlight = 3;

/** Bounds a request that carries a part, and one for which the server puts parts together, in ms. */
const partMs = 30_000;
const completeMs = 60_000;

/** Region names that S3 wants to hear when a bucket is made; it is an error to name this one. */
const unnamedRegion = 'us-east-1';

/** An S3 server's bucket, of whichever make. @returns once the bucket is there, waiting for the server if need be. */
export async function openS3Store(options: S3Options): Promise<ByteStore> {
  const store = new S3Store(options);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await store.makeBucket();
      return store;
    } catch (err) {
      options.log.warn({ err, attempt, bucket: options.bucket }, 'S3 is not ready, waiting');
      await delay(Math.min(500 * attempt, 5_000));
    }
  }
}

class S3Store implements ByteStore {
  readonly #options: S3Options;
  readonly #client: S3Client;

  constructor(options: S3Options) {
    const { endpoint, region, credentials, timeoutMs } = options;
    this.#options = options;
    this.#client = new S3Client({
      endpoint,
      region,
      ...(credentials && { credentials }),
      forcePathStyle: true,
      // Not every server knows the newer checksums; the content is checked end to end by its SHA-256.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: new NodeHttpHandler({ connectionTimeout: timeoutMs, socketTimeout: timeoutMs }),
    });
  }

  async makeBucket(): Promise<void> {
    const { bucket: Bucket, region } = this.#options;
    try {
      await this.ping();
    } catch (error) {
      if (!(error instanceof S3ServiceException) || error.$metadata.httpStatusCode !== 404) throw error;
      const constraint = { LocationConstraint: region as BucketLocationConstraint };
      await this.#client
        .send(
          new CreateBucketCommand({
            Bucket,
            ...(region !== unnamedRegion && { CreateBucketConfiguration: constraint }),
          }),
          this.#within(this.#options.timeoutMs),
        )
        .catch(unlessMadeMeanwhile);
    }
  }

  async ping(): Promise<void> {
    const { bucket: Bucket, timeoutMs } = this.#options;
    await this.#client.send(new HeadBucketCommand({ Bucket }), this.#within(timeoutMs));
  }

  async write(objectId: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const blocks = blocksOf(source, partBytes);
    const first = await blocks.next();
    const second = first.done ? first : await blocks.next();
    if (second.done) {
      const Body = first.done ? new Uint8Array(0) : first.value;
      const put = new PutObjectCommand({ ...this.#at(objectId), Body });
      await reached(this.#client.send(put, this.#within(partMs, signal)));
      return;
    }
    await this.#writeParts(objectId, chained([first.value!, second.value], blocks), signal);
  }

  async #writeParts(objectId: string, blocks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    const { timeoutMs } = this.#options;
    const create = new CreateMultipartUploadCommand(this.#at(objectId));
    const { UploadId = '' } = await reached(this.#client.send(create, this.#within(timeoutMs, signal)));
    const sent: Promise<CompletedPart>[] = [];
    try {
      for await (const block of blocks) {
        const part = this.#sendPart(objectId, UploadId, sent.length + 1, block, signal);
        // Its failure is met below; until then it must not end the process.
        part.catch(() => {});
        sent.push(part);
        await sent[sent.length - maxPartsInFlight];
      }
      const Parts = await Promise.all(sent);
      const complete = new CompleteMultipartUploadCommand({
        ...this.#at(objectId),
        UploadId,
        MultipartUpload: { Parts },
      });
      await reached(this.#client.send(complete, this.#within(completeMs, signal)));
    } catch (error) {
      await Promise.allSettled(sent);
      this.#abort(objectId, UploadId).catch(() => {}); // not waited for; `remove` finds it, too
      throw error;
    }
  }

  async #sendPart(
    objectId: string,
    UploadId: string,
    PartNumber: number,
    Body: Uint8Array,
    signal: AbortSignal,
  ): Promise<CompletedPart> {
    const part = new UploadPartCommand({ ...this.#at(objectId), UploadId, PartNumber, Body });
    const { ETag } = await reached(this.#client.send(part, this.#within(partMs, signal)));
    return { PartNumber, ETag };
  }

  async #abort(objectId: string, UploadId: string): Promise<void> {
    const abort = new AbortMultipartUploadCommand({ ...this.#at(objectId), UploadId });
    await this.#client.send(abort, this.#within(this.#options.timeoutMs)).catch(unlessEndedMeanwhile);
  }

  async read(
    objectId: string,
    offset: number,
    length: number,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const Range = `bytes=${offset}-${offset + length - 1}`;
    try {
      const get = new GetObjectCommand({ ...this.#at(objectId), Range });
      const { Body } = await this.#client.send(get, { abortSignal: signal });
      if (!(Body instanceof Readable)) throw new Error('the answer has no body');
      // A server may fall silent in the middle of the body, too.
      return await buffer(addAbortSignal(signal, Body));
    } catch (cause) {
      const status = cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined;
      if (status === 416) return new Uint8Array(0);
      throw new ParleyError(status === 404 ? 'file_not_found' : 'unavailable', {}, { cause });
    }
  }

  async remove(objectId: string): Promise<void> {
    const { bucket: Bucket, timeoutMs } = this.#options;
    await reached(this.#client.send(new DeleteObjectCommand(this.#at(objectId)), this.#within(timeoutMs)));
    const list = new ListMultipartUploadsCommand({ Bucket, Prefix: keyOf(objectId) });
    const { Uploads = [] } = await reached(this.#client.send(list, this.#within(timeoutMs)));
    for (const { UploadId = '' } of Uploads) await reached(this.#abort(objectId, UploadId));
  }

  #at(objectId: string): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: keyOf(objectId) };
  }

  #within(ms: number, signal?: AbortSignal): { abortSignal: AbortSignal } {
    const timeout = AbortSignal.timeout(ms);
    return { abortSignal: signal ? AbortSignal.any([signal, timeout]) : timeout };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }
}

function keyOf(objectId: string): string {
  return `files/${objectId}`;
}

async function* chained(
  first: readonly Uint8Array[],
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* first;
  yield* rest;
}

/** Several instances may start at once. */
function unlessMadeMeanwhile(error: unknown): void {
  if (!(error instanceof BucketAlreadyOwnedByYou || error instanceof BucketAlreadyExists)) throw error;
}

/** A failed write and `remove` may end it at once; the later one is told NoSuchUpload, or NoSuchKey, as the server has it. */
function unlessEndedMeanwhile(error: unknown): void {
  if (!(error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404)) throw error;
}

async function reached<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    throw new ParleyError('unavailable', {}, { cause });
  }
}
