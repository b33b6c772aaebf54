// What a reader does, mostly with the keyboard alone.
import { expect, test } from './page.ts';
import { alike } from '../src/text.ts';
import { assay, stage } from './stage.ts';

test('the map is walked and countries are compared by keyboard', async ({ page }) => {
  await page.goto(`${stage().world.api}/world/inflation`);
  const map = page.getByRole('listbox');
  await map.focus();
  await page.keyboard.press('g');
  await expect(page.locator('.live')).toContainText('Gabon');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('.live')).toContainText('Gambia');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/compare=GMB/);
  await expect(page.getByRole('option', { name: /Gambia/ })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('Enter');
  await expect(page).not.toHaveURL(/compare/);
});

test('the years go by, in the address too, without asking the node again', async ({ page }) => {
  await page.goto(`${stage().world.api}/world/inflation`);
  const slider = page.getByRole('slider', { name: 'Period' });
  await slider.focus();
  const asked: string[] = [];
  page.on('request', (request) => new URL(request.url()).pathname.startsWith('/api/') && asked.push(request.url()));
  await page.keyboard.press('Home');
  await expect(page).toHaveURL(/period=1961/);
  await page.keyboard.press('ArrowRight');
  await expect(page).toHaveURL(/period=1962/);
  const spent = await page.evaluate(() => {
    const input = document.querySelector<HTMLInputElement>('.slider input')!;
    const times: number[] = [];
    for (let year = 3; year < 33; year++) {
      const begun = performance.now();
      input.value = String(year);
      input.dispatchEvent(new Event('input', { bubbles: true }));
      return new Promise<number[]>((done) => {
        const next = (at: number, from: number) =>
          requestAnimationFrame(() => {
            document.body.getBoundingClientRect();
            times.push(performance.now() - from);
            if (at >= 33) return done(times);
            const start = performance.now();
            input.value = String(at);
            input.dispatchEvent(new Event('input', { bubbles: true }));
            next(at + 1, start);
          });
        next(year + 1, begun);
      });
    }
    return Promise.resolve(times);
  });
  const middle = spent.sort((a, b) => a - b)[Math.floor(spent.length / 2)]!;
  console.log(`a year step takes ${middle.toFixed(1)} ms (median of ${spent.length})`);
  expect(asked).toEqual([]);
  await page.getByRole('button', { name: /Play/ }).click();
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible();
  await page.getByRole('button', { name: 'Stop' }).click();
});

test('table, sorting, finding, and the figure behind a number', async ({ page }) => {
  await page.goto(`${stage().world.api}/world/inflation?period=2020`);
  await page.getByRole('tab', { name: 'Map' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(page).toHaveURL(/view=table/);
  await page.getByRole('button', { name: '2020' }).click();
  await expect(page.getByRole('columnheader', { name: /2020/ })).toHaveAttribute('aria-sort', 'descending');
  const cells = await page.locator('tbody td:nth-child(2)').allInnerTexts();
  const values = cells.filter((text) => text !== 'no data').map((text) => Number(text.replace('−', '-')));
  expect(values.length).toBeGreaterThan(150);
  expect(values).toEqual([...values].sort((a, b) => b - a));
  await page.getByRole('searchbox', { name: 'Filter the table' }).fill('germ');
  await expect(page.locator('tbody tr')).toHaveCount(1);
  const shown = await page.locator('tbody td a').first().innerText();
  await page.locator('tbody td a').first().click();
  await expect(page).toHaveURL(/\/figure\/.*\/inflation\/DEU\/2020$/);
  await expect(page.locator('h1 [data-value]')).toBeVisible();
  const exact = Number(await page.locator('h1 [data-value]').getAttribute('data-value'));
  expect(Math.abs(exact - Number(shown.replace('−', '-')))).toBeLessThanOrEqual(0.005);
  await page.goBack();
  await expect(page).toHaveURL(/view=table/);
});

test('countries are added by name, and the figures are downloaded', async ({ page }) => {
  await page.goto(`${stage().world.api}/world/inflation?view=chart`);
  await page.getByLabel('Add a country').fill('France');
  await expect(page).toHaveURL(/compare=FRA/);
  await page.getByLabel('Add a country').fill('Japan');
  await expect(page).toHaveURL(/compare=FRA,JPN/);
  await expect(page.locator('.chart path.line')).toHaveCount(2);
  const chart = page.getByRole('slider', { name: /arrow keys to read/ });
  await chart.focus();
  await page.keyboard.press('Home');
  await expect(chart).toHaveAttribute('aria-valuetext', /^1961: .*France .*%/);
  const waiting = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download CSV' }).click();
  const download = await waiting;
  expect(download.suggestedFilename()).toBe('inflation.csv');
  await page.getByRole('button', { name: 'Remove France' }).click();
  await expect(page).toHaveURL(/compare=JPN/);
});

test('a country shows the gap between the methods', async ({ page }) => {
  await page.goto(`${stage().world.api}/country/DEU`);
  await expect(page.getByText(/Largest in \d{4}: .* percentage points/)).toBeVisible();
  await expect(page.locator('.measure .chart').first().locator('path.line')).toHaveCount(3);
  await expect(page.locator('.measure path.dashed').first()).toBeVisible();
  await page.getByText('3 series: publication and verification').click();
  await expect(page.getByRole('link', { name: 'Inflation against the middle of two years' })).toBeVisible();
});

test('each output of a dataflow is chosen, shown, opened and cited', async ({ page }) => {
  const { api, publisher } = stage().world;
  await page.goto(`${api}/world/inflation`);
  const menu = page.getByLabel('Method');
  await menu.selectOption(`${publisher}/two/RATE`);
  await expect(page).toHaveURL(new RegExp(`method=${publisher}/two&output=RATE`));
  await expect(page.locator('.legend figcaption')).toHaveText('per cent');
  await menu.selectOption(`${publisher}/two/FACTOR`);
  await expect(page).toHaveURL(/output=FACTOR/);
  await expect(page.locator('.legend figcaption')).toHaveText('factor');
  await page.goto(`${api}/world/inflation?method=${publisher}/two&output=RATE&view=table&period=2020`);
  await page.getByRole('searchbox', { name: 'Filter the table' }).fill('germ');
  await page.locator('tbody td a').first().click();
  await expect(page).toHaveURL(/\/two\/DEU\/2020\?output=RATE$/);
  await expect(page.locator('h1 [data-value]')).toHaveAttribute('data-value', '4.5');
  await expect(page.locator('.checked')).toHaveAttribute('data-done', 'true');
  await expect(page.locator('.checked ol li.holds')).toHaveCount(6);
  await expect(page.locator('.copy code').last()).toContainText(/@seq=\d+, output RATE$/);
  // Only what is measured alike is the same by another method: the factor is not.
  await expect(page.locator('section', { hasText: 'Other methods' }).getByRole('link')).toHaveCount(2);
  await page.getByRole('link', { name: 'The factor', exact: true }).click();
  await expect(page).toHaveURL(/output=FACTOR$/);
  await expect(page.locator('h1 [data-value]')).toHaveAttribute('data-value', '1.045');
  await expect(page.getByText('Other methods')).toHaveCount(0);
  await page.goto(`${api}/country/DEU`);
  const sets = page.locator('.measure .chart-set');
  await expect(sets).toHaveCount(2);
  await expect(sets.nth(1).getByRole('heading')).toHaveText('The factor');
  await expect(sets.nth(1).locator('.chart path.line')).toHaveCount(1);
  await expect(sets.nth(1).locator('.axis.unit')).toHaveText('factor');
});

test('units in other words are overlaid when they measure alike', () => {
  const cases: [string, string, boolean][] = [
    ['per cent', 'per cent a year', true],
    ['Percent per annum', 'per cent a year', true],
    ['per cent a month', 'per cent a year', false],
    ['per cent of the labour force', 'per cent of the labour force and discouraged workers', true],
    ['per cent', 'per cent of the labour force', false],
    ['per cent of the labour force', 'per cent of the population of working age', false],
    ['per cent', 'percentage points', false],
    ['index', 'index and more', false],
  ];
  for (const [a, b, expected] of cases) expect([alike(a, b), alike(b, a)], `${a}, ${b}`).toEqual([expected, expected]);
});

test('a method is chosen, and an embedded page has no frame of ours', async ({ page }) => {
  await page.goto(`${stage().world.api}/world/inflation`);
  await page.getByLabel('Method').selectOption({ label: `Alternative: Inflation against the middle of two years — ${'<script>alert("owned")</script><img src=x onerror=alert(1)>'}` });
  await expect(page).toHaveURL(new RegExp(`method=${stage().world.publisher}/middle`));
  const answer = await page.goto(`${stage().world.api}/embed/world/inflation`);
  expect(answer?.headers()['content-security-policy']).toContain('frame-ancestors *');
  await expect(page.getByRole('listbox')).toBeVisible();
  await expect(page.getByRole('banner')).toHaveCount(0);
  const framed = await page.goto(`${stage().world.api}/world/inflation`);
  expect(framed?.headers()['content-security-policy']).toContain("frame-ancestors 'none'");
});

test('search, colours and the way to the content by keyboard', async ({ page }) => {
  await page.goto(`${stage().world.api}/network`);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await page.getByRole('searchbox', { name: 'Search' }).fill('Germany');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: /Germany/ }).first().click();
  await expect(page).toHaveURL(/\/country\/DEU/);
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const before = await ground();
  await page.getByRole('button', { name: /Colours/ }).click();
  await page.getByRole('button', { name: /Colours/ }).click();
  await expect.poll(ground).not.toBe(before);
  await page.reload();
  await expect(page.getByRole('button', { name: /Colours: dark/ })).toBeVisible();
});

test('what comes in is shown as it comes', async ({ page }) => {
  const { api, data } = stage().office;
  await page.goto(`${api}/network`);
  await expect(page.locator('.feed li').filter({ hasText: 'release' }).first()).toBeVisible();
  await expect(page.locator('.feed a[href^="/world/inflation?method="]').first()).toBeVisible();
  await expect(page.getByText('live', { exact: true })).toBeVisible();
  const before = await page.locator('.feed li').filter({ hasText: 'fresh' }).count();
  expect(before).toBe(0);
  assay(data, 'publish', 'inflation/cpi-annual', '--input', 'CPI=CPI', '--dataflow', 'fresh');
  await expect(page.locator('.feed li').filter({ hasText: 'fresh' }).first()).toBeVisible();
});

test('the first load is small', async ({ page }) => {
  const sizes = new Map<string, number>();
  page.on('requestfinished', async (request) => {
    const { responseBodySize } = await request.sizes();
    sizes.set(new URL(request.url()).pathname, responseBodySize);
  });
  await page.goto(`${stage().world.api}/world/inflation`);
  await expect(page.getByRole('option', { name: /^Germany:/ })).toBeAttached();
  await page.waitForLoadState('networkidle');
  const whole = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  console.log(`the first load takes ${(whole / 1000).toFixed(1)} kB: ${[...sizes].map(([path, size]) => `${path} ${size}`).join(', ')}`);
  expect(whole).toBeLessThan(150_000);
});
