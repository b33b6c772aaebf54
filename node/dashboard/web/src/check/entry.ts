// Entries of a log: COSE_Sign1 in our shape (specs/log.md, sections 1 to 4).
import { Fault, asBytes, asList, asMap, asNumber, asText, field, identified, readEnvelope } from './cbor.ts';
import { idText } from './id.ts';
import { verifySignature } from './signature.ts';

const ENTRY_BYTES_MAX = 65_535;
const TAG = 0xd2;
const EDDSA = -8;
const LABELS: (string | number)[] = [1, 3, 4, 15, 'assay-seq', 'assay-auth', 'assay-prev'];

export interface Entry {
  kind: string;
  inline: boolean;
  key: Uint8Array;
  /** None in the genesis. */
  publisher: string | null;
  seq: number;
  subject: string;
  time: number;
  payload: Uint8Array;
}

/** Opens an entry and checks its signature over these very bytes. */
export function readEntry(bytes: Uint8Array): Entry {
  if (bytes.length > ENTRY_BYTES_MAX || bytes[0] !== TAG) throw new Fault('bytes that are no entry');
  const parts = asList(readEnvelope(bytes.subarray(1)));
  const [head, open, body, sign] = parts;
  if (parts.length !== 4 || asMap(open!).size !== 0) throw new Fault('an envelope of another form');
  const [protectedBytes, payload, signature] = [asBytes(head!), asBytes(body!), asBytes(sign!)];
  const header = asMap(readEnvelope(protectedBytes));
  if ([...header.keys()].some((label) => !LABELS.includes(label))) throw new Fault('a header that nobody knows');
  if (field(header, 1) !== EDDSA) throw new Fault('another algorithm');
  const key = asBytes(field(header, 4));
  if (!verifySignature(key, signed(protectedBytes, payload), signature)) throw new Fault('the signature does not fit');
  const type = /^application\/vnd\.assay\.([a-z]+)\+(dag-cbor|cid)$/.exec(asText(field(header, 3)));
  if (!type) throw new Fault('a content type that is none of ours');
  const claims = asMap(field(header, 15));
  const issuer = claims.get(1);
  const placed = ['assay-seq', 'assay-auth', 'assay-prev'].filter((label) => header.has(label)).length;
  if (placed !== (issuer === undefined ? 0 : 3)) throw new Fault('a place in the log that is not whole');
  if (placed) identified(asBytes(field(header, 'assay-prev')));
  return {
    kind: type[1]!,
    inline: type[2] === 'dag-cbor',
    key,
    publisher: issuer === undefined ? null : asText(issuer),
    seq: placed ? asNumber(field(header, 'assay-seq')) : 0,
    subject: asText(field(claims, 2)),
    time: Number(field(claims, 6)),
    payload,
  };
}

/** The Sig_structure of RFC 9052, section 4.4. */
function signed(header: Uint8Array, payload: Uint8Array): Uint8Array {
  const context = new TextEncoder().encode('Signature1');
  return Uint8Array.from([0x84, 0x60 | context.length, ...context, ...counted(header), 0x40, ...counted(payload)]);
}

/** A byte string with its shortest head; none here has 65536 bytes. */
function counted(bytes: Uint8Array): number[] {
  const size = bytes.length;
  const head = size < 24 ? [0x40 | size] : size < 256 ? [0x58, size] : [0x59, size >> 8, size & 255];
  return [...head, ...bytes];
}

/** The id that a payload stands for when it is not inline. */
export const payloadId = (entry: Entry) => idText(identified(entry.payload));
