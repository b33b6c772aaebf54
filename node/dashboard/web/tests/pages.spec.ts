// Every page, in light, dark and on a phone: it shows what it should, no axe violation, nothing clipped.
import type { Page } from '@playwright/test';
import { accessible, expect, fits, shot, test } from './page.ts';
import { stage } from './stage.ts';

interface Case {
  name: string;
  path: () => string;
  ready: (page: Page) => Promise<void>;
}

const heading = (text: string | RegExp) => (page: Page) => expect(page.getByRole('heading', { level: 1 })).toContainText(text);

const recipe = async (): Promise<string> => {
  const flows = (await (await fetch(`${stage().world.api}/api/v1/flows`)).json()) as { dataflow: string; recipe: string }[];
  return flows.find((flow) => flow.dataflow === 'middle')!.recipe;
};

const CASES: Case[] = [
  { name: 'world', path: () => '/', ready: (page) => expect(page.getByRole('option', { name: /^Germany:/ })).toBeAttached() },
  { name: 'table', path: () => '/world/inflation?view=table', ready: (page) => expect(page.getByRole('link', { name: 'Germany' })).toBeVisible() },
  { name: 'chart', path: () => '/world/inflation?view=chart&compare=DEU,FRA,JPN', ready: (page) => expect(page.locator('.chart path.line')).toHaveCount(3) },
  { name: 'country', path: () => '/country/DEU', ready: heading('Germany') },
  {
    name: 'figure',
    path: () => `/figure/${stage().world.publisher}/inflation/DEU/2020`,
    ready: (page) => expect(page.locator('.checked')).toHaveAttribute('data-done', 'true'),
  },
  { name: 'publisher', path: () => `/publisher/${stage().world.publisher}`, ready: heading('<script>') },
  { name: 'network', path: () => '/network', ready: (page) => expect(page.getByText('live', { exact: true })).toBeVisible() },
  { name: 'search', path: () => '/search?q=germ', ready: (page) => expect(page.getByRole('link', { name: /Germany/ }).first()).toBeVisible() },
  { name: 'nothing', path: () => '/no/such/page', ready: (page) => expect(page.getByText('Page not found')).toBeVisible() },
];

const MODES = {
  light: { colorScheme: 'light', width: 1280 },
  dark: { colorScheme: 'dark', width: 1280 },
  phone: { colorScheme: 'light', width: 390 },
} as const;

for (const [mode, { colorScheme, width }] of Object.entries(MODES))
  test.describe(mode, () => {
    test.use({ colorScheme, viewport: { width, height: 844 } });
    for (const { name, path, ready } of CASES)
      test(name, async ({ page }) => {
        await page.goto(stage().world.api + path());
        await ready(page);
        await fits(page);
        await accessible(page);
        await shot(page, `${name}-${mode}`);
      });
    test('recipe', async ({ page }) => {
      await page.goto(`${stage().world.api}/recipe/${await recipe()}`);
      await heading('Inflation against the middle')(page);
      await expect(page.locator('.difference .step')).not.toHaveCount(0);
      await expect(page.getByText('A rise and a fall of one size cancel out.').first()).toBeVisible();
      await fits(page);
      await accessible(page);
      await shot(page, `recipe-${mode}`);
    });
  });

test('an empty node says what to do', async ({ page }) => {
  await page.goto(stage().empty.api);
  await expect(page.getByText('This node has no figures yet')).toBeVisible();
  await accessible(page);
  await page.goto(`${stage().empty.api}/network`);
  await expect(page.getByText('No events yet')).toBeVisible();
  await accessible(page);
});

test('a node that is gone is told apart from one that has nothing', async ({ page }) => {
  await page.route('**/api/v1/countries/**', (route) => route.abort());
  await page.goto(`${stage().world.api}/country/DEU`);
  await expect(page.getByText('This node does not respond')).toBeVisible();
  await accessible(page);
  await page.unroute('**/api/v1/countries/**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Germany');
  await page.goto(`${stage().world.api}/figure/${stage().world.publisher}/inflation/DEU/1800`);
  await expect(page.getByRole('heading', { name: 'Not found' })).toBeVisible();
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('each page says what it is about, under one address', async ({ page }) => {
    const { api, publisher } = stage().world;
    const middle = await recipe();
    const cases: [path: string, canonical: string, said: RegExp, kind: string | null][] = [
      ['/', '/', /Inflation/, null],
      ['/world/inflation?view=table&period=2000', '/world/inflation', /191 series, 1961 to 2024/, 'Dataset'],
      [`/world/inflation?method=${publisher}/middle`, `/world/inflation?method=${publisher}/middle`, /against the middle/, 'Dataset'],
      [`/world/inflation?method=${publisher}/two&output=RATE`, `/world/inflation?method=${publisher}/two&output=RATE`, /The rate/, 'Dataset'],
      ['/country/DEU', '/country/DEU', /Germany: inflation/, 'Dataset'],
      ['/country/DEU?indicator=inflation', '/country/DEU?indicator=inflation', /Germany: inflation/, 'Dataset'],
      [`/figure/${publisher}/inflation/DEU/2020?vintage=latest`, `/figure/${publisher}/inflation/DEU/2020`, /Germany, 2020: 4\.5 %/, 'Dataset'],
      [`/figure/${publisher}/two/DEU/2020?output=RATE`, `/figure/${publisher}/two/DEU/2020?output=RATE`, /The rate .*Germany, 2020: 4\.5 %/, 'Dataset'],
      [`/recipe/${middle}?from=x`, `/recipe/${middle}`, /Alternative method for inflation/, 'SoftwareSourceCode'],
      [`/publisher/${publisher}`, `/publisher/${publisher}`, /Its log has/, 'Organization'],
    ];
    for (const [path, canonical, said, kind] of cases) {
      const answer = await page.goto(api + path);
      expect(answer?.status(), path).toBe(200);
      await expect(page.locator('link[rel=canonical]'), path).toHaveAttribute('href', api + canonical);
      await expect(page.locator('meta[property="og:url"]'), path).toHaveAttribute('content', api + canonical);
      await expect(page.locator('main'), path).toContainText(said);
      const data = await page.locator('script[type="application/ld+json"]').evaluateAll((found) => found.map((one) => one.textContent ?? ''));
      expect(data.map((one) => (JSON.parse(one) as { '@type': string })['@type']), path).toEqual(kind ? [kind] : []);
      for (const one of data) {
        const { url, name, distribution = [] } = JSON.parse(one) as { url: string; name: string; distribution?: { contentUrl: string }[] };
        expect(url, path).toBe(api + canonical);
        expect(name.length, path).toBeGreaterThan(0);
        for (const { contentUrl } of distribution) expect((await page.request.get(contentUrl)).status(), contentUrl).toBe(200);
      }
    }
  });

  test('what is not there is not found, and the name of a stranger is text', async ({ page }) => {
    const { api, publisher } = stage().world;
    for (const path of ['/world/nonsense', '/country/XXX', `/figure/${publisher}/inflation/DEU/1800`, '/recipe/x', '/publisher/x', '/no/such/page']) {
      const answer = await page.goto(api + path);
      expect(answer?.status(), path).toBe(404);
      await expect(page.locator('meta[name=robots]')).toHaveAttribute('content', 'noindex');
    }
    const html = await (await page.request.get(`${api}/publisher/${publisher}`, { headers: { accept: 'text/html' } })).text();
    expect(html).toContain('&lt;script&gt;alert');
    expect(html).not.toContain('<script>alert');
    expect(html).not.toContain('<img src=x');
  });
});
