/**
 * Joins TypeBox's 680 modules into a few files in `dist`: to find and load them one by one took a process 0.2 s of processor time, half
 * of a service's start (`npm run bench -- startup`). Runs when the dependencies are installed.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const cwd = dirname(fileURLToPath(import.meta.url));
const input = { index: 'src/index.ts', compile: 'src/compile.ts' };
const bundle = await rolldown({ cwd, input, platform: 'neutral' });
await bundle.write({ dir: 'dist', cleanDir: true });
await bundle.close();
