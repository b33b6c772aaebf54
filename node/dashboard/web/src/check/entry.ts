// Log entries: the COSE_Sign1 profile of specs/log.md, sections 1 to 4.
import { VerifyError, Link, asBytes, asList, asMap, asNumber, asText, field, identified, read, readEnvelope } from './cbor.ts';
import type { Value, ValueMap } from './cbor.ts';
import { idBytes, idText } from './id.ts';
import { verifySignature } from './signature.ts';

const ENTRY_BYTES_MAX = 65_535;
const TAG = 0xd2;
const INLINE_BYTES_MAX = 32_768;
const EDDSA = -8;
const [RAW, OBJECT] = [0x55, 0x71];
const LABELS: (string | number)[] = [1, 3, 4, 15, 'assay-seq', 'assay-auth', 'assay-prev'];
const CLAIMS: (string | number)[] = [1, 2, 6];
/** Field of each object type that the subject in the header repeats. */
const SUBJECTS = new Map([
  ['identity', 'name'],
  ['dataset', 'dataflow'],
  ['release', 'dataflow'],
  ['recipe', 'indicator'],
  ['retraction', 'subject'],
  ['attestation', 'release'],
]);
/** Control characters, and those that turn the direction of writing (specs/objects.md, section 3). */
const UNREADABLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/;

export interface Entry {
  kind: string;
  inline: boolean;
  key: Uint8Array;
  /** Absent in the genesis entry. */
  publisher: string | null;
  seq: number;
  subject: string;
  time: number;
  payload: Uint8Array;
}

/** Decodes an entry and verifies its signature. */
export function readEntry(bytes: Uint8Array): Entry {
  if (bytes.length > ENTRY_BYTES_MAX || bytes[0] !== TAG) throw new VerifyError('not a log entry');
  const parts = asList(readEnvelope(bytes.subarray(1)));
  const [head, open, body, sign] = parts;
  if (parts.length !== 4 || asMap(open!).size !== 0) throw new VerifyError('invalid envelope');
  const [protectedBytes, payload, signature] = [asBytes(head!), asBytes(body!), asBytes(sign!)];
  const header = asMap(readEnvelope(protectedBytes));
  if ([...header.keys()].some((label) => !LABELS.includes(label))) throw new VerifyError('unknown header parameter');
  if (field(header, 1) !== EDDSA) throw new VerifyError('unsupported algorithm');
  const key = asBytes(field(header, 4));
  if (!verifySignature(key, signed(protectedBytes, payload), signature)) throw new VerifyError('signature verification failed');
  const type = /^application\/vnd\.assay\.([a-z]+)\+(dag-cbor|cid)$/.exec(asText(field(header, 3)));
  const [, kind = '', form] = type ?? [];
  if (!SUBJECTS.has(kind)) throw new VerifyError('unknown content type');
  const claims = asMap(field(header, 15));
  if ([...claims.keys()].some((label) => !CLAIMS.includes(label))) throw new VerifyError('unknown claim');
  const subject = asText(field(claims, 2));
  if (UNREADABLE.test(subject)) throw new VerifyError('unreadable characters in the subject');
  const inline = form === 'dag-cbor';
  about(kind, subject, inline, payload);
  return { kind, inline, key, ...place(header, claims), subject, time: seconds(field(claims, 6)), payload };
}

/** Log position: all of its fields, or none of them in the genesis entry. */
function place(header: ValueMap, claims: ValueMap): { publisher: string | null; seq: number } {
  const issuer = claims.get(1);
  const labels = ['assay-seq', 'assay-auth', 'assay-prev'].filter((label) => header.has(label));
  if (issuer === undefined && labels.length === 0) return { publisher: null, seq: 0 };
  if (issuer === undefined || labels.length !== 3) throw new VerifyError('incomplete log position');
  const publisher = asText(issuer);
  if (idBytes(publisher)?.[1] !== RAW) throw new VerifyError('issuer is not a publisher id');
  const seq = asNumber(field(header, 'assay-seq'));
  const authority = asNumber(field(header, 'assay-auth'));
  if (seq < 1 || authority < 0 || authority >= seq) throw new VerifyError('invalid log position');
  if (identified(asBytes(field(header, 'assay-prev')))[1] !== RAW) throw new VerifyError('previous entry is not an entry id');
  return { publisher, seq };
}

/** Checks that an inline payload has the object type and subject stated in the header. */
function about(kind: string, subject: string, inline: boolean, payload: Uint8Array): void {
  if (!inline) {
    if (identified(payload)[1] !== OBJECT) throw new VerifyError('not an object id');
    return;
  }
  if (payload.length > INLINE_BYTES_MAX) throw new VerifyError('inline object too large');
  const object = asMap(read(payload));
  if (field(object, '$type') !== kind || field(object, 'v') !== 1) throw new VerifyError('object type differs from the header');
  const said = field(object, SUBJECTS.get(kind)!);
  if ((said instanceof Link ? idText(said.id) : said) !== subject) throw new VerifyError('subject differs from the object');
}

/** Signed 64-bit integer. */
function seconds(value: Value): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new VerifyError('time is not an integer');
  if (BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) throw new VerifyError('time exceeds 64 bits');
  return Number(value);
}

/** The Sig_structure of RFC 9052, section 4.4. */
function signed(header: Uint8Array, payload: Uint8Array): Uint8Array {
  const context = new TextEncoder().encode('Signature1');
  return Uint8Array.from([0x84, 0x60 | context.length, ...context, ...counted(header), 0x40, ...counted(payload)]);
}

/** CBOR byte string with the shortest header, for fewer than 65536 bytes. */
function counted(bytes: Uint8Array): number[] {
  const size = bytes.length;
  const head = size < 24 ? [0x40 | size] : size < 256 ? [0x58, size] : [0x59, size >> 8, size & 255];
  return [...head, ...bytes];
}

/** Id of the object of a payload that is not inline. */
export const payloadId = (entry: Entry) => idText(identified(entry.payload));
