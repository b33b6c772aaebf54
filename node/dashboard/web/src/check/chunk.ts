// Column chunks (specs/objects.md, section 7): cells as text, one column at a time.
import { VerifyError, asBytes, asList, asMap, asNumber, asText, field, read } from './cbor.ts';
import type { Value } from './cbor.ts';

const ROWS_MAX = 16_384;
const FREQUENCIES = 'ASQMWD';

export type Cell = string | null;

export interface Chunk {
  rows: number;
  columns: (() => Cell[])[];
}

export function readChunk(bytes: Uint8Array): Chunk {
  const map = asMap(read(bytes));
  if (field(map, '$type') !== 'chunk' || field(map, 'v') !== 1) throw new VerifyError('not a chunk');
  const rows = asNumber(field(map, 'rows'));
  if (rows < 1 || rows > ROWS_MAX) throw new VerifyError('invalid number of rows');
  return { rows, columns: asList(field(map, 'columns')).map((column) => () => decode(column, rows)) };
}

function decode(column: Value, rows: number): Cell[] {
  const choice = [...asMap(column)];
  const [coding, body] = choice[0] ?? [];
  if (choice.length !== 1 || body === undefined) throw new VerifyError('column without encoding');
  const fields = asMap(body);
  const bytes = (name: string) => asBytes(field(fields, name));
  switch (coding) {
    case 'text': {
      const words = asList(field(fields, 'dictionary')).map(asText);
      return runs(bytes('codes'), rows).map((code) => (code === 0n ? null : known(words[Number(code) - 1])));
    }
    case 'integer': {
      const values = deltas(bytes('deltas'));
      return spread(runs(bytes('present'), rows), () => String(values()));
    }
    case 'number': {
      const coefficients = stream(bytes('coefficients'));
      return runs(bytes('exponents'), rows).map((one) => (one === 0n ? null : decimalText(zigzag(coefficients()), Number(zigzag(one - 1n)))));
    }
    case 'boolean':
      return runs(bytes('values'), rows).map((one) => (one === 0n ? null : one === 2n ? 'true' : 'false'));
    case 'period': {
      const ordinals = deltas(bytes('deltas'));
      return runs(bytes('frequencies'), rows).map((one) => (one === 0n ? null : periodText(known(FREQUENCIES[Number(one) - 1]), Number(ordinals()))));
    }
    default:
      throw new VerifyError('unknown column encoding');
  }
}

function known(text: string | undefined): string {
  if (text === undefined) throw new VerifyError('invalid dictionary code');
  return text;
}

function stream(bytes: Uint8Array): () => bigint {
  let at = 0;
  return () => {
    let value = 0n;
    for (let place = 0n; place < 18n; place++) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 127) << (7n * place);
      if (byte < 128) return value;
    }
    throw new VerifyError('truncated number');
  };
}

const zigzag = (value: bigint) => (value & 1n ? -((value + 1n) >> 1n) : value >> 1n);

function runs(bytes: Uint8Array, rows: number): bigint[] {
  const next = stream(bytes);
  const values: bigint[] = [];
  while (values.length < rows) {
    const value = next();
    const count = next();
    if (count < 1n || count > BigInt(rows - values.length)) throw new VerifyError('run lengths do not match the number of rows');
    for (let at = 0n; at < count; at++) values.push(value);
  }
  return values;
}

function deltas(bytes: Uint8Array): () => bigint {
  const next = stream(bytes);
  let sum = 0n;
  return () => (sum += zigzag(next()));
}

const spread = (present: bigint[], value: () => string): Cell[] => present.map((one) => (one === 0n ? null : value()));

/** Formats coefficient and exponent in plain decimal notation. */
export function decimalText(coefficient: bigint, exponent: number): string {
  if (exponent >= 0) return coefficient === 0n ? '0' : String(coefficient) + '0'.repeat(exponent);
  const sign = coefficient < 0n ? '-' : '';
  const digits = String(coefficient < 0n ? -coefficient : coefficient).padStart(1 - exponent, '0');
  return `${sign}${digits.slice(0, exponent)}.${digits.slice(exponent)}`;
}

/** Whether two decimals are numerically equal, ignoring trailing zeros. */
export function sameNumber(a: string, b: string): boolean {
  const [x, y] = [plain(a), plain(b)];
  return x !== null && x === y;
}

/** Normalised digits and exponent, computed without floating point. */
function plain(text: string): string | null {
  const match = /^([-+−]?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d{1,5}))?$/.exec(text.trim());
  if (!match) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return '0';
  const short = digits.replace(/0+$/, '');
  return `${sign === '-' || sign === '−' ? '-' : ''}${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
}

const year = (value: number) => String(value).padStart(4, '0');
const two = (value: number) => String(value).padStart(2, '0');
const DAY_MILLIS = 86_400_000;
const FIRST_DAY = new Date('0001-01-01T00:00:00Z').getTime();

export function periodText(frequency: string, ordinal: number): string {
  const place = { S: 2, Q: 4, M: 12 }[frequency];
  if (frequency === 'A') return year(ordinal);
  if (place) {
    const number = (ordinal % place) + 1;
    return `${year(Math.floor(ordinal / place))}-${frequency}${place === 12 ? two(number) : number}`;
  }
  if (frequency === 'D') return new Date(FIRST_DAY + ordinal * DAY_MILLIS).toISOString().slice(0, 10);
  // The year of a week is the year of its Thursday.
  const thursday = new Date(FIRST_DAY + (ordinal * 7 + 3) * DAY_MILLIS);
  const first = Date.parse(`${year(thursday.getUTCFullYear())}-01-01T00:00:00Z`);
  return `${year(thursday.getUTCFullYear())}-W${two(Math.floor((thursday.getTime() - first) / (7 * DAY_MILLIS)) + 1)}`;
}
