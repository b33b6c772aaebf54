// Bundles (specs/bundle.md, section 1): nothing is believed before its hash is checked.
import { Fault, asLink, asList, asMap, field, identified, read } from './cbor.ts';
import { fits, idText } from './id.ts';

const BLOCK_BYTES_MAX = 1 << 20;
const ROOTS_MAX = 4096;
/** Of work between two looks at the clock. */
const TURN_BYTES = 1 << 18;

export interface Bundle {
  roots: string[];
  blocks: Map<string, Uint8Array>;
  bytes: number;
}

/** Reads a whole bundle; now and then it lets the browser draw. */
export async function readBundle(bytes: Uint8Array): Promise<Bundle> {
  let at = 0;
  const length = () => {
    let value = 0;
    for (let place = 0; place < 4; place++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Fault('the file is cut off');
      value |= (byte & 127) << (7 * place);
      if (byte < 128) {
        if (byte === 0 && place > 0) throw new Fault('a padded length');
        return value;
      }
    }
    throw new Fault('a length of more than four bytes');
  };
  const take = (count: number) => {
    if (count > bytes.length - at) throw new Fault('the file is cut off');
    at += count;
    return bytes.subarray(at - count, at);
  };
  const roots = header(take(length()));
  const blocks = new Map<string, Uint8Array>();
  let worked = 0;
  while (at < bytes.length) {
    const size = length();
    if (size < 36 || size - 36 > BLOCK_BYTES_MAX) throw new Fault('a record of a length that none has');
    const id = identified(take(36));
    const block = take(size - 36);
    if (!fits(id, block)) throw new Fault(`block ${idText(id)} is not what its id says`);
    blocks.set(idText(id), block);
    worked += block.length;
    if (worked > TURN_BYTES) {
      worked = 0;
      await new Promise((go) => setTimeout(go));
    }
  }
  return { roots, blocks, bytes: bytes.length };
}

function header(bytes: Uint8Array): string[] {
  const map = asMap(read(bytes));
  const roots = asList(field(map, 'roots')).map((root) => idText(asLink(root)));
  if (map.size !== 2 || field(map, 'version') !== 1 || roots.length > ROOTS_MAX) throw new Fault('a header of another kind');
  return roots;
}
