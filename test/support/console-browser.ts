/** Pages of the console in a real browser, and everything that the browser holds against them. */

import { mkdir } from 'node:fs/promises';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { openBrowser } from './browser.ts';

const ARTIFACTS = new URL('../artifacts/', import.meta.url);

/** A phone, held upright. */
export const SMALL_SCREEN: BrowserContextOptions = {
  viewport: { width: 360, height: 740 },
  hasTouch: true,
  isMobile: true,
};

export class ConsoleBrowser {
  /** Errors of pages, refusals by content security among them, and requests to anybody but the SBC. */
  readonly complaints: string[] = [];
  readonly #origin: string;
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];

  private constructor(origin: string, browser: Browser) {
    this.#origin = origin;
    this.#browser = browser;
  }

  /** @param origin `http://address:port` of the SBC's API. */
  static async open(origin: string): Promise<ConsoleBrowser> {
    await mkdir(ARTIFACTS, { recursive: true });
    return new ConsoleBrowser(origin, await openBrowser());
  }

  /** Opens `hash`, such as `#/agents`, in a window of its own. */
  async page(hash: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext(options);
    this.#contexts.push(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(`${this.#origin}/`)) this.complaints.push(request.url());
    });
    await page.goto(`${this.#origin}/${hash}`);
    await page.getByText('live', { exact: true }).waitFor();
    return page;
  }

  /** Closes the windows; gives what the browser complained about since the last time. */
  async leave(): Promise<string[]> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
    return this.complaints.splice(0);
  }

  /**
   * Closes the windows.
   *
   * @param expected what the browser notes by itself where the SBC refuses, such as `status of 422`.
   * @throws Error with everything else that the browser complained about.
   */
  async leaveClean(expected?: RegExp): Promise<void> {
    const complaints = (await this.leave()).filter((text) => expected?.test(text) !== true);
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

/** Keeps a picture of the whole page as `console-NAME.png`. */
export async function shoot(page: Page, name: string): Promise<void> {
  const path = new URL(`console-${name}.png`, ARTIFACTS).pathname;
  await page.screenshot({ path, fullPage: true });
}

/** By how many pixels the page is wider than the screen. */
export async function overflowOf(page: Page): Promise<number> {
  return await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
}
