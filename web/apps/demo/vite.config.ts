import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// One script, one style sheet, one icon, all with hashed names: the gateway embeds `dist` and serves
// everything below assets/ as immutable. `npm run dev` talks to a gateway on its usual port.
export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
});
