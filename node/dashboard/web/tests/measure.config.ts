import { defineConfig } from '@playwright/test';
import base from './playwright.config.ts';

// One page at a time, with its own stage: numbers, no tests.
export default defineConfig({ ...base, globalSetup: [], testMatch: 'measure.ts', workers: 1, fullyParallel: false, timeout: 600_000 });
