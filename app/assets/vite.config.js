// Builds the explorer page's one entry into dist/, with a manifest that app/api/explorer.py reads.
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/graphiql/assets/',
  publicDir: false,
  build: {
    target: 'es2022',
    assetsDir: '',
    manifest: 'manifest.json',
    license: { fileName: 'LICENSES.md' },
    chunkSizeWarningLimit: 8000, // Monaco is one large editor; splitting it would not load less.
    modulePreload: { polyfill: false },
    rolldownOptions: { input: 'explorer/main.jsx' },
  },
  worker: { format: 'es' },
});
