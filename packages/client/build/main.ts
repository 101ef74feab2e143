import { bundle } from './bundle.ts';

/** Builds into `dist`, or into the folder that is given. */
const { bytes, gzippedBytes } = await bundle(process.argv[2]);
console.log(`index.js: ${bytes} bytes, ${gzippedBytes} gzipped`);
