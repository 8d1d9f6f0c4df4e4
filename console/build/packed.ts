// Packs every built file once (gzip and brotli), so that no server packs it anew, and holds the first load to its budget.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';

const PACKED = /\.(js|css|html|svg|json|md)$/;
const MOST_KB = 200;
// What a browser fetches before the first page stands: the entry and what it imports at once, and the wall.
const FIRST_PAGES = ['src/pages/sign-in/Page.svelte', 'src/pages/wall/Page.svelte'];

interface Chunk {
  type: string;
  fileName: string;
  isEntry?: boolean;
  facadeModuleId?: string | null;
  imports?: string[];
  viteMetadata?: { importedCss: Set<string> };
}

/** The plugin; the build fails when the first load outgrows its budget. */
export function packed(): Plugin {
  let folder = '';
  const first = new Set<string>();
  return {
    name: 'lamppost-packed',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    writeBundle(_options, bundle) {
      const chunks = bundle as unknown as Record<string, Chunk>;
      const take = (name: string): void => {
        const chunk = chunks[name];
        if (!chunk || first.has(name)) return;
        first.add(name);
        chunk.viteMetadata?.importedCss.forEach((css) => first.add(css));
        chunk.imports?.forEach(take);
      };
      for (const chunk of Object.values(chunks)) {
        const page = chunk.facadeModuleId ?? '';
        if (chunk.type === 'chunk' && (chunk.isEntry || FIRST_PAGES.some((end) => page.endsWith(end)))) take(chunk.fileName);
      }
    },
    closeBundle() {
      let bytes = 0;
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!PACKED.test(name)) continue;
        const path = join(folder, name);
        const content = readFileSync(path);
        const gzip = gzipSync(content, { level: 9 });
        writeFileSync(`${path}.gz`, gzip);
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        if (first.has(name)) bytes += gzip.length;
      }
      if (bytes === 0) return;
      const kb = bytes / 1000;
      console.log(`first load: ${kb.toFixed(1)} kB gzip of ${MOST_KB} (${first.size} files)`);
      if (kb > MOST_KB) throw new Error(`the first load is ${kb.toFixed(1)} kB, and must be at most ${MOST_KB}`);
    },
  };
}
