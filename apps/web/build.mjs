/**
 * Builds the web client into `dist`, unless what is there was built from the same sources. Plain JavaScript, so that it can be run before
 * anything else is.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const stamp = join(here, 'dist/.built-from');
/** All that goes into it, relative to the repository. */
const sources = [
  'apps/web/{index.html,build.mjs,package.json,vite.config.ts}',
  'apps/web/{src,vite}/**/*.*',
  'packages/{client,protocol,schema}/package.json',
  'packages/{client,protocol,schema}/src/**/*.ts',
  'pnpm-lock.yaml',
];

const wanted = fingerprint();
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.log('Building the web client ...');
  const { build } = await import('vite');
  await build({ configFile: join(here, 'vite.config.ts'), logLevel: 'warn' });
  writeFileSync(stamp, wanted);
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of globSync(sources, { cwd: root, exclude: ['**/*.test.ts'] }).sort()) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}
