// Debian's Chromium, and the useChat page in each major of the AI SDK.

import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

/** Without these flags the browser keeps looking for hosts it cannot reach. */
const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });

const majors = { 7: { core: 'ai', react: '@ai-sdk/react' }, 6: { core: 'ai6', react: 'ai6-react' } };

/** The application of a test: serves the useChat page of one major. @param {6 | 7} major */
export async function serveUseChatPage(major) {
  const { core, react } = majors[major];
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('page/use_chat.jsx', import.meta.url))],
    bundle: true, write: false, format: 'esm', jsx: 'automatic', minify: true, logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: { CHAT_CORE: core, CHAT_REACT: react },
  });
  const script = bundle.outputFiles[0].text;
  const server = http.createServer((request, response) => {
    if (request.url === '/page.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    else response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><meta charset="utf-8"><title>useChat</title><body><script type="module" src="/page.js"></script>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
