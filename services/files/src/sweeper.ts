import { findExistingRooms } from '@parley/protocol';
import type { RoomId } from '@parley/protocol';
import { createContext } from '@parley/service-kit';
import type { Bus, Log } from '@parley/service-kit';
import type { Announcements } from './announcements.ts';
import type { ByteStore } from './byte-store.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { FileStore } from './file-store.ts';
import type { UploadStore } from './upload-store.ts';

export interface SweeperParts {
  uploads: Pick<UploadStore, 'removeOlderThan' | 'listStale' | 'forgetStale'>;
  files: Pick<FileStore, 'alone' | 'listUnlisted' | 'removeObject' | 'removeRoom' | 'listRoomIds'>;
  chunks: Pick<ChunkStore, 'purge'>;
  bytes: Pick<ByteStore, 'remove'>;
  announcements: Pick<Announcements, 'tellAll'>;
  bus: Pick<Bus, 'call'>;
  log: Log;
  everyMs: number;
  /** How long unfinished uploads are kept. */
  keepUploadsMs: number;
  /** How long bytes that no file has are kept: longer than it takes to put a file together. */
  keepBytesMs: number;
  /** Bounds each request. */
  timeoutMs: number;
}

/** Most of a kind that one sweep takes on. */
const most = 1_000;

/** How often it is asked which rooms are no more, in ms: their deletion is told as well, this is for what was missed. */
const roomsEveryMs = 600_000;

/**
 * Does what was left undone, by whichever instance died or could not reach what it needed: announces files, removes
 * chunks, bytes, old uploads, and what belonged to rooms that are no more. Runs until it is closed, in one instance at
 * a time.
 */
export function startSweeper(parts: SweeperParts): AsyncDisposable {
  const { files, log, everyMs } = parts;
  let roomsAskedAt = -Infinity;
  let sweeping: Promise<void> | undefined;

  const chores: Record<string, () => Promise<void>> = {
    announcements: () => parts.announcements.tellAll(),
    'old uploads': () => parts.uploads.removeOlderThan(parts.keepUploadsMs),
    'chunks of no use': () => removeStaleChunks(parts),
    'unlisted bytes': () => removeUnlisted(parts),
    'deleted rooms': askForRooms,
  };

  async function sweep(): Promise<void> {
    await files.alone(async () => {
      for (const [chore, work] of Object.entries(chores)) {
        await work().catch((err: unknown) => {
          log.warn({ err, chore }, 'sweep could not do all, trying again');
        });
      }
    });
  }

  async function askForRooms(): Promise<void> {
    if (performance.now() - roomsAskedAt < roomsEveryMs) return;
    await removeGoneRooms(parts);
    roomsAskedAt = performance.now();
  }

  const timer = setInterval(() => {
    sweeping ??= sweep()
      .catch((err: unknown) => {
        log.warn({ err }, 'sweep was not possible, trying again');
      })
      .finally(() => {
        sweeping = undefined;
      });
  }, everyMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await sweeping;
    },
  };
}

async function removeStaleChunks({ uploads, chunks }: SweeperParts): Promise<void> {
  for (const uploadId of await uploads.listStale(most)) {
    await chunks.purge(uploadId);
    await uploads.forgetStale(uploadId);
  }
}

async function removeUnlisted({ files, bytes, keepBytesMs }: SweeperParts): Promise<void> {
  for (const objectId of await files.listUnlisted(keepBytesMs, most))
    await files.removeObject(objectId, () => bytes.remove(objectId));
}

async function removeGoneRooms({ files, bus, timeoutMs }: SweeperParts): Promise<void> {
  for (let after = ''; ;) {
    const roomIds = await files.listRoomIds(after, most);
    const last = roomIds.at(-1);
    if (last === undefined) return;
    const existing = await bus.call(findExistingRooms, { roomIds }, createContext(timeoutMs));
    const here = new Set<RoomId>(existing.roomIds);
    for (const roomId of roomIds.filter((each) => !here.has(each))) await files.removeRoom(roomId);
    after = last;
  }
}
