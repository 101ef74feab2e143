import type { Options } from 'yargs';

/** What commands take that do something in a room. */
export const roomOptions = {
  join: {
    type: 'boolean',
    default: false,
    describe: 'Become a member of the public room first; guests enter without being told',
  },
} as const satisfies Record<string, Options>;
