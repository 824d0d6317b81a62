// Turns a folder of built pages into C++: node embed.mjs <dist> <out.cpp>. Beside the source it writes the
// compressed forms, which the compiler takes in with #embed.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const [dist, out] = process.argv.slice(2);
const types = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

const folder = path.join(path.dirname(out), 'pages');
mkdirSync(folder, { recursive: true });
const arrays = [];
const rows = [];

/** Adds one form of a page; forms that save less than a tenth are left out. */
function array(name, bytes, whole) {
  if (bytes !== whole && bytes.length > whole.length * 0.9) return '{}';
  const file = path.resolve(folder, name);
  writeFileSync(file, bytes);
  arrays.push(`constexpr char ${name}[] = {\n#embed "${file}"\n};`);
  return `{${name}, sizeof ${name}}`;
}

const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const paths = files.map((entry) => path.relative(dist, path.join(entry.parentPath ?? entry.path, entry.name))).sort();
for (const [n, file] of paths.entries()) {
  const whole = readFileSync(path.join(dist, file));
  const type = types[path.extname(file)];
  if (!type) throw new Error(`no content type for ${file}`);
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 32);
  const brotli = brotliCompressSync(whole, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: whole.length } });
  rows.push(`    {"/${file}", "${type}", "\\"${hash}\\"", ${array(`kPage${n}`, whole, whole)},
     ${array(`kPage${n}Gzip`, gzipSync(whole, { level: 9 }), whole)}, ${array(`kPage${n}Brotli`, brotli, whole)}},`);
}

writeFileSync(out, `// Written by web/embed.mjs.
#include "conciergus/gateway/embedded_pages.hpp"

#pragma clang diagnostic ignored "-Wc23-extensions"

namespace conciergus::gateway {
namespace {

${arrays.join('\n')}

constexpr EmbeddedPage kPages[] = {
${rows.join('\n')}
};

}  // namespace

std::span<const EmbeddedPage> embedded_pages() noexcept { return kPages; }

}  // namespace conciergus::gateway
`);
