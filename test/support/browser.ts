/** A real browser without a window, for tests of pages. */

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

/** Where Debian's package puts it. */
const CHROMIUM = '/usr/bin/chromium';

/** Root in a container has no sandbox, and a container's /dev/shm is small. */
const FLAGS = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-first-run'];

/** @throws Error that says what to install where there is no browser. */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`${CHROMIUM} is missing: tests of pages need the package "chromium"`);
  }
  return await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
}
