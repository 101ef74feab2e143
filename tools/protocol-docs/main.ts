import { writeFile } from 'node:fs/promises';
import { folder, protocolFiles } from './files.ts';

/* Writes what `docs/protocol` says of the code: `npm run docs`. */

for (const [name, content] of await protocolFiles()) await writeFile(`${folder}${name}`, content);
