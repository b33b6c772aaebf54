import { defineConfig } from '@playwright/test';

// Debian's browser; nothing is downloaded, and it talks to nobody but 127.0.0.1.
export const CHROMIUM = process.env['ASSAY_CHROMIUM'] ?? '/usr/bin/chromium';

export default defineConfig({
  testDir: '.',
  outputDir: process.env['ASSAY_TEST_OUTPUT'] ?? 'results',
  globalSetup: './stage.ts',
  fullyParallel: true,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  forbidOnly: true,
  use: {
    viewport: { width: 1280, height: 900 },
    launchOptions: {
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
  },
});
