// In-browser verification: checks that the number on the screen is the one that the
// publisher signed. Uses the bundle of the release and trusts no other response of the node.
import { blake3 } from '@noble/hashes/blake3.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { readBundle } from './car.ts';
import type { Bundle } from './car.ts';
import { VerifyError, asBytes, asLink, asList, asMap, asNumber, asText, field, read } from './cbor.ts';
import type { Value, ValueMap } from './cbor.ts';
import { readChunk, sameNumber } from './chunk.ts';
import type { Entry } from './entry.ts';
import { payloadId, readEntry } from './entry.ts';
import { idText, objectId } from './id.ts';

export interface Claim {
  publisher: string;
  entry: string;
  release: string;
  output: string;
  key: string[];
  period: string;
  value: string | null;
}

export interface Step {
  /** `contest`: evidence in the bundle against a figure that is signed well; `open`: no check of the browser. */
  outcome: 'holds' | 'wrong' | 'unknown' | 'contest' | 'open';
  text: string;
}

export interface Report {
  done: boolean;
  steps: Step[];
  /** Assumptions that the checks do not cover. */
  trusted: string[];
}

const TRUSTED = [
  'That the data are what their document says: the browser does not read the document again.',
  'That the recipe gives these figures: the browser does not run it. Attestations and verdicts of others are shown by the node, not checked here.',
  'That the publisher id belongs to the institution that you expect: names are self-declared. Compare the id with one from another source.',
  'That this node withholds no newer vintage, and that the publisher shows everyone the same history.',
  'The dates: they are stated by the publisher.',
  'This page: its code was loaded from this node.',
];

/** A check could not be made, as opposed to a failed check. */
class Unable extends Error {}

/** Fetches the bundle of a release and checks a figure against it, reporting each step. */
export async function verify(claim: Claim, tell: (report: Report) => void): Promise<void> {
  const steps: Step[] = [];
  const say = (outcome: Step['outcome'], text: string, done = false) => {
    steps.push({ outcome, text });
    tell({ done, steps: [...steps], trusted: TRUSTED });
  };
  try {
    const bytes = await fetchBundle(claim.release);
    const { stated, contests } = await check(bytes, claim, (text) => say('holds', text));
    for (const text of contests) say('contest', text);
    for (const text of notChecked(stated)) say('open', text);
    tell({ done: true, steps: [...steps], trusted: TRUSTED });
  } catch (fault) {
    const text = fault instanceof Error ? fault.message : String(fault);
    say(fault instanceof Unable ? 'unknown' : 'wrong', text.charAt(0).toUpperCase() + text.slice(1), true);
  }
}

/** What a reader might take for checked. */
function notChecked(stated: number): string[] {
  return [
    'Not checked in the browser: the document against the data, and the recipe against the figures. “Re-run now” lets the node do both; assay verify does them on your machine.',
    ...(stated > 0 ? [`${stated === 1 ? 'One data set is' : `${stated} data sets are`} stated by the publisher, without a document.`] : []),
  ];
}

async function fetchBundle(release: string): Promise<Uint8Array> {
  const response = await fetch(`/api/v1/bundles/${encodeURIComponent(release)}`).catch(() => null);
  if (!response?.ok) throw new Unable('the node gives no bundle for this release, so nothing could be checked');
  return new Uint8Array(await response.arrayBuffer());
}

/** Throws on the first failed check; returns what the data sets rest on, and what contests the release. */
export async function check(bytes: Uint8Array, claim: Claim, holds: (text: string) => void): Promise<Sources & { contests: string[] }> {
  const bundle = await readBundle(bytes);
  holds(`All ${bundle.blocks.size} blocks of the bundle (${Math.ceil(bundle.bytes / 1024)} kB) match their ids (BLAKE3).`);
  const entry = opened(bundle, claim);
  holds(`Log entry ${entry.seq} has a valid signature by the key ${hex(entry.key).slice(0, 16)}… (Ed25519).`);
  authorised(bundle, entry, claim);
  holds('The key is authorised to publish for this publisher: the identity, whose hash is the publisher id, is signed by a root key and lists it.');
  const release = released(bundle, entry, claim);
  holds('The signed entry contains this release.');
  const found = sources(bundle, release);
  const { documents } = found;
  if (documents > 0) holds(`${documents === 1 ? 'The source document in the bundle is' : `All ${documents} source documents in the bundle are`} identical to those referenced by the signed data sets (BLAKE3, SHA-256).`);
  const value = figure(bundle, release, claim);
  if (!agree(value, claim.value)) throw new VerifyError(`the number shown is not the one that was signed: the signed data say ${value ?? 'no value'}, the node says ${claim.value ?? 'no value'}`);
  holds(`The number shown equals the number in the signed data: ${value ?? 'no value'}.`);
  return { ...found, contests: contestsOf(bundle, entry, claim) };
}

const agree = (found: string | null, shown: string | null) => (found === null || shown === null ? found === shown : found === shown || sameNumber(found, shown));

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

function block(bundle: Bundle, id: string, what: string): Uint8Array {
  const bytes = bundle.blocks.get(id);
  if (!bytes) throw new VerifyError(`${what} is not in the bundle`);
  return bytes;
}

function object(bundle: Bundle, link: Uint8Array, kind: string): ValueMap {
  return typed(block(bundle, idText(link), `the ${kind}`), kind);
}

function typed(bytes: Uint8Array, kind: string): ValueMap {
  const map = asMap(read(bytes));
  if (field(map, '$type') !== kind || field(map, 'v') !== 1) throw new VerifyError(`block is not a ${kind}`);
  return map;
}

function opened(bundle: Bundle, claim: Claim): Entry {
  if (!bundle.roots.includes(claim.entry)) throw new VerifyError('the entry named by the page is not a root of the bundle');
  const entry = readEntry(block(bundle, claim.entry, 'the entry'));
  if (entry.kind !== 'release' || entry.publisher !== claim.publisher) throw new VerifyError('the entry is of another publisher, or no release');
  return entry;
}

function authorised(bundle: Bundle, entry: Entry, claim: Claim): void {
  const genesis = readEntry(block(bundle, claim.publisher, 'the publisher’s first entry'));
  if (genesis.publisher !== null || genesis.kind !== 'identity' || !genesis.inline) throw new VerifyError('the publisher id is not that of an identity');
  const identity = typed(genesis.payload, 'identity');
  const same = (bytes: Uint8Array, key: Uint8Array) => hex(bytes) === hex(key);
  if (!asList(field(identity, 'roots')).some((root) => same(asBytes(root), genesis.key))) throw new VerifyError('the identity is not signed by one of its roots');
  const allowed = asList(field(identity, 'keys')).map(asMap).some((one) => same(asBytes(field(one, 'key')), entry.key) && asList(field(one, 'uses')).includes('publish'));
  if (!allowed) throw new VerifyError('the key may not publish for this publisher');
}

function released(bundle: Bundle, entry: Entry, claim: Claim): ValueMap {
  const bytes = entry.inline ? entry.payload : block(bundle, payloadId(entry), 'the release');
  if (idText(objectId(bytes)) !== claim.release) throw new VerifyError('the entry contains another release');
  return typed(bytes, 'release');
}

/** Objects of the bundle by id, including those inline in entries. */
function dataset(bundle: Bundle, link: Uint8Array): ValueMap | null {
  const id = idText(link);
  const bytes = bundle.blocks.get(id) ?? inlined(bundle, id);
  return bytes ? typed(bytes, 'dataset') : null;
}

function inlined(bundle: Bundle, id: string): Uint8Array | null {
  for (const bytes of bundle.blocks.values()) {
    if (bytes[0] !== 0xd2) continue;
    try {
      const entry = readEntry(bytes);
      if (entry.inline && idText(objectId(entry.payload)) === id) return entry.payload;
    } catch {
      // A source document can begin with the same byte.
    }
  }
  return null;
}

/** Retractions of the release or of the figure, and second histories, signed by the publisher. */
function contestsOf(bundle: Bundle, entry: Entry, claim: Claim): string[] {
  const found = new Set<string>();
  const seqs = new Set<number>();
  for (const bytes of bundle.blocks.values()) {
    const other = signedEntry(bundle, bytes, claim);
    if (!other) continue;
    if (other.seq <= entry.seq && seqs.has(other.seq)) found.add(`Contested: the publisher signed two entries with the number ${other.seq}; both are in the bundle.`);
    seqs.add(other.seq);
    if (other.kind !== 'retraction' || ![claim.release, claim.entry].includes(other.subject)) continue;
    const body = other.inline ? other.payload : bundle.blocks.get(payloadId(other));
    if (!body) continue;
    const retraction = typed(body, 'retraction');
    const whole = field(retraction, 'scope') === 'whole';
    if (whole || isPoint(field(retraction, 'scope'), claim)) found.add(`Contested: the publisher retracted this ${whole ? 'release' : 'data point'}: ${asText(field(retraction, 'reason'))}`);
  }
  return [...found];
}

/** An entry of the publisher after its first, with a valid signature by an authorised key. */
function signedEntry(bundle: Bundle, bytes: Uint8Array, claim: Claim): Entry | null {
  if (bytes[0] !== 0xd2) return null;
  try {
    const entry = readEntry(bytes);
    if (entry.publisher !== claim.publisher) return null;
    authorised(bundle, entry, claim);
    return entry;
  } catch {
    // A source document can begin with the same byte; other keys prove nothing.
    return null;
  }
}

/** Whether a scope names the figure, whose period may stand at any place of its key. */
function isPoint(scope: Value, claim: Claim): boolean {
  const points = scope instanceof Map ? scope.get('points') : undefined;
  const wanted = [...claim.key, claim.period].sort().join('\n');
  return Array.isArray(points) && points.some((point) => asList(point).map(asText).sort().join('\n') === wanted);
}

/** What the data sets of a release rest on. */
export interface Sources {
  /** Source documents whose pieces, put together, have the signed digests. */
  documents: number;
  /** Data sets without a document. */
  stated: number;
}

function sources(bundle: Bundle, release: ValueMap): Sources {
  const found: Sources = { documents: 0, stated: 0 };
  for (const link of asMap(field(release, 'inputs')).values()) {
    const input = dataset(bundle, asLink(link));
    const provenance = input && field(input, 'provenance');
    if (provenance === 'stated') found.stated += 1;
    // A computed data set rests on the release above it, which has documents of its own.
    const imported = provenance instanceof Map ? provenance.get('import') : undefined;
    if (!imported) continue;
    const companions = asMap(imported).get('companions');
    for (const link of [...asList(field(asMap(imported), 'documents')), ...(companions ? asList(companions) : [])]) {
      checkDocument(bundle, object(bundle, asLink(link), 'snapshot'));
      found.documents += 1;
    }
  }
  return found;
}

/** Compares the pieces of a document with its signed size and digests. */
function checkDocument(bundle: Bundle, snapshot: ValueMap): void {
  const hashes = { blake3: blake3.create(), sha256: sha256.create() };
  let size = 0;
  for (const piece of asList(field(snapshot, 'pieces'))) {
    const bytes = block(bundle, idText(asLink(piece)), 'a piece of the source document');
    for (const hash of Object.values(hashes)) hash.update(bytes);
    size += bytes.length;
  }
  const same = Object.entries(hashes).every(([name, hash]) => hex(hash.digest()) === hex(asBytes(field(snapshot, name))));
  if (size !== asNumber(field(snapshot, 'size')) || !same) throw new VerifyError('a source document does not match the signed digest');
}

interface Component {
  id: string;
  role: string;
  type: string;
}

/** Value at a key and period in the signed results. */
function figure(bundle: Bundle, release: ValueMap, claim: Claim): string | null {
  const content = object(bundle, asLink(field(asMap(field(release, 'results')), claim.output)), 'content');
  const structure = object(bundle, asLink(field(content, 'structure')), 'structure');
  const components = asList(field(structure, 'components')).map((one): Component => {
    const map = asMap(one);
    return { id: asText(field(map, 'id')), role: asText(field(map, 'role')), type: asText(field(map, 'type')) };
  });
  const time = components.findIndex((one) => one.role === 'identifier' && one.type === 'time_period');
  const keys = components.flatMap((one, at) => (one.role === 'identifier' && at !== time ? [at] : []));
  const measures = components.flatMap((one, at) => (one.role === 'measure' ? [at] : []));
  const measure = measures.find((at) => components[at]!.id === 'OBS_VALUE') ?? measures[0];
  if (measure === undefined || time < 0 || keys.length !== claim.key.length) throw new VerifyError('the signed data have another shape than the page says');
  for (const one of asList(field(content, 'chunks'))) {
    const chunk = readChunk(block(bundle, idText(asLink(field(asMap(one), 'chunk'))), 'a part of the results'));
    const periods = chunk.columns[time]?.() ?? [];
    const columns = keys.map((at) => chunk.columns[at]?.() ?? []);
    for (let row = 0; row < chunk.rows; row++) {
      if (periods[row] === claim.period && columns.every((column, at) => column[row] === claim.key[at])) return chunk.columns[measure]?.()[row] ?? null;
    }
  }
  throw new VerifyError('the signed data do not contain this figure');
}
