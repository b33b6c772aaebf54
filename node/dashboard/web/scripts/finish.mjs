// Runs after the build: writes compressed forms beside the files, NOTICES.txt with the licences of the
// packages that the pages contain, and files.rs, the table that the Rust crate includes.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync, constants } from 'node:zlib';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = `${root}dist/`;
const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** Licences of the packages that end up in the pages: the dependencies, and the map's shapes. */
function notices() {
  const lock = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')).packages;
  const shipped = ([path, entry]) => path && (!entry.dev || path === 'node_modules/world-atlas');
  return Object.entries(lock).filter(shipped).map(([path, { version, license }]) => {
    const file = readdirSync(root + path).find((name) => /^licen[cs]e/i.test(name));
    const text = file ? readFileSync(`${root}${path}/${file}`, 'utf8').trim() : `Licence: ${license}`;
    return `${path.replace('node_modules/', '')} ${version}\n\n${text}\n`;
  }).sort().join('\n----\n\n');
}

/** Writes the compressed form if it is at least a tenth smaller, and returns its entry of the table. */
function pack(path, suffix, packed, bytes) {
  if (path === 'index.html' || packed.length >= bytes.length * 0.9) return 'None';
  writeFileSync(`${dist}${path}${suffix}`, packed);
  return `Some(include_bytes!(${JSON.stringify(path + suffix)}))`;
}

writeFileSync(`${dist}NOTICES.txt`, notices());
const entries = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const rows = entries.map((entry) => {
  const path = relative(dist, `${entry.parentPath ?? entry.path}/${entry.name}`);
  const type = types[extname(path)];
  if (!type) throw new Error(`no media type for ${path}`);
  const bytes = readFileSync(dist + path);
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  return `    Asset {
        path: "/${path}",
        media_type: "${type}",
        etag: "\\"${digest}\\"",
        bytes: include_bytes!(${JSON.stringify(path)}),
        br: ${pack(path, '.br', brotliCompressSync(bytes, brotli), bytes)},
        gz: ${pack(path, '.gz', gzipSync(bytes, { level: 9 }), bytes)},
    },
`;
});
writeFileSync(`${dist}files.rs`, `// Written by \`cargo xtask web\`; do not edit.\n&[\n${rows.sort().join('')}]\n`);
