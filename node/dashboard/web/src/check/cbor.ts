// A strict reader of DAG-CBOR (specs/objects.md, section 1) and of the envelopes of a log (specs/log.md,
// section 1). It refuses whatever has a second spelling.

export class VerifyError extends Error {}

/** Link to another block: the 36 bytes of its id. */
export class Link {
  readonly id: Uint8Array;
  constructor(id: Uint8Array) {
    this.id = id;
  }
}

export type Value = bigint | number | boolean | null | string | Uint8Array | Link | Value[] | ValueMap;
export type ValueMap = Map<string | number, Value>;

const DEPTH_MAX = 32;
const ITEMS_MAX = 131_072;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function read(bytes: Uint8Array): Value {
  return whole(new Reader(bytes, false));
}

/** Reads an envelope: keys may be integers, and links are not allowed. */
export function readEnvelope(bytes: Uint8Array): Value {
  return whole(new Reader(bytes, true));
}

function whole(reader: Reader): Value {
  const value = reader.item(0);
  if (reader.at !== reader.bytes.length) throw new VerifyError('trailing bytes');
  return value;
}

class Reader {
  readonly bytes: Uint8Array;
  readonly envelope: boolean;
  at = 0;
  #items = 0;

  constructor(bytes: Uint8Array, envelope: boolean) {
    this.bytes = bytes;
    this.envelope = envelope;
  }

  take(count: number | bigint): Uint8Array {
    if (BigInt(count) > BigInt(this.bytes.length - this.at)) throw new VerifyError('truncated item');
    const start = this.at;
    this.at += Number(count);
    return this.bytes.subarray(start, this.at);
  }

  head(): { major: number; value: bigint } {
    const first = this.take(1)[0]!;
    const major = first >> 5;
    const info = first & 31;
    if (info < 24) return { major, value: BigInt(info) };
    if (info > 27) throw new VerifyError('indefinite length or reserved header');
    const size = 1 << (info - 24);
    let value = 0n;
    for (const byte of this.take(size)) value = (value << 8n) | BigInt(byte);
    const least = size === 1 ? 24n : 1n << BigInt(size * 4);
    if (value < least) throw new VerifyError('header not minimal');
    return { major, value };
  }

  item(depth: number): Value {
    this.#items += 1;
    if (this.#items > ITEMS_MAX) throw new VerifyError('too many items');
    if (this.bytes[this.at] === undefined) throw new VerifyError('truncated item');
    if (this.bytes[this.at]! >> 5 === 7) return this.simple();
    const { major, value } = this.head();
    switch (major) {
      case 0:
        return integer(value);
      case 1:
        return integer(-1n - value);
      case 2:
        return this.take(value);
      case 3:
        return this.text(value);
      case 4:
        return this.list(value, depth);
      case 5:
        return this.map(value, depth);
      default:
        return this.link(value);
    }
  }

  simple(): boolean | null {
    const byte = this.take(1)[0]!;
    if (byte === 0xf4) return false;
    if (byte === 0xf5) return true;
    if (byte === 0xf6) return null;
    throw new VerifyError('unsupported float or simple value');
  }

  text(length: bigint): string {
    const bytes = this.take(length);
    try {
      return utf8.decode(bytes);
    } catch {
      throw new VerifyError('text is not UTF-8');
    }
  }

  list(length: bigint, depth: number): Value[] {
    this.room(length, depth, 1n);
    const list: Value[] = [];
    for (let at = 0n; at < length; at++) list.push(this.item(depth + 1));
    return list;
  }

  map(length: bigint, depth: number): ValueMap {
    this.room(length, depth, 2n);
    const map: ValueMap = new Map();
    let before: Uint8Array | null = null;
    for (let at = 0n; at < length; at++) {
      const start = this.at;
      const key = this.item(depth + 1);
      const spelled = this.bytes.subarray(start, this.at);
      if (typeof key !== 'string' && !(this.envelope && typeof key === 'number')) throw new VerifyError('key is not text');
      if (before && compare(before, spelled) >= 0) throw new VerifyError('keys not in order or duplicated');
      before = spelled;
      map.set(key, this.item(depth + 1));
    }
    return map;
  }

  /** Rejects lengths beyond the input before anything is allocated. */
  room(length: bigint, depth: number, each: bigint): void {
    if (length > 0n && depth >= DEPTH_MAX) throw new VerifyError('nested too deeply');
    if (length * each > BigInt(this.bytes.length - this.at)) throw new VerifyError('truncated item');
  }

  link(tag: bigint): Link {
    if (tag !== 42n || this.envelope) throw new VerifyError('unsupported tag');
    this.#items += 1;
    const { major, value } = this.head();
    if (major !== 2 || value !== 37n) throw new VerifyError('invalid link');
    const bytes = this.take(37);
    if (bytes[0] !== 0) throw new VerifyError('invalid link');
    return new Link(identified(bytes.subarray(1)));
  }
}

/** Checks the first four bytes of an id (specs/objects.md, section 2). */
export function identified(id: Uint8Array): Uint8Array {
  const right = id.length === 36 && id[0] === 1 && (id[1] === 0x71 || id[1] === 0x55) && id[2] === 0x1e && id[3] === 32;
  if (!right) throw new VerifyError('unsupported id');
  return id;
}

function integer(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** Bytewise order; a prefix sorts first. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at++) if (a[at] !== b[at]) return a[at]! - b[at]!;
  return a.length - b.length;
}

// Typed access to required fields of an object.

export function field(map: ValueMap, name: string | number): Value {
  const value = map.get(name);
  if (value === undefined) throw new VerifyError(`missing field \`${name}\``);
  return value;
}

export function asMap(value: Value): ValueMap {
  if (value instanceof Map) return value;
  throw new VerifyError('expected a map');
}

export function asList(value: Value): Value[] {
  if (Array.isArray(value)) return value;
  throw new VerifyError('expected a list');
}

export function asText(value: Value): string {
  if (typeof value === 'string') return value;
  throw new VerifyError('expected text');
}

export function asBytes(value: Value): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new VerifyError('expected bytes');
}

export function asNumber(value: Value): number {
  if (typeof value === 'number') return value;
  throw new VerifyError('expected an integer');
}

export function asLink(value: Value): Uint8Array {
  if (value instanceof Link) return value.id;
  throw new VerifyError('expected a link');
}
