import { readdir, readFile } from 'node:fs/promises';
import { matchesGlob } from 'node:path/posix';

const root = new URL('../../', import.meta.url);

/** A file of the repository. */
export interface Source {
  /** From the root. */
  path: string;
  text: string;
}

/** All files that are in git, or would be: those that it does not ignore. */
export async function readSources(): Promise<Source[]> {
  const ignored = ['.git', ...(await readFile(new URL('.gitignore', root), 'utf8')).split('\n')]
    .map((line) => line.replace(/\/$/, ''))
    .filter((line) => line !== '')
    .map((line) => (line.includes('/') ? line : `**/${line}`));
  const paths = await listFiles('', (path) => ignored.some((pattern) => matchesGlob(path, pattern)));
  return Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(new URL(path, root), 'utf8') })),
  );
}

/** @param folder From the root, with a slash at its end; the root itself is empty. */
async function listFiles(folder: string, isIgnored: (path: string) => boolean): Promise<string[]> {
  const entries = await readdir(new URL(folder, root), { withFileTypes: true });
  const found = entries
    .map((entry) => ({ entry, path: `${folder}${entry.name}` }))
    .filter(({ path }) => !isIgnored(path))
    .map(async ({ entry, path }) => {
      if (entry.isDirectory()) return listFiles(`${path}/`, isIgnored);
      return entry.isFile() ? [path] : [];
    });
  return (await Promise.all(found)).flat();
}
