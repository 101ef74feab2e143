import { constants } from 'node:fs';
import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ParleyError } from '@parley/protocol';
import { blocksOf } from './blocks.ts';
import type { ByteStore } from './byte-store.ts';

/** How much is gathered for one write, in bytes. */
const blockBytes = 2 ** 20;

/**
 * Files in a folder of this machine: `unfinished/` for what is being written, `objects/` for the rest, there in one of 256
 * folders, so that none gets too long a list. An object is on the disk before it gets its place.
 */
export async function openFolderStore(folder: string): Promise<ByteStore> {
  const unfinished = join(folder, 'unfinished');
  const objects = join(folder, 'objects');
  await mkdir(unfinished, { recursive: true });
  for (let first = 0; first < 256; first += 1)
    await mkdir(join(objects, first.toString(16).padStart(2, '0')), { recursive: true });
  await syncFolder(objects);

  function unfinishedOf(objectId: string): string {
    return join(unfinished, objectId);
  }

  function placeOf(objectId: string): string {
    return join(objects, objectId.slice(0, 2), objectId);
  }

  async function writeAll(
    file: string,
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const handle = await reached(open(file, 'wx'));
    try {
      for await (const block of blocksOf(source, blockBytes)) {
        if (signal.aborted) throw new ParleyError('unavailable', {}, { cause: signal.reason });
        for (let written = 0; written < block.length;)
          written += (await reached(handle.write(block, written))).bytesWritten;
      }
      await reached(handle.sync());
    } finally {
      await reached(handle.close());
    }
  }

  return {
    async write(objectId, source, signal) {
      const [from, to] = [unfinishedOf(objectId), placeOf(objectId)];
      try {
        await writeAll(from, source, signal);
        await reached(rename(from, to));
        await syncFolder(dirname(to));
      } catch (error) {
        await rm(from, { force: true }).catch(() => {}); // else it is found by `remove`
        throw error;
      }
    },

    async read(objectId, offset, length) {
      const handle = await reached(open(placeOf(objectId), 'r'), 'file_not_found');
      try {
        const buffer = new Uint8Array(length);
        let filled = 0;
        while (filled < length) {
          const { bytesRead } = await reached(handle.read(buffer, filled, length - filled, offset + filled));
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return buffer.subarray(0, filled);
      } finally {
        await handle.close();
      }
    },

    async remove(objectId) {
      await reached(rm(unfinishedOf(objectId), { force: true }));
      await reached(rm(placeOf(objectId), { force: true }));
    },

    async ping() {
      await access(unfinished, constants.W_OK);
    },

    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A new name in a folder is safe once the folder itself is on the disk. */
async function syncFolder(path: string): Promise<void> {
  const handle = await reached(open(path, 'r'));
  try {
    await reached(handle.sync());
  } finally {
    await handle.close();
  }
}

/** @param absent What it means that the file is not there. */
async function reached<Result>(
  work: Promise<Result>,
  absent: 'file_not_found' | 'unavailable' = 'unavailable',
): Promise<Result> {
  try {
    return await work;
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ParleyError(isAbsent ? absent : 'unavailable', {}, { cause });
  }
}
