import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInUse, type DataFolder } from './data-folder.ts';
import { LocalStackError } from './local-stack-error.ts';

/** What other programs of this machine may know of a stack that is up. */
export interface RunningStack {
  natsUrl: string;
}

const fileIn = (dataDir: string) => join(dataDir, 'running.json');

/** Lets other programs find the stack until this is disposed. The address may hold a password: only its user may read it. */
export function announceStack(folder: DataFolder, { natsUrl }: RunningStack): Disposable {
  const file = fileIn(folder.path);
  rmSync(file, { force: true }); // one that a killed stack left behind keeps its mode
  writeFileSync(file, `${JSON.stringify({ natsUrl })}\n`, { mode: 0o600 });
  return {
    [Symbol.dispose]: () => {
      rmSync(file, { force: true });
    },
  };
}

/**
 * The stack that is up with its data in the folder; `undefined` when there is none, or it is still starting.
 * @throws LocalStackError when it belongs to another user.
 */
export function findRunningStack(dataDir: string): RunningStack | undefined {
  // A stack that was killed could not take its file along.
  if (!isInUse(dataDir)) return undefined;
  try {
    return JSON.parse(readFileSync(fileIn(dataDir), 'utf8')) as RunningStack;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code !== 'EACCES') throw error;
    throw new LocalStackError(
      `The Parley with its data in ${dataDir} runs as another user; do this as that user.`,
    );
  }
}
