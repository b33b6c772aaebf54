// Measures the dashboard with three measures of the world over sixty years, and prints what it finds.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from '@playwright/test';
import type { Browser, Page } from '@playwright/test';
import { AREAS, assay, node, scene } from './stage.ts';
import type { Actor } from './stage.ts';

const LOADS = 5;
const STEPS = 40;
const FILES = { inflation: 'FP.CPI.TOTL', unemployment: 'SL.UEM.TOTL.ZS', gdp: 'NY.GDP.MKTP.CD' } as const;
const MEASURES = Object.keys(FILES) as (keyof typeof FILES)[];

/** Unemployment as it was published: the library computes it from counts, which the files do not have. */
const RATE = `title = "Unemployment rate, as published"
indicator = "unemployment"
licence = "CC0-1.0"
description = "The rate of the source, to four decimals."

[inputs.RATE]
title = "Unemployment rate"
identifiers = ["REF_AREA", "TIME_PERIOD:time_period"]
measures = ["OBS_VALUE:number"]

[outputs.UNEMPLOYMENT]
title = "Unemployment rate"
unit = "per cent of the labour force"
`;

/** The file of the World Bank for an indicator, where it is at hand. */
function real(indicator: string): string | null {
  const folder = join(process.env['ASSAY_DATA'] ?? '', 'worldbank');
  if (!existsSync(folder)) return null;
  const names = execFileSync('ls', [folder], { encoding: 'utf8' }).split('\n');
  const name = names.find((one) => one.startsWith(`API_${indicator}_`) && one.endsWith('.csv'));
  return name ? join(folder, name) : null;
}

/** Numbers of nobody: a level that grows, a rate that swings. */
function generated(measure: string): string {
  const rows = ['REF_AREA,TIME_PERIOD,OBS_VALUE'];
  AREAS.forEach((area, place) => {
    let level = 50 + place;
    for (let year = 1965; year <= 2024; year++) {
      const swing = ((place * 37 + (year - 1965) * 13) % 90) / 10;
      level *= 1 + swing / 100;
      rows.push(`${area},${year},${(measure === 'unemployment' ? swing + 1 : level).toFixed(4)}`);
    }
  });
  return `${rows.join('\n')}\n`;
}

function publish(data: string, dir: string): string {
  const files = MEASURES.map((measure) => real(FILES[measure]));
  const whole = files.every((file) => file !== null);
  writeFileSync(join(dir, 'rate.toml'), RATE);
  writeFileSync(join(dir, 'rate.vtl'), 'UNEMPLOYMENT <- round(RATE, 4);\n');
  const recipes = { inflation: 'inflation/cpi-annual', unemployment: join(dir, 'rate.toml'), gdp: 'gdp/growth-annual' };
  MEASURES.forEach((measure, at) => {
    const indicator = FILES[measure];
    if (whole) assay(data, 'import', 'worldbank', files[at]!);
    else {
      const file = join(dir, `${measure}.csv`);
      writeFileSync(file, generated(measure));
      assay(data, 'import', 'csv', file, '--dataflow', indicator, '--title', 'Generated numbers, of no country', '--licence', 'CC0-1.0', '--force');
    }
    assay(data, 'publish', recipes[measure], '--input', indicator, '--dataflow', measure);
  });
  return whole ? 'files of the World Bank' : 'GENERATED numbers (no folder ASSAY_DATA)';
}

interface Load {
  bytes: number;
  first: number;
  largest: number;
  ready: number;
  blocked: number;
  shift: number;
}

/** What a page notes of itself from its first moment on. */
const note = () => {
  const found = { largest: 0, blocked: 0, shift: 0 };
  Object.assign(window, { found });
  const watch = (type: string, see: (entry: PerformanceEntry) => void) => new PerformanceObserver((list) => list.getEntries().forEach(see)).observe({ type, buffered: true });
  watch('largest-contentful-paint', (entry) => (found.largest = entry.startTime));
  watch('longtask', (entry) => (found.blocked += Math.max(0, entry.duration - 50)));
  watch('layout-shift', (entry) => (found.shift += (entry as PerformanceEntry & { value: number }).value));
};

async function loaded(browser: Browser, url: string): Promise<Load> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(note);
  let bytes = 0;
  page.on('requestfinished', async (request) => {
    const { responseBodySize, responseHeadersSize } = await request.sizes();
    bytes += responseBodySize + responseHeadersSize;
  });
  const begun = Date.now();
  await page.goto(url);
  await page.locator('.area.c4, .area.c5').first().waitFor({ state: 'attached' });
  const ready = Date.now() - begun;
  await page.waitForLoadState('networkidle');
  const found = await page.evaluate(() => {
    const first = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN;
    return { first, ...(window as unknown as { found: { largest: number; blocked: number; shift: number } }).found };
  });
  await context.close();
  return { ...found, bytes, ready };
}

/** Milliseconds from moving the slider to the frame that shows the year. */
function steps(page: Page): Promise<number[]> {
  return page.evaluate(async (many) => {
    const input = document.querySelector<HTMLInputElement>('.slider input')!;
    const frame = () => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
    const times: number[] = [];
    for (let year = 0; year < many; year++) {
      await frame();
      const begun = performance.now();
      input.value = String(5 + year);
      input.dispatchEvent(new Event('input', { bubbles: true }));
      await frame();
      times.push(performance.now() - begun);
    }
    return times;
  }, STEPS);
}

function middle(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

/** The scores of Lighthouse, where one is named. */
function lighthouse(url: string): void {
  const program = process.env['ASSAY_LIGHTHOUSE_BIN'];
  if (!program) return;
  for (const form of ['desktop', 'phone']) {
    const report = join(test.info().outputPath(), `${form}.json`);
    const flags = ['--headless=new', '--no-sandbox', '--disable-gpu'].join(' ');
    const args = [url, '--quiet', '--output=json', `--output-path=${report}`, `--chrome-flags=${flags}`, ...(form === 'desktop' ? ['--preset=desktop'] : [])];
    execFileSync(program, args, { env: { ...process.env, CHROME_PATH: process.env['ASSAY_CHROMIUM'] ?? '/usr/bin/chromium' }, stdio: 'ignore' });
    const { categories } = JSON.parse(readFileSync(report, 'utf8')) as { categories: Record<string, { score: number }> };
    const scores = ['performance', 'accessibility', 'best-practices', 'seo'].map((name) => `${name} ${Math.round((categories[name]?.score ?? NaN) * 100)}`);
    console.log(`  Lighthouse, ${form}, ${new URL(url).pathname.slice(0, 24)}: ${scores.join(', ')}`);
  }
}

test('the dashboard', async ({ browser }) => {
  const stage = scene();
  try {
    const data = join(stage.dir, 'world');
    assay(data, 'init', '--name', 'Measured');
    const from = publish(data, stage.dir);
    const actor: Actor = await node(stage, data, null);
    console.log(`\n${from}; median of ${LOADS} loads with nothing kept, of ${STEPS} years`);
    console.log('measure        first load  first paint  largest paint  map drawn  blocked  layout shift  year step');
    for (const measure of MEASURES) {
      const url = `${actor.api}/world/${measure}`;
      const loads: Load[] = [];
      for (let turn = 0; turn < LOADS; turn++) loads.push(await loaded(browser, url));
      const of = (name: keyof Load) => middle(loads.map((load) => load[name]));
      const page = await browser.newPage();
      await page.goto(url);
      await page.locator('.slider input').waitFor();
      const step = middle(await steps(page));
      await page.close();
      const cells = [`${(of('bytes') / 1000).toFixed(1)} kB`, `${of('first').toFixed(0)} ms`, `${of('largest').toFixed(0)} ms`, `${of('ready')} ms`, `${of('blocked').toFixed(0)} ms`, of('shift').toFixed(3), `${step.toFixed(1)} ms`];
      console.log(`${measure.padEnd(14)} ${cells.map((cell, at) => cell.padStart([10, 12, 14, 10, 8, 13, 10][at]!)).join(' ')}`);
    }
    for (const path of ['/world/inflation', '/country/DEU', `/figure/${actor.publisher}/gdp/DEU/2015`]) lighthouse(actor.api + path);
  } finally {
    await stage.down();
  }
});
