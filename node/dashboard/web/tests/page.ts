// A page that fails the test when it asks a foreign host, breaks the policy, or has an error.
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base } from '@playwright/test';
import type { Page } from '@playwright/test';
import { readdirSync } from 'node:fs';

export { expect };

const LOCAL = /^(https?:\/\/127\.0\.0\.1:\d+\/|data:|blob:|about:)/;

export const test = base.extend<{ faults: string[] }>({
  faults: [
    async ({ page }, use) => {
      const faults: string[] = [];
      page.on('request', (request) => LOCAL.test(request.url()) || faults.push(`a request to ${request.url()}`));
      page.on('pageerror', (fault) => faults.push(`an error: ${fault.message}`));
      page.on('dialog', (dialog) => {
        faults.push(`a script of a stranger ran: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on('console', (message) => {
        if (/Content Security Policy|violat/i.test(message.text())) faults.push(`the policy was broken: ${message.text()}`);
      });
      await use(faults);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});

/** No violation that axe knows. */
export async function accessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', ')}`)).toEqual([]);
}

/** Nothing reaches over the right edge. */
export async function fits(page: Page): Promise<void> {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(over).toBeLessThanOrEqual(0);
}

/** Where screenshots are wanted, all of them are taken. */
export async function shot(page: Page, name: string): Promise<void> {
  const dir = process.env['ASSAY_SHOTS'];
  if (dir && readdirSync(dir)) await page.screenshot({ path: `${dir}/${name}.png`, fullPage: true });
}
