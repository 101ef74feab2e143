import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLog } from '@parley/service-kit';
import { dockerObstacle, images, prepareTestcontainers, startParley } from '@parley/test-kit';
import { GenericContainer, Wait } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';
import type { ByteStore } from './byte-store.ts';
import { openFolderStore } from './folder-store.ts';
import { openS3Store } from './s3-store.ts';
import { chunksOf, clientOf, sha256, someone } from './testing.ts';

const mebibyte = 2 ** 20;
const key = { accessKeyId: 'parley', secretAccessKey: 'parley-secret' };
const run = promisify(execFile);

const obstacle = await dockerObstacle([images.minio]);

describe('file bytes in a folder', () => {
  const opened = new AsyncDisposableStack();
  afterAll(() => opened.disposeAsync());

  byteStoreSuite(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-bytes-'));
    opened.defer(() => rm(folder, { recursive: true, force: true }));
    return opened.use(await openFolderStore(folder));
  });
});

if (obstacle !== undefined) {
  test.skip(`file bytes in S3: skipped, because ${obstacle}`, () => {});
} else {
  describe('file bytes in S3', () => {
    const opened = new AsyncDisposableStack();
    let server: StartedTestContainer;
    let endpoint: string;
    let store: ByteStore;

    beforeAll(async () => {
      prepareTestcontainers();
      server = await new GenericContainer(images.minio)
        .withCommand(['server', '/data'])
        .withEnvironment({ MINIO_ROOT_USER: key.accessKeyId, MINIO_ROOT_PASSWORD: key.secretAccessKey })
        .withExposedPorts(9_000)
        .withWaitStrategy(Wait.forHttp('/minio/health/ready', 9_000))
        .start();
      opened.defer(async () => {
        await server.stop();
      });
      endpoint = `http://${server.getHost()}:${server.getMappedPort(9_000)}`;
      store = opened.use(await openStore('made-by-the-store'));
    });
    afterAll(() => opened.disposeAsync());

    function openStore(bucket: string): Promise<ByteStore> {
      const log = createLog('test', 'silent');
      return openS3Store({ endpoint, bucket, region: 'us-east-1', credentials: key, timeoutMs: 2_000, log });
    }

    byteStoreSuite(() => Promise.resolve(store));

    test('a bucket that is there is used as it is', async () => {
      const objectId = newId();
      await store.write(objectId, sourceOf([Buffer.from('here')]), never);
      await using other = await openStore('made-by-the-store');
      expect(Buffer.from(await other.read(objectId, 0, 10, never)).toString()).toBe('here');
    });

    test('parts of a write whose process died are removed, also by several at once', async () => {
      const client = new S3Client({ endpoint, region: 'us-east-1', credentials: key, forcePathStyle: true });
      const objectId = newId();
      const at = { Bucket: 'made-by-the-store', Key: `files/${objectId}` };
      await client.send(new CreateMultipartUploadCommand(at));
      const list = new ListMultipartUploadsCommand({ Bucket: at.Bucket, Prefix: at.Key });
      expect((await client.send(list)).Uploads).toHaveLength(1);
      await Promise.all(Array.from({ length: 5 }, () => store.remove(objectId)));
      expect((await client.send(list)).Uploads ?? []).toEqual([]);
      client.destroy();
    });

    test('through the service; a server that stalls is unavailable in time, and nothing is lost', async () => {
      const environment = {
        S3_ENDPOINT: endpoint,
        S3_BUCKET: 'through-the-service',
        AWS_ACCESS_KEY_ID: key.accessKeyId,
        AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
        ASSEMBLY_TIMEOUT_MS: '3000',
      };
      await using parley = await startParley({ gateways: 0, environment });
      const client = clientOf(parley);
      const anna = someone('anna');
      const roomId = await client.openRoom(anna);
      const chunks = chunksOf(20 * mebibyte, 65_536);
      const { uploadId } = await client.begin(anna, roomId, { name: 'stalled', chunks });
      await client.putAll(anna, uploadId, chunks);

      await run('docker', ['pause', server.getId()]);
      try {
        const finishing = client.finish(anna, roomId, 'stalled', chunks.length);
        await expect(finishing).rejects.toMatchObject({ code: 'unavailable' });
      } finally {
        await run('docker', ['unpause', server.getId()]);
      }
      const file = await client.finish(anna, roomId, 'stalled', chunks.length);
      expect(file.sha256).toBe(sha256(chunks));
      expect(sha256([await client.download(anna, roomId, 'stalled')])).toBe(file.sha256);

      const { objectId } = await client.open(anna, roomId, 'stalled');
      await run('docker', ['pause', server.getId()]);
      try {
        await expect(client.read(objectId, 0, 100)).rejects.toMatchObject({ code: 'unavailable' });
      } finally {
        await run('docker', ['unpause', server.getId()]);
      }
    });
  });
}

const never = new AbortController().signal;

function newId(): string {
  return randomBytes(12).toString('hex');
}

async function* sourceOf(chunks: readonly Uint8Array[], fails?: Error): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
  if (fails) throw fails;
}

/** What holds for every store. */
function byteStoreSuite(open: () => Promise<ByteStore>): void {
  let store: ByteStore;

  beforeAll(async () => {
    store = await open();
  });

  async function readAll(objectId: string, bytes: number): Promise<string> {
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < bytes; offset += mebibyte)
      parts.push(await store.read(objectId, offset, mebibyte, never));
    return sha256(parts);
  }

  test.each<[what: string, bytes: number, chunkBytes: number]>([
    ['nothing', 0, 1],
    ['one byte', 1, 1],
    ['less than one part of S3', 3 * mebibyte + 7, 65_536],
    ['one part of S3 exactly', 8 * mebibyte, 65_536],
    ['one byte more than a part', 8 * mebibyte + 1, 65_536],
    ['many parts', 45 * mebibyte + 13, 500_000],
    ['many small chunks', 300_000, 100],
  ])('%s comes back as it was written', async (_what, bytes, chunkBytes) => {
    const chunks = chunksOf(bytes, chunkBytes);
    const objectId = newId();
    await store.write(objectId, sourceOf(chunks), never);
    expect(await readAll(objectId, bytes)).toBe(sha256(chunks));
  });

  test('a range is read, and nothing behind the end', async () => {
    const chunks = chunksOf(100_000, 1_000);
    const bytes = Buffer.concat(chunks);
    const objectId = newId();
    await store.write(objectId, sourceOf(chunks), never);
    const read = async (offset: number, length: number) =>
      Buffer.from(await store.read(objectId, offset, length, never));
    expect(await read(0, 1)).toEqual(bytes.subarray(0, 1));
    expect(await read(12_345, 54_321)).toEqual(bytes.subarray(12_345, 66_666));
    expect(await read(99_990, 1_000)).toEqual(bytes.subarray(99_990));
    expect(await read(100_000, 1_000)).toHaveLength(0);
    expect(await read(10_000_000, 1_000)).toHaveLength(0);
  });

  test('what is not there is not found, and can be removed', async () => {
    const objectId = newId();
    await expect(store.read(objectId, 0, 1, never)).rejects.toMatchObject({ code: 'file_not_found' });
    await store.remove(objectId);
  });

  test('what is removed is not found any more; others stay', async () => {
    const [gone, other] = [newId(), newId()];
    for (const objectId of [gone, other]) await store.write(objectId, sourceOf([Buffer.from('here')]), never);
    await store.remove(gone);
    await expect(store.read(gone, 0, 4, never)).rejects.toMatchObject({ code: 'file_not_found' });
    expect(Buffer.from(await store.read(other, 0, 4, never)).toString()).toBe('here');
  });

  test.each<[what: string, bytes: number]>([
    ['at its beginning', 0],
    ['within the first part', mebibyte],
    ['after some parts', 30 * mebibyte],
  ])('a source that fails %s leaves nothing', async (_what, bytes) => {
    const objectId = newId();
    const failure = new Error('the source failed');
    const source = sourceOf(chunksOf(bytes, mebibyte), failure);
    await expect(store.write(objectId, source, never)).rejects.toBe(failure);
    await expect(store.read(objectId, 0, 1, never)).rejects.toMatchObject({ code: 'file_not_found' });
    await store.remove(objectId);
    await store.write(objectId, sourceOf([Buffer.from('here')]), never);
    expect(Buffer.from(await store.read(objectId, 0, 4, never)).toString()).toBe('here');
  });

  test('a write that is given up ends as unavailable, and nothing can be read of it', async () => {
    const objectId = newId();
    const giveUp = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let chunk = 0; chunk < 1_000; chunk += 1) {
        if (chunk === 20) giveUp.abort();
        yield await Promise.resolve(Buffer.alloc(mebibyte));
      }
    }
    const written = store.write(objectId, endless(), giveUp.signal);
    await expect(written).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.read(objectId, 0, 1, never)).rejects.toMatchObject({ code: 'file_not_found' });
  });

  test('it answers when it is asked whether it can be reached', async () => {
    await expect(store.ping()).resolves.toBeUndefined();
  });
}
