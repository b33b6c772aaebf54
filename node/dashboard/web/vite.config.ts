import { defineConfig } from 'vite';

// Names hold a digest of the content, so that a browser may keep the files for ever. Nothing is put
// inline: the policy of the pages refuses that.
export default defineConfig({
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // `npm run dev` beside a node: ASSAY_API=http://127.0.0.1:7171
  server: { proxy: Object.fromEntries(['/api', '/data', '/docs'].map((path) => [path, process.env.ASSAY_API ?? 'http://127.0.0.1:7171'])) },
});
