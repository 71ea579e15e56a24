/** The charts of the console in a real browser, while calls and digits go on. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ConsoleBrowser, SMALL_SCREEN, overflowOf, shoot } from '../support/console-browser.ts';
import { OperationsStage } from '../support/operations-stage.ts';
import type { StagedCall } from '../support/operations-stage.ts';

let stage: OperationsStage;
let browser: ConsoleBrowser;
let call: StagedCall;

beforeAll(async () => {
  stage = await OperationsStage.open();
  browser = await ConsoleBrowser.open(stage.url);
  call = await stage.call();
});

afterEach(async () => {
  await browser.leaveClean();
});

afterAll(async () => {
  await browser.close();
  await stage.hangUp(call);
  await stage.close();
});

function chart(page: Page, title: string | RegExp) {
  return page.getByRole('region', { name: title });
}

/** Pixels in the colour of a line, which grid and words have not: whether a line is drawn at all. */
async function drawnPixels(page: Page, title: string): Promise<number> {
  return await page.evaluate<number>(`(() => {
    const canvas = document.querySelector(${JSON.stringify(`[aria-label="${title}"] canvas`)});
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] > 200 && data[at + 2] - data[at] > 60) drawn += 1;
    }
    return drawn;
  })()`);
}

/** Resolves when the chart says so of itself. */
async function says(page: Page, title: string, words: RegExp): Promise<void> {
  await chart(page, title).getByRole('img', { name: words }).waitFor();
}

test('points come live: calls, digits and lag are drawn', async () => {
  const page = await browser.page('#/charts');
  await says(page, 'Calls up', /calls: now 1, at most 1/);
  await call.phone.press('123');
  await says(page, 'Digits each 2 s', /delivered: now \d+, at most [1-9]/);
  await says(page, 'Event loop lag in ms', /worst: now [\d.]+ ms/);
  await says(page, 'RTP loss in %', /lost: now 0 %/);
  await expect.poll(() => drawnPixels(page, 'Calls up')).toBeGreaterThan(10);
  await shoot(page, 'charts-live-desktop-light');
});

test('the pointer on one chart shows the same moment on all of them', async () => {
  const page = await browser.page('#/charts');
  await says(page, 'Calls up', /calls: now 1/);
  await chart(page, 'Calls up').locator('.u-over').hover();
  const times = page.locator('.legend', { hasText: /\d\d:\d\d:\d\d/ });
  await expect.poll(() => times.count()).toBe(6);
  const shown = await times.allInnerTexts();
  const clock = /\d\d:\d\d:\d\d/;
  expect(new Set(shown.map((text) => clock.exec(text)?.[0])).size).toBe(1);
});

test('an SBC that has just started says that points are to come', async () => {
  const page = await browser.page('#/calls');
  const nothing = { intervalMs: 2_000, points: [] };
  await page.route('**/api/v1/series*', (route) => route.fulfill({ json: nothing }));
  const isSeen = Promise.withResolvers<undefined>();
  await page.route('**/api/v1/events*', async (route) => {
    await isSeen.promise;
    await route.continue();
  });
  await page.goto(`${stage.url}/#/charts`);
  await page.getByText('Nothing to show yet: a point comes each 2 s.').waitFor();
  isSeen.resolve(undefined);
  // The first one comes by itself.
  await says(page, 'Calls up', /calls: now 1/);
  expect(await page.getByText('Nothing to show yet').count()).toBe(0);
});

test('an hour may be shown, and everything as a table', async () => {
  const page = await browser.page('#/charts');
  await page.getByRole('button', { name: '1 h' }).click();
  await chart(page, /^Calls started and failed each 8 s$/).waitFor();
  await page.getByRole('button', { name: 'Table' }).click();
  const table = page.getByRole('table', { name: 'Values of each minute' });
  const newest = table.getByRole('row').nth(1);
  await newest.getByRole('cell', { name: '1', exact: true }).first().waitFor();
  expect(await newest.innerText()).toMatch(/\d+ ms/);
});

test('a turned screen is used in its whole width, and the colours follow the scheme', async () => {
  const page = await browser.page('#/charts', { ...SMALL_SCREEN, colorScheme: 'light' });
  await says(page, 'Calls up', /calls: now 1/);
  const width = async (): Promise<number> =>
    (await chart(page, 'Calls up').locator('canvas').boundingBox())?.width ?? 0;
  expect(await width()).toBeLessThan(360);
  await page.setViewportSize({ width: 740, height: 360 });
  await expect.poll(width).toBeGreaterThan(360);
  expect(await overflowOf(page)).toBe(0);
  await page.setViewportSize({ width: 360, height: 740 });
  await expect.poll(width).toBeLessThan(360);
  expect(await overflowOf(page)).toBe(0);
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot(page, 'charts-turned-phone-dark');
});
