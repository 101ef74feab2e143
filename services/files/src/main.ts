import { subjects } from '@parley/protocol';
import type { RoomChanged } from '@parley/protocol';
import { openDatabase, runService } from '@parley/service-kit';
import type { ConfigOf, Log } from '@parley/service-kit';
import { createAccess } from './access.ts';
import { createAnnouncements } from './announcements.ts';
import { Assembly } from './assembly.ts';
import type { ByteStore } from './byte-store.ts';
import { openChunkStore } from './chunk-store.ts';
import { createFileStore } from './file-store.ts';
import { createFiles } from './files.ts';
import { openFolderStore } from './folder-store.ts';
import { filesService } from './service.ts';
import { settings } from './settings.ts';
import { startSweeper } from './sweeper.ts';
import { createUploadStore } from './upload-store.ts';
import { createUploads } from './uploads.ts';

/** Most unfinished uploads of one user. */
const maxUploadsOfUser = 100;

await runService('files', settings, async ({ config, log, bus, health, closing }) => {
  const { databaseUrl, databaseOwnerUrl, requestTimeoutMs: timeoutMs } = config;
  // One is the sweeper's for its lock, while it uses another.
  const connections = Math.max(config.databaseConnections, 2);
  const migrations = new URL('migrations/', import.meta.url);
  const database = closing.use(
    await openDatabase({ databaseUrl, databaseOwnerUrl, connections, timeoutMs, log }, 'files', migrations),
  );
  const chunks = await openChunkStore(bus, {
    // Beside what uploads reserve: chunks of finished ones that are about to be removed.
    maxBytes: config.maxUnfinishedBytes + config.maxUnfinishedBytes / 8,
    keepMs: config.uploadKeepMs,
    replicas: config.chunkReplicas,
    timeoutMs,
    log,
  });
  const bytes = closing.use(await openByteStore(config, timeoutMs, log));
  health.require('postgres', () => database.ping());
  health.require('jetstream', () => chunks.ping());
  health.require('files', () => bytes.ping());

  const uploadStore = createUploadStore(database);
  const fileStore = createFileStore(database);
  const access = createAccess(bus);
  const announcements = createAnnouncements({ store: fileStore, bus, log, timeoutMs });
  const shared = { uploads: uploadStore, files: fileStore, chunks, bytes, announcements, log };
  const assembly = closing.use(new Assembly({ ...shared, timeoutMs: config.assemblyTimeoutMs }));
  const uploads = createUploads({
    store: uploadStore,
    chunks,
    assembly,
    access,
    maxFileBytes: config.maxFileBytes,
    quotas: () => ({
      bytesOfAll: Math.min(config.maxUnfinishedBytes, Math.floor((chunks.capacityBytes * 8) / 9)),
      bytesOfUser: config.maxUnfinishedBytesPerUser,
      uploadsOfUser: maxUploadsOfUser,
    }),
  });
  const files = createFiles({ store: fileStore, bytes, access, log });

  bus.subscribe(subjects.allRoomChanges, (event) => {
    const { change } = event as RoomChanged;
    if (change.type === 'room-deleted') void files.removeRoom(change.roomId);
  });
  closing.use(
    startSweeper({
      ...shared,
      bus,
      everyMs: config.sweepEveryMs,
      keepUploadsMs: config.uploadKeepMs,
      keepBytesMs: Math.max(config.uploadKeepMs, config.assemblyTimeoutMs),
      timeoutMs,
    }),
  );
  closing.use(await bus.serve('files', filesService({ uploads, files })));
});

async function openByteStore(
  config: ConfigOf<typeof settings>,
  timeoutMs: number,
  log: Log,
): Promise<ByteStore> {
  const { s3Endpoint: endpoint, s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = config;
  if (endpoint === undefined) return openFolderStore(config.filesDir);
  // Only where it is needed: the SDK takes its share of memory and of the time to start.
  const { openS3Store } = await import('./s3-store.ts');
  const credentials = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined;
  return openS3Store({
    endpoint,
    bucket: config.s3Bucket,
    region: config.s3Region,
    credentials,
    timeoutMs,
    log,
  });
}
