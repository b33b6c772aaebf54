// The checks of the reader's browser: they hold for what was signed, and for nothing else.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from '../src/check/verify.ts';
import type { Claim } from '../src/check/verify.ts';
import { expect, test } from './page.ts';
import { assay, stage } from './stage.ts';
import { tampering } from './tamper.ts';

const path = () => `/figure/${stage().office.publisher}/inflation/TUR/2018`;

test('the browser checks the figure by itself', async ({ page }) => {
  await page.goto(stage().university.api + path());
  const steps = page.locator('.checked li');
  await expect(page.locator('.checked')).toHaveAttribute('data-done', 'true');
  await expect(page.locator('.checked ol li.holds')).toHaveCount(6);
  await expect(page.locator('.checked ol li.wrong, .checked ol li.unknown')).toHaveCount(0);
  await expect(steps.filter({ hasText: 'Ed25519' })).toBeVisible();
  await expect(page.locator('h1')).toContainText('16.3324');
  await expect(page.getByText(/^✓ Reproduced by 2 of/)).toBeVisible();
  await page.getByText('Not covered by these checks').click();
  await expect(page.getByText(/names are self-declared/)).toBeVisible();
  const address = await page.locator('.copy code').first().innerText();
  expect(assay(stage().university.data, ...address.replace(/^assay /, '').split(' '))).toContain('reproduced');
});

test('a release is run again while the reader watches', async ({ page }) => {
  await page.goto(stage().university.api + path());
  await page.getByRole('button', { name: 'Re-run now' }).click();
  await expect(page.getByText(/Reproduced to the last digit/)).toBeVisible();
});

test('a falsified figure is signed well and exposed all the same', async ({ page }) => {
  await page.goto(`${stage().university.api}/figure/${stage().rival.publisher}/inflation/TUR/2018`);
  await expect(page.locator('h1')).toContainText('10.3324');
  await expect(page.getByText(/^Does not hold: published as 10\.332464, its documents and recipe give 16\.332464/)).toBeVisible();
  await expect(page.locator('h1 s')).toBeVisible();
  await page.getByRole('button', { name: 'Re-run now' }).click();
  await expect(page.getByText(/1 cell differs, the first is INFLATION\[TUR, 2018\]: published 10\.332464, computed 16\.332464/)).toBeVisible();
});

test('a country is led by the figure that holds, not by the one that is disputed', async ({ page }) => {
  await page.goto(`${stage().university.api}/country/TUR?indicator=inflation`);
  await expect(page.locator('.latest .big').first()).toHaveText('16.33 %');
  await expect(page.getByLabel('Gap to')).toContainText(/: Inflation/);
});

test('one digit changed in an answer is caught', async ({ page }) => {
  const proxy = await tampering(stage().university.api, 'figure');
  await page.goto(proxy.api + path());
  await expect(page.locator('.checked li.wrong')).toContainText('not the one that was signed');
  await expect(page.getByText(/^✕ Checked by your browser/)).toBeVisible();
  proxy.close();
});

test('one byte changed in a bundle is caught', async ({ page }) => {
  const proxy = await tampering(stage().university.api, 'bundle');
  await page.goto(proxy.api + path());
  await expect(page.locator('.checked li.wrong')).toHaveCount(1);
  await expect(page.locator('.checked li.holds')).toHaveCount(0);
  proxy.close();
});

test('a bundle of the command line holds, and no byte of it can be another', async () => {
  const { api, publisher, data } = stage().university;
  const { office } = stage();
  expect(publisher).not.toBe(office.publisher);
  const file = join(mkdtempSync(join(tmpdir(), 'assay-car-')), 'inflation.car');
  assay(data, 'export', `assay://${office.publisher}/inflation`, '-o', file);
  const releases = (await (await fetch(`${api}/api/v1/releases`)).json()) as { id: string; position: { publisher: string; entry: string }; release: { dataflow: string } }[];
  const release = releases.find((one) => one.position.publisher === office.publisher && one.release.dataflow === 'inflation')!;
  const claim: Claim = { publisher: office.publisher, entry: release.position.entry, release: release.id, output: 'INFLATION', key: ['TUR'], period: '2018', value: '16.332464' };
  const bytes = new Uint8Array(readFileSync(file));
  const held: string[] = [];
  await check(bytes, claim, (text) => held.push(text));
  expect(held).toHaveLength(6);
  for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 97)) {
    const bent = bytes.slice();
    bent[at]! ^= 1;
    await expect(check(bent, claim, () => {}), `byte ${at}`).rejects.toThrow();
  }
  const others: Partial<Claim>[] = [{ value: '16.332465' }, { value: null }, { period: '2017' }, { key: ['USA'] }, { key: ['XXX'] }, { publisher }, { release: claim.entry }];
  for (const other of others) await expect(check(bytes, { ...claim, ...other }, () => {}), JSON.stringify(other)).rejects.toThrow();
});
