/** The portal behind a network that can fail, and pages of it in a real browser. */

import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { TcpGate } from '../support/tcp-gate.ts';
import { openPortal } from '../unit/api/portal-stage.ts';
import type { PortalStage } from '../unit/api/portal-stage.ts';

export class PortalBrowser {
  readonly stage: PortalStage;
  readonly gate: TcpGate;
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];

  private constructor(stage: PortalStage, gate: TcpGate, browser: Browser) {
    this.stage = stage;
    this.gate = gate;
    this.#browser = browser;
  }

  static async open(token: string): Promise<PortalBrowser> {
    const browser = await openBrowser();
    const stage = await openPortal(token);
    await stage.app.listen({ host: '127.0.0.1', port: 0 });
    const bound = stage.app.server.address();
    const gate = await TcpGate.open(bound !== null && typeof bound === 'object' ? bound.port : 0);
    return new PortalBrowser(stage, gate, browser);
  }

  get url(): string {
    return `http://127.0.0.1:${this.gate.port}/features`;
  }

  /** A page with cookies of its own. */
  async page(): Promise<Page> {
    const context = await this.#browser.newContext();
    this.#contexts.push(context);
    const page = await context.newPage();
    await page.goto(this.url);
    return page;
  }

  async signedIn(user: string, password: string): Promise<Page> {
    const page = await this.page();
    await signIn(page, user, password);
    return page;
  }

  /** Ends the pages. */
  async leave(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.gate.close();
    await this.stage.close();
  }
}

export async function signIn(page: Page, user: string, password: string): Promise<void> {
  await page.getByLabel('Account', { exact: true }).fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function isLive(page: Page): Promise<void> {
  await page.getByText('Live', { exact: true }).waitFor();
}

export function rowOf(page: Page, name: string): Locator {
  return page.getByRole('region', { name, exact: true });
}

/** Its timers stand still from now on: what the page says for a while stays until it is seen. */
export async function stopTimers(page: Page): Promise<void> {
  await page.clock.install();
  await page.clock.pauseAt(new Date(Date.now() + 60_000));
}
