// Ed25519, strict and cofactorless (specs/log.md, section 4). Ready-made verifiers differ from it in the
// corners (cofactor, small order), so the rules are spelled out on the curve.
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;

const little = (bytes: Uint8Array) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

/** Decodes a canonical point; `null` if it is invalid or of small order. */
function point(bytes: Uint8Array) {
  try {
    const found = Point.fromBytes(bytes, false);
    const same = found.toBytes().every((byte, at) => byte === bytes[at]);
    return same && !found.isSmallOrder() ? found : null;
  } catch {
    return null;
  }
}

export function verifySignature(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 32 || signature.length !== 64) return false;
  const r = signature.subarray(0, 32);
  const s = little(signature.subarray(32));
  const a = point(key);
  if (!a || !point(r) || s >= ORDER) return false;
  const k = little(sha512(Uint8Array.from([...r, ...key, ...message]))) % ORDER;
  const [sb, ka] = [s === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(s), k === 0n ? Point.ZERO : a.multiplyUnsafe(k)];
  return sb.subtract(ka).toBytes().every((byte, at) => byte === r[at]);
}
