import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { emojiPickerUnderCsp } from './vite/emoji-picker-csp.ts';
import { precompress } from './vite/precompress.ts';

/** A Parley of `npm start`, whose data the development server shows. */
const parley = 'ws://localhost:20200';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react(), emojiPickerUnderCsp(), precompress()],
  build: {
    // The policy of the page allows no data: addresses.
    assetsInlineLimit: 0,
    emptyOutDir: true,
    target: 'es2023',
  },
  server: { proxy: { '/ws': { target: parley, ws: true } } },
});
