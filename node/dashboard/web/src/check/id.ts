// Content ids: text form, and ids of bytes (specs/objects.md, section 2).
import { blake3 } from '@noble/hashes/blake3.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';
const OBJECT = 0x71;

/** Multibase `b`: base32, lower case, no padding. */
export function idText(id: Uint8Array): string {
  let text = 'b';
  let bits = 0;
  let held = 0;
  for (const byte of id) {
    held = (held << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += LETTERS[(held >> (bits - 5)) & 31];
    held &= 255;
  }
  return bits > 0 ? text + LETTERS[(held << (5 - bits)) & 31] : text;
}

/** Parses an id to its 36 bytes; `null` for invalid or non-canonical text. */
export function idBytes(text: string): Uint8Array | null {
  if (!/^b[a-z2-7]{58}$/.test(text)) return null;
  let held = 0n;
  for (const letter of text.slice(1)) held = (held << 5n) | BigInt(LETTERS.indexOf(letter));
  // 58 letters hold 290 bits, two more than the bytes.
  const id = Uint8Array.from({ length: 36 }, (_, at) => Number((held >> BigInt(2 + 8 * (35 - at))) & 255n));
  return idText(id) === text ? id : null;
}

/** Whether `id` is the id of these bytes. */
export function fits(id: Uint8Array, bytes: Uint8Array): boolean {
  return blake3(bytes).every((byte, at) => byte === id[at + 4]);
}

export const objectId = (bytes: Uint8Array) => Uint8Array.from([1, OBJECT, 0x1e, 32, ...blake3(bytes)]);
