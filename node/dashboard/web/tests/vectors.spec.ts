// The readers of src/check against the vectors of specs/: the same accepted, the same refused.
import { expect, test } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBundle } from '../src/check/car.ts';
import { identified, read } from '../src/check/cbor.ts';
import { readChunk } from '../src/check/chunk.ts';
import { readEntry } from '../src/check/entry.ts';
import { fits, idBytes, idText, objectId } from '../src/check/id.ts';
import { verifySignature } from '../src/check/signature.ts';

interface Case {
  name: string;
  reason: string;
  level: string;
  expect: string;
  bytes?: string;
  repeat?: unknown;
  text?: string;
  id?: string;
  key?: string;
  message?: string;
}

const folder = process.env['ASSAY_VECTORS'] ?? '';

function cases(name: string): Case[] {
  const found = (JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as { cases: Case[] }).cases;
  expect(found.length).toBeGreaterThan(0);
  // Cases that are made by repetition are bounds of size; those of ours are tested by the node.
  return found.filter((one) => one.repeat === undefined);
}

const bytes = (hex: string | undefined) => Uint8Array.from(Buffer.from(hex ?? '', 'hex'));

async function holds(work: () => unknown): Promise<boolean> {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
}

async function all(found: Case[], work: (one: Case) => unknown): Promise<void> {
  const wrong: string[] = [];
  for (const one of found) if ((await holds(() => work(one))) !== (one.expect === 'ok')) wrong.push(`${one.name} (${one.reason}): ${one.expect}`);
  expect(wrong).toEqual([]);
}

test('DAG-CBOR is read strictly', () => all(cases('cbor'), (one) => read(bytes(one.bytes))));

test('ids', () =>
  all(cases('id'), (one) => {
    if (idText(identified(idBytes(one.text ?? '')!)) !== one.text) throw new Error('another spelling');
  }));

test('bundles', () => all(cases('car'), (one) => readBundle(bytes(one.bytes))));

test('signatures, in every corner of the curve', async () => {
  const found = cases('signature');
  const wrong = found.filter((one) => verifySignature(bytes(one.key), bytes(one.message), bytes(one.bytes)) !== (one.expect === 'ok'));
  expect(wrong.map((one) => `${one.name} (${one.reason})`)).toEqual([]);
});

test('entries', () =>
  // Faults of the object inside are the business of whoever reads it.
  all(cases('entry').filter((one) => one.level !== 'object'), (one) => {
    readEntry(bytes(one.bytes));
    if (one.id) expect(fits(idBytes(one.id)!, bytes(one.bytes))).toBe(true);
  }));

test('chunks that are sound are read, and ids are spelled alike', () => {
  for (const one of cases('chunk').filter((one) => one.expect === 'ok')) {
    const chunk = readChunk(bytes(one.bytes));
    expect(chunk.columns.every((column) => column().length === chunk.rows), one.name).toBe(true);
    expect(idText(objectId(bytes(one.bytes)))).toBe(one.id);
  }
  const sample = readChunk(bytes(cases('chunk')[0]!.bytes));
  expect(sample.columns.map((column) => column())).toEqual([
    ['AUT', 'AUT', 'BEL'],
    ['2010', '2011', '2010'],
    ['9.1', '9.10', null],
    ['300', null, '-7'],
    ['false', 'true', null],
  ]);
});
