/**
 * Loaded into a measured process: SIGUSR2 has its garbage collected, so that only what it holds is in its memory. A plain
 * collection keeps the pages of what was there before, as of many logins at once, and gives them back half a minute later or not;
 * this one gives them back at once.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options: object) => void;

process.on('SIGUSR2', () => {
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
});
