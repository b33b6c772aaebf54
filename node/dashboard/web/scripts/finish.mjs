// After the build: compressed forms beside the files, and files.txt with path, media type, digest.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync, constants } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const lines = [];
const entries = readdirSync(dist, { recursive: true, withFileTypes: true });
for (const entry of entries.filter((entry) => entry.isFile())) {
  const path = relative(dist, `${entry.parentPath ?? entry.path}/${entry.name}`);
  const type = types[extname(path)];
  if (!type) throw new Error(`no media type for ${path}`);
  const bytes = readFileSync(dist + path);
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  const small = (packed) => packed.length < bytes.length * 0.9;
  const br = brotliCompressSync(bytes, brotli);
  const gz = gzipSync(bytes, { level: 9 });
  if (path !== 'index.html' && small(br)) writeFileSync(`${dist}${path}.br`, br);
  if (path !== 'index.html' && small(gz)) writeFileSync(`${dist}${path}.gz`, gz);
  lines.push([path, type, createHash('sha256').update(bytes).digest('hex').slice(0, 32)].join('\t'));
}
writeFileSync(`${dist}files.txt`, `${lines.sort().join('\n')}\n`);
