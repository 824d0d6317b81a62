// Size budgets: gzip level 9 over the JavaScript of each built app. Run after `npm run build`.
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const budgets = [{ name: 'demo', dir: 'apps/demo/dist', kib: 90 }];

let failed = false;
for (const { name, dir, kib } of budgets) {
  const files = (await readdir(new URL(`${dir}/`, import.meta.url), { recursive: true })).filter((file) =>
    file.endsWith('.js'),
  );
  let bytes = 0;
  for (const file of files) {
    bytes += gzipSync(await readFile(new URL(`${dir}/${file}`, import.meta.url)), { level: 9 }).length;
  }
  const used = bytes / 1024;
  const over = files.length === 0 || used > kib;
  failed ||= over;
  console.log(`${over ? 'OVER' : 'ok  '} ${name.padEnd(12)} ${used.toFixed(1).padStart(6)} of ${kib} KiB gzip`);
}
process.exitCode = failed ? 1 : 0;
