import { access, link, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, parse } from 'node:path';
import { CliError, exitCodes } from '../cli-error.ts';

/**
 * Writes a file of this machine; under its name it is only there when it is whole.
 * @param options.replaces Whether a file of this name may be replaced.
 * @throws CliError where one is there and may not, or nothing can be written; what the stream fails with.
 */
export async function save(
  stream: AsyncIterable<Uint8Array>,
  path: string,
  { replaces }: { replaces: boolean },
): Promise<void> {
  const partial = join(dirname(path), `.${basename(path).slice(0, 32)}.${process.pid}.part`);
  try {
    await using file = await open(partial, 'wx');
    for await (const chunk of stream) await file.writeFile(chunk);
    await file.sync();
    await (replaces ? rename(partial, path) : link(partial, path));
  } catch (error) {
    if (isSystemError(error)) throw new CliError(explain(error, path), exitCodes.failed, { cause: error });
    throw error;
  } finally {
    await rm(partial, { force: true });
  }
}

/**
 * Fails early, before anything is downloaded in vain.
 * @throws CliError where a file of this name is there and may not be replaced.
 */
export async function expectFree(path: string, replaces: boolean): Promise<void> {
  if (!replaces && (await isThere(path))) throw new CliError(isThereText(path));
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function isThereText(path: string): string {
  return `${path} is there already; --force replaces it, --output names another.`;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error;
}

function explain({ code, message }: NodeJS.ErrnoException, path: string): string {
  if (code === 'EEXIST') return isThereText(path);
  return `${path} can't be written: ${message}`;
}

/** The path, or where something is there already one beside it that is free: `tea.png`, `tea (1).png` ... */
export async function freePath(path: string): Promise<string> {
  const { dir, name, ext } = parse(path);
  let candidate = path;
  for (let number = 1; await isThere(candidate); number += 1)
    candidate = join(dir, `${name} (${number})${ext}`);
  return candidate;
}

/**
 * The name of a file as one of this folder.
 * @throws CliError where it is a path: no server may say where on this machine something is written.
 */
export function localName(name: string): string {
  if (basename(name) !== name || ['', '.', '..'].includes(name) || name.includes('\\')) {
    throw new CliError(`${JSON.stringify(name)} is no name for a file here; --output names another.`);
  }
  return name;
}
