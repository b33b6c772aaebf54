// Bundles (specs/bundle.md, section 1). Every block is hashed before it is used.
import { VerifyError, asLink, asList, asMap, field, identified, read } from './cbor.ts';
import { fits, idText } from './id.ts';

const BLOCK_BYTES_MAX = 1 << 20;
const ROOTS_MAX = 4096;
/** Bytes hashed between two checks of the clock. */
const TURN_BYTES = 1 << 18;

export interface Bundle {
  roots: string[];
  blocks: Map<string, Uint8Array>;
  bytes: number;
}

/** Reads a bundle and regularly yields to the browser. */
export async function readBundle(bytes: Uint8Array): Promise<Bundle> {
  let at = 0;
  const length = () => {
    let value = 0;
    for (let place = 0; place < 4; place++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new VerifyError('truncated file');
      value |= (byte & 127) << (7 * place);
      if (byte < 128) {
        if (byte === 0 && place > 0) throw new VerifyError('varint not minimal');
        return value;
      }
    }
    throw new VerifyError('varint longer than four bytes');
  };
  const take = (count: number) => {
    if (count > bytes.length - at) throw new VerifyError('truncated file');
    at += count;
    return bytes.subarray(at - count, at);
  };
  const roots = header(take(length()));
  const blocks = new Map<string, Uint8Array>();
  let worked = 0;
  while (at < bytes.length) {
    const size = length();
    if (size < 36 || size - 36 > BLOCK_BYTES_MAX) throw new VerifyError('invalid record length');
    const id = identified(take(36));
    const block = take(size - 36);
    if (!fits(id, block)) throw new VerifyError(`block ${idText(id)} does not match its id`);
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
  if (map.size !== 2 || field(map, 'version') !== 1 || roots.length > ROOTS_MAX) throw new VerifyError('unexpected CAR header');
  return roots;
}
