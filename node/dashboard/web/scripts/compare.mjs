// usage: compare.mjs BUILT COMMITTED. Fails if the committed pages are not those that a fresh build makes.
// Compressed forms may differ in bytes between versions of zlib and brotli: they must unpack to their file.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { relative } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

const [built, committed] = process.argv.slice(2);
const list = (root) => readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(root, `${entry.parentPath ?? entry.path}/${entry.name}`))
  .sort();
const unpack = { '.br': brotliDecompressSync, '.gz': gunzipSync };

function same(path) {
  const [fresh, kept] = [`${built}/${path}`, `${committed}/${path}`];
  if (!existsSync(fresh) || !existsSync(kept)) return false;
  const bytes = readFileSync(kept);
  const unpacked = unpack[path.slice(-3)];
  return readFileSync(fresh).equals(bytes)
    || (unpacked !== undefined && unpacked(bytes).equals(readFileSync(`${built}/${path.slice(0, -3)}`)));
}

const stale = [...new Set([...list(built), ...list(committed)])].filter((path) => !same(path));
for (const path of stale) console.error(`stale: node/dashboard/dist/${path}`);
if (stale.length) {
  console.error('the committed pages differ from a fresh build: run `cargo xtask web` and commit node/dashboard/dist');
  process.exit(1);
}
console.log(`${list(committed).length} files of the dashboard are what a fresh build makes`);
