/** The page while its server has trouble, is reloaded, or is asked by many pages of one browser. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PATIENCE_MS } from '../support/wait-for.ts';
import { ACCOUNT, PHONE, portalConfig } from '../unit/api/portal-stage.ts';
import { PortalBrowser, isLive, rowOf, signIn, stopTimers } from './portal-page.ts';

const TOKEN = 's3cret-token';
const BUSY = 'CallForwardingBusy';
let browser: PortalBrowser;

beforeAll(async () => {
  browser = await PortalBrowser.open(TOKEN);
});

beforeEach(() => browser.stage.reset());

afterEach(() => browser.leave());

afterAll(() => browser.close());

async function openLive(): Promise<Page> {
  const page = await browser.signedIn('2001', 'secret-1');
  await isLive(page);
  return page;
}

describe('a number that calls may not be forwarded to', () => {
  test.each([
    ['112', 'calls may not be forwarded to this number'],
    ['2001', 'calls cannot be forwarded to this account itself'],
  ])('%s typed while the forward is off is said not to be saved, and stays', async (...row) => {
    const [number, reason] = row;
    const page = await openLive();
    const forward = rowOf(page, 'Forward when busy');
    await forward.getByRole('textbox').fill(number);
    await forward.getByRole('textbox').press('Enter');
    await forward.getByText(`Not saved: ${reason}.`).waitFor();
    expect(await forward.getByRole('textbox').inputValue()).toBe(number);
    expect(browser.stage.store.state(ACCOUNT, BUSY).values).toEqual({});
  });

  test('typed before the forward is switched off: off, and said not to be saved', async () => {
    browser.stage.store.put(ACCOUNT, BUSY, {
      status: true,
      values: { forwardTo: '2424' },
      version: 1,
    });
    const page = await openLive();
    const forward = rowOf(page, 'Forward when busy');
    await forward.getByRole('textbox').fill('112');
    await forward.getByRole('switch').click();
    await forward.getByText('Switched off. Number not saved').waitFor();
    expect(await forward.getByRole('textbox').inputValue()).toBe('112');
    expect(browser.stage.store.state(ACCOUNT, BUSY)).toMatchObject({
      status: false,
      values: { forwardTo: '2424' },
    });
    expect(await forward.getByRole('switch').isChecked()).toBe(false);
  });
});

describe('a first reading that fails', () => {
  test('is said and tried again until it goes well', async () => {
    browser.stage.store.failing.add('get');
    const page = await browser.signedIn('2001', 'secret-1');
    await page.getByText('This account cannot be shown: the store does not answer.').waitFor();
    expect(await page.getByRole('button').allInnerTexts()).toEqual(['Sign out', 'Try again']);
    browser.stage.store.failing.clear();
    await isLive(page);
    await stopTimers(page);
    await rowOf(page, 'Do not disturb').getByRole('switch').click();
    await rowOf(page, 'Do not disturb').getByText('Saved').waitFor();
  });

  test('is tried again on demand, without waiting for its time', async () => {
    const page = await browser.page();
    // No time passes, no stream: what is read then is read on demand.
    await stopTimers(page);
    await page.route('**/events', (route) => route.abort());
    const readings: number[] = [];
    page.on('response', (response) => {
      if (response.url().endsWith('pbx.example')) readings.push(response.status());
    });
    browser.stage.store.failing.add('get');
    await signIn(page, '2001', 'secret-1');
    await expect.poll(() => readings, { timeout: PATIENCE_MS }).toEqual([503, 503]);
    browser.stage.store.failing.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await rowOf(page, 'Do not disturb').waitFor();
    expect(await page.getByText('cannot be shown').count()).toBe(0);
  });
});

test('a store that fails while the page is open is said to, and no more when it is back', async () => {
  const page = await openLive();
  browser.stage.store.failing.add('get');
  browser.gate.cut();
  await page.getByText('This account cannot be read at the moment').waitFor();
  browser.stage.store.failing.clear();
  await page.getByText('This account cannot be read at the moment').waitFor({ state: 'hidden' });
  await isLive(page);
  expect(await rowOf(page, 'Do not disturb').getByRole('switch').isEnabled()).toBe(true);
});

test('feature keys that are switched off while the page is open are said to be, and come back', async () => {
  const page = await openLive();
  const { config } = browser.stage;
  browser.stage.config = undefined;
  await page.getByText('Feature keys are not served at the moment.').waitFor();
  expect(await page.getByRole('switch').count()).toBe(0);
  browser.stage.config = config;
  await rowOf(page, 'Do not disturb').getByRole('switch').waitFor();
  await isLive(page);
  await browser.stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PHONE);
  await rowOf(page, 'Do not disturb').getByRole('switch', { checked: true }).waitFor();
});

test('of an account that was taken from the user nothing stays on the screen', async () => {
  const target = { status: true, forwardTo: '+49 30 1234567' };
  await browser.stage.service.set(ACCOUNT, BUSY, target, PHONE);
  const page = await openLive();
  await page.getByText('When busy: +49 30 1234567.').waitFor();
  browser.stage.config = portalConfig({
    users: { '2001': { password: 'secret-1', accounts: ['2002'] } },
  });
  await page.getByText('This account is not yours.').waitFor();
  expect(await page.locator('body').innerText()).not.toMatch(/1234567|DeskPhone/);
  expect(await page.locator('input, select').evaluateAll((nodes) => nodes.length)).toBe(0);
});

test('nine pages in one browser all load, and all hear of a change', async () => {
  const first = await openLive();
  const pages = [first];
  for (let index = 0; index < 8; index += 1) {
    const page = await first.context().newPage();
    pages.push(page);
    await page.goto(browser.url);
    await isLive(page);
  }
  await browser.stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PHONE);
  for (const page of pages) {
    await rowOf(page, 'Do not disturb').getByRole('switch', { checked: true }).waitFor();
    await isLive(page);
  }
  await stopTimers(first);
  await rowOf(first, 'Do not disturb').getByRole('switch').click();
  await rowOf(first, 'Do not disturb').getByText('Saved').waitFor();
  expect(browser.stage.store.state(ACCOUNT, 'DoNotDisturb').status).toBe(false);
});

describe('without a mouse', () => {
  test('the focus goes to the heading after signing in, and a switch has a short name', async () => {
    const page = await openLive();
    const heading = page.getByRole('heading', { level: 1 });
    expect(await heading.evaluate((node) => node.matches(':focus'))).toBe(true);
    const dnd = page.getByRole('switch', { name: 'Do not disturb', exact: true });
    await dnd.waitFor();
    const about = await dnd.getAttribute('aria-describedby');
    expect(await page.locator(`#${about}`).innerText()).toContain('callers hear');
  });

  test('a change elsewhere is told to screen readers', async () => {
    const page = await browser.page();
    let readings = 0;
    page.on('response', (response) => {
      if (response.url().endsWith('pbx.example')) readings += 1;
    });
    await signIn(page, '2001', 'secret-1');
    await isLive(page);
    // It reads once more when it is live; what that brings is no news.
    await expect.poll(() => readings, { timeout: PATIENCE_MS }).toBeGreaterThan(1);
    await browser.stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PHONE);
    const said = page.locator('[aria-live]', {
      hasText: 'Do not disturb is now on, changed by a phone.',
    });
    await said.waitFor({ state: 'attached' });
    expect(await said.getAttribute('aria-live')).toBe('polite');
  });

  test('what a finger has to hit is 44 pixels high and wide', async () => {
    const page = await browser.page();
    await page.setViewportSize({ width: 390, height: 844 });
    const sizes = await targetsOf(page);
    await signIn(page, '2001', 'secret-1');
    await isLive(page);
    sizes.push(...(await targetsOf(page)));
    expect(sizes.length).toBeGreaterThan(10);
    expect(sizes.filter(({ height, width }) => height < 44 || width < 44)).toEqual([]);
  });
});

async function targetsOf(page: Page) {
  const all = await page.locator('button:visible, input:visible, select:visible, summary').all();
  return await Promise.all(
    all.map(async (target) => {
      const box = await target.boundingBox();
      const html = await target.evaluate((node) => node.outerHTML.slice(0, 80));
      return { html, height: box?.height ?? 0, width: box?.width ?? 0 };
    }),
  );
}

test.each([
  ['sqlite', 4, { kind: 'sqlite' }],
  ['module', 0, { kind: 'module', path: 'm.js' }],
])('with the store %s administrators are offered %i locks', async (_kind, count, provider) => {
  browser.stage.config = portalConfig({ provider });
  const page = await browser.page();
  await page.getByText('Administrator', { exact: true }).click();
  await page.getByLabel('Token').fill(TOKEN);
  await page.getByRole('button', { name: 'Continue as administrator' }).click();
  await isLive(page);
  expect(await page.getByText('Locked', { exact: true }).filter({ visible: true }).count()).toBe(
    count,
  );
});
