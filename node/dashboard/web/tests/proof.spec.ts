// The checks of the reader's browser: they hold for what was signed, and for nothing else.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from '../src/check/verify.ts';
import type { Claim } from '../src/check/verify.ts';
import { accessible, expect, fits, shot, test } from './page.ts';
import { assay, stage } from './stage.ts';
import { tampering } from './tamper.ts';

const path = () => `/figure/${stage().office.publisher}/inflation/TUR/2018`;

test('the browser checks the figure by itself', async ({ page }) => {
  await page.goto(stage().university.api + path());
  const steps = page.locator('.checked li');
  await expect(page.locator('.checked')).toHaveAttribute('data-done', 'true');
  await expect(page.locator('.checked ol li.holds')).toHaveCount(6);
  await expect(page.locator('.checked ol li.wrong, .checked ol li.unknown')).toHaveCount(0);
  await expect(page.locator('.checked ol li.open')).toContainText('Not checked in the browser: the document against the data');
  await expect(steps.filter({ hasText: 'Ed25519' })).toBeVisible();
  await expect(page.locator('h1')).toContainText('16.3324');
  await expect(page.locator('[data-standing=holds]')).toHaveText('Holds: source read again and recipe run again here and by 1 followed publisher.');
  await expect(page.locator('section', { hasText: 'Other methods' }).last().locator('s')).toHaveText('10.3324');
  await expect(page.getByText(/^✓ Confirmed by 1 followed publisher/)).toBeVisible();
  await expect(page.locator('.digest')).toHaveText(/^SHA-256 [0-9a-f]{64}$/);
  await accessible(page);
  await shot(page, 'standing-holds');
  await page.getByText('Not covered by these checks').click();
  await expect(page.getByText(/names are self-declared/)).toBeVisible();
  const address = await page.locator('.copy code').first().innerText();
  expect(assay(stage().university.data, ...address.replace(/^assay /, '').split(' '))).toContain('reproduced');
});

test('a release is run again while the reader watches', async ({ page }) => {
  await page.goto(stage().university.api + path());
  await page.getByRole('button', { name: 'Re-run now' }).click();
  await expect(page.getByText('This figure holds.')).toBeVisible();
  await expect(page.getByText(/The whole release is reproduced to the last digit/)).toBeVisible();
});

test('a falsified figure is signed well and exposed all the same', async ({ page }) => {
  await page.goto(`${stage().university.api}/figure/${stage().rival.publisher}/inflation/TUR/2018`);
  await expect(page.locator('h1')).toContainText('10.3324');
  await expect(page.locator('h1 s')).toContainText('10.3324');
  await expect(page.locator('h1 .computed')).toContainText('16.3324');
  await expect(page.locator('.alarm[data-standing=does_not_hold]')).toContainText('Does not hold: published 10.332464, computed 16.332464.');
  await expect(page.getByText(/^✕ Another value found by 1 followed publisher/)).toBeVisible();
  await expect(page.getByText(/\(2\d{3}\)\. .*10\.332464.* does not hold: published 10\.332464, computed 16\.332464\. assay:/)).toBeVisible();
  await accessible(page);
  await shot(page, 'standing-does-not-hold');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page);
  await accessible(page);
  await shot(page, 'standing-does-not-hold-phone');
  await expect(page.getByRole('row', { name: /official/ }).locator('s')).toHaveCount(0);
  await page.getByRole('button', { name: 'Re-run now' }).click();
  await expect(page.getByText('This figure does not hold: published 10.332464, computed 16.332464.')).toBeVisible();
  await expect(page.getByText(/1 cell differs, the first is INFLATION\[TUR, 2018\]: published 10\.332464, computed 16\.332464/)).toBeVisible();
});

test('the other figures of a falsified release hold', async ({ page }) => {
  await page.goto(`${stage().university.api}/figure/${stage().rival.publisher}/inflation/TUR/2017`);
  await expect(page.locator('[data-standing]')).toHaveText(/^Holds: source read again and recipe run again here/);
  await expect(page.locator('h1 s')).toHaveCount(0);
  await expect(page.getByText(/Another value|Disputed/)).toHaveCount(0);
});

test('a falsified figure is struck through in tables, and counted at its publisher', async ({ page }) => {
  const { university, rival } = stage();
  await page.goto(`${university.api}/world/inflation?method=${rival.publisher}/inflation&view=table&period=2018`);
  await expect(page.locator('tbody s')).toHaveCount(1);
  await expect(page.locator('.source')).toContainText('1 figure does not hold');
  await shot(page, 'standing-table');
  await page.goto(`${university.api}/world/inflation?method=${rival.publisher}/inflation&period=2018`);
  await expect(page.locator('.area.wrong')).toHaveCount(1);
  await expect(page.getByRole('option', { name: /^Turkiye: 10\.33.% \(does not hold\)$/ })).toBeAttached();
  await shot(page, 'standing-map');
  await page.goto(`${university.api}/country/TUR?indicator=inflation`);
  await expect(page.locator('.dot.wrong')).toHaveCount(1);
  await expect(page.locator('.latest')).not.toContainText('does not hold');
  await accessible(page);
  await shot(page, 'standing-country');
  await page.goto(`${university.api}/embed/world/inflation?method=${rival.publisher}/inflation`);
  await expect(page.locator('.credit')).toContainText('1 figure does not hold');
  await page.goto(`${university.api}/publisher/${rival.publisher}`);
  await expect(page.locator('.badge').first()).toHaveText(/^✕ Caught1 release that does not hold$/);
  await accessible(page);
  await shot(page, 'standing-publisher');
});

test('a figure that nobody ran is unchecked, with the button that runs it', async ({ page }) => {
  const { api, publisher } = stage().world;
  await page.goto(`${api}/figure/${publisher}/inflation/DEU/2020`);
  const line = page.locator('[data-standing=unchecked]');
  await expect(line).toContainText('Unchecked: signed by this node, run by no publisher that it follows.');
  await shot(page, 'standing-unchecked');
  await line.getByRole('button', { name: 'Run it here' }).click();
  await expect(line).toContainText('Just run again here: it holds.');
});

test('a retracted figure of stated data is contested, and says why', async ({ page }) => {
  const { api, publisher } = stage().withdrawn;
  await page.goto(`${api}/figure/${publisher}/inflation/TUR/2019`);
  const line = page.locator('.contested[data-standing=contested]');
  await expect(line).toContainText('Contested: its publisher retracted the release.');
  await expect(line).toContainText('a row was read twice');
  await expect(page.getByText('stated by the publisher, without a document')).not.toHaveCount(0);
  await expect(page.locator('.checked')).toHaveAttribute('data-done', 'true');
  await expect(page.locator('.checked ol li.wrong')).toHaveCount(0);
  await expect(page.locator('.checked ol li.contest')).toContainText('Contested: the publisher retracted this release: a row was read twice');
  await expect(page.locator('.checked ol li.open').last()).toContainText('One data set is stated by the publisher, without a document.');
  await accessible(page);
  await shot(page, 'standing-contested');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page);
  await accessible(page);
  await shot(page, 'standing-contested-phone');
  await page.goto(`${api}/publisher/${publisher}`);
  await expect(page.locator('.badge').first()).toHaveText(/^✕ Caught1 retraction$/);
});

test('a country is led by the figure that holds, not by the one that does not hold', async ({ page }) => {
  await page.goto(`${stage().university.api}/country/TUR?indicator=inflation`);
  await expect(page.locator('.latest .big').first()).toHaveText('16.33 %');
  await expect(page.getByLabel('Gap to')).toContainText(/: Inflation/);
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('the same words stand in the text, the preview and the citation of machines', async ({ page }) => {
    const { university, rival, withdrawn, world } = stage();
    const cases: [path: string, title: RegExp, sentence: string][] = [
      [`${university.api}/figure/${rival.publisher}/inflation/TUR/2018`, /10\.332464 % \(does not hold\)/, 'Does not hold: published 10.332464, computed 16.332464'],
      [`${university.api}/figure/${rival.publisher}/inflation/TUR/2017`, /%$/, 'Holds: source read again and recipe run again here'],
      [`${withdrawn.api}/figure/${withdrawn.publisher}/inflation/TUR/2019`, /20 % \(contested\)/, 'Contested: its publisher retracted the release'],
      [`${world.api}/figure/${world.publisher}/inflation/DEU/2020`, /4\.5 %$/, 'Unchecked: signed by this node, run by no publisher that it follows'],
    ];
    for (const [path, title, sentence] of cases) {
      await page.goto(path);
      await expect(page.locator('h1'), path).toHaveText(title);
      await expect(page.locator('[data-standing]'), path).toContainText(sentence);
      await expect(page.locator('meta[property="og:description"]'), path).toHaveAttribute('content', new RegExp(sentence.slice(1)));
      const data = JSON.parse((await page.locator('script[type="application/ld+json"]').textContent()) ?? '{}') as { creativeWorkStatus?: string };
      expect(data.creativeWorkStatus, path).toContain(sentence);
    }
    await page.goto(cases[0]![0]);
    await expect(page.locator('[data-standing] s')).toHaveText('10.332464 %');
    await shot(page, 'standing-no-script');
  });
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
  expect((await check(bytes, claim, () => {})).contests).toEqual([]);
  for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 97)) {
    const bent = bytes.slice();
    bent[at]! ^= 1;
    await expect(check(bent, claim, () => {}), `byte ${at}`).rejects.toThrow();
  }
  const others: Partial<Claim>[] = [{ value: '16.332465' }, { value: null }, { period: '2017' }, { key: ['USA'] }, { key: ['XXX'] }, { publisher }, { release: claim.entry }];
  for (const other of others) await expect(check(bytes, { ...claim, ...other }, () => {}), JSON.stringify(other)).rejects.toThrow();
});
