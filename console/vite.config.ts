// How the console is made: hashed files beside an index.html without a line of inline script or style (see docs/design/console.md).
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

import { packed } from './build/packed.ts';

const API = process.env['LAMPPOST_API'] ?? 'http://127.0.0.1:8321';

export default defineConfig({
  plugins: [svelte({ configFile: false }), packed()],
  build: {
    outDir: '../src/lamppost/api/console',
    emptyOutDir: true,
    target: 'es2022',
    assetsDir: 'assets',
    assetsInlineLimit: 0, // the content security policy lets no data: font or script in
    modulePreload: { polyfill: false },
    reportCompressedSize: false, // `packed` says what counts: the first load
    cssCodeSplit: true,
    license: { fileName: 'licenses.md' },
  },
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
  server: { proxy: { '/api': { target: API, ws: true }, '/openapi.json': API } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
