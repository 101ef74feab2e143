import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { UploadSource } from '@parley/client';
import { CliError } from '../cli-error.ts';

/** A file of this machine that is open to be uploaded. */
export interface OpenFile extends AsyncDisposable {
  source: UploadSource;
}

/** @throws CliError where it can't be read, or is no file. */
export async function openFile(path: string): Promise<OpenFile> {
  try {
    await using opened = new AsyncDisposableStack();
    const file = opened.use(await open(path));
    const facts = await file.stat();
    if (!facts.isFile()) throw new CliError(`${path} is not a file.`);
    const held = opened.move();
    return {
      source: {
        name: basename(path),
        size: facts.size,
        async slice(start, end) {
          const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
          if (bytesRead < end - start) throw new CliError(`${path} became shorter while it was read.`);
          return buffer;
        },
      },
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`${path} can't be read: ${(error as Error).message}`, 1, { cause: error });
  }
}
