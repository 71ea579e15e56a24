/** The console when the SBC wants the token, is gone for a while, or drains; and what strangers write into messages. */

import type { Page } from 'playwright-core';
import { afterEach, describe, expect, test } from 'vitest';
import { ConsoleBrowser, SMALL_SCREEN, overflowOf } from '../support/console-browser.ts';
import { ConsoleStage, ladderOf } from '../support/console-stage.ts';
import type { ConsoleStageOptions } from '../support/console-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { startFromText } from '../support/start-sbc.ts';

const TOKEN = 's3cret-token';
/** What the browser itself says about an answer that is an error, or that did not come. */
const EXPECTED_COMPLAINT = /^Failed to load resource: /;

let browser: ConsoleBrowser;

checkLeaksAfterEach();

async function open(options: ConsoleStageOptions = {}): Promise<ConsoleStage> {
  const stage = closeAfterTest(await ConsoleStage.open(options));
  browser = await ConsoleBrowser.open(stage.url);
  return stage;
}

afterEach(async () => {
  try {
    await browser.leaveClean(EXPECTED_COMPLAINT);
  } finally {
    await browser.close();
  }
});

function endButton(page: Page) {
  return page.getByRole('row').getByRole('button', { name: 'End' });
}

describe('the token', () => {
  test('is asked for when something is changed, again when it is wrong, and then kept', async () => {
    const stage = await open({ token: TOKEN });
    const [first, second] = [await stage.call(), await stage.call()];
    const page = await browser.page('#/calls');
    await endButton(page).first().click();
    await page.getByRole('button', { name: 'End call' }).click();
    const dialog = page.getByRole('dialog', { name: 'Token' });
    await dialog.getByText('a token is required to change anything').waitFor();
    await dialog.getByLabel('Token').fill('wrong');
    await page.keyboard.press('Enter');
    await dialog.getByText('the token is not the right one').waitFor();
    expect(stage.running.sbc.calls.size).toBe(2);
    await dialog.getByLabel('Token').fill(TOKEN);
    await page.keyboard.press('Enter');
    await first.phone.waitForEnd();
    await first.trunk.waitForEnd();
    await endButton(page).nth(1).waitFor({ state: 'detached' });
    await endButton(page).click();
    await page.getByRole('button', { name: 'End call' }).click();
    await second.phone.waitForEnd();
    await second.trunk.waitForEnd();
    await page.getByText('No call is up.').waitFor();
    expect(await dialog.count()).toBe(0);
    expect(await page.evaluate('Object.keys(localStorage).length')).toBe(0);
  });

  test('is not insisted on: without it the page goes on showing', async () => {
    const stage = await open({ token: TOKEN });
    const call = await stage.call();
    const page = await browser.page('#/calls');
    await endButton(page).click();
    await page.getByRole('button', { name: 'End call' }).click();
    await page.getByRole('dialog', { name: 'Token' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('.toast', { hasText: 'a token is required to change anything' }).waitFor();
    await stage.pressBothWays(call);
    await page.getByRole('cell', { name: '4', exact: true }).waitFor();
    expect(stage.running.sbc.calls.size).toBe(1);
    await stage.hangUp(call);
  });
});

test('where reading needs the token, it is asked for once for everything, and may be given later', async () => {
  await open({ token: TOKEN });
  const page = await browser.page('#/calls');
  // As from another machine: what is sent is not right, and so nothing is shown.
  await page.evaluate("sessionStorage.setItem('tonebridge.token', 'of yesterday')");
  const loading = page.reload();
  const dialog = page.getByRole('dialog', { name: 'Token' });
  await dialog.waitFor();
  await loading;
  expect(await dialog.count()).toBe(1);
  expect(await page.getByText('No call is up.').count()).toBe(0);
  await dialog.getByLabel('Token').fill(TOKEN);
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('No call is up.').waitFor();
  await page.getByText('live', { exact: true }).waitFor();
});

test('whoever has no token is asked once, and enters it later', async () => {
  await open();
  const page = await browser.page('#/calls');
  await page.getByText('No call is up.').waitFor();
  const body = JSON.stringify({ error: 'unauthorized', message: 'a token is required' });
  const answer = { status: 401, contentType: 'application/json', body };
  await page.route('**/api/v1/**', (route) => route.fulfill(answer));
  await page.evaluate("dispatchEvent(new Event('online'))");
  const dialog = page.getByRole('dialog', { name: 'Token' });
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('The SBC shows nothing without the token.').waitFor();
  await page.waitForResponse('**/api/v1/status');
  expect(await dialog.count()).toBe(0);
  await page.getByRole('button', { name: 'Enter it' }).click();
  await dialog.waitFor();
  await page.unroute('**/api/v1/**');
  await dialog.getByLabel('Token').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByText('The SBC shows nothing without the token.').waitFor({ state: 'detached' });
});

test('the SBC is started again: the page says that it is gone, and shows the new one by itself', async () => {
  const stage = await open();
  const page = await browser.page('#/calls');
  await page.getByText('No call is up.').waitFor();
  await stage.running.sbc.close();
  await page.getByText('Connection lost. What is shown may be old.').waitFor();
  const sbc = await startFromText(stage.running.yaml);
  closeAfterTest(sbc);
  await page.getByText('live', { exact: true }).waitFor();
  await page.getByText('Connection lost.').waitFor({ state: 'detached' });
  const [phone, trunk] = await Promise.all([
    stage.phone.call({ to: '5551000', via: stage.running.access }),
    stage.trunk.answer(),
  ]);
  await page.getByRole('row').filter({ hasText: '5551000' }).getByText('answered').waitFor();
  await phone.hangUp();
  await trunk.waitForEnd();
  await page.getByText('No call is up.').waitFor();
  // The page shows no call that is over and still being cleared away.
  await expect.poll(() => sbc.calls.size).toBe(0);
});

test('a drain is shown, and the calls that are still up with it', async () => {
  const stage = await open();
  const call = await stage.call();
  const page = await browser.page('#/calls');
  await page.getByRole('row').filter({ hasText: '5551000' }).waitFor();
  const answer = await fetch(`${stage.url}/api/v1/drain`, { method: 'POST' });
  expect(answer.status).toBe(202);
  await page.getByText('The SBC is draining: it takes no new calls, 1 call still up.').waitFor();
  await page.getByText('live', { exact: true }).waitFor();
  await stage.pressBothWays(call);
  await page.getByRole('cell', { name: '4', exact: true }).waitFor();
  await stage.hangUp(call);
  await page.getByText('No call is up.').waitFor();
});

test('where digits do not cross, the page says why and what would have to change', async () => {
  const stage = await open({ core: { 'rfc2833-mode': 'transparent' } });
  const call = await stage.call({ hears: false });
  const page = await browser.page(`#/calls/${call.id}?view=explanation`);
  const advice = page.getByText(/^For digits to cross: /).first();
  await advice.waitFor();
  expect(await advice.innerText()).toContain('rfc2833-mode');
  await page.getByText('Digits do not cross: they are dropped and counted.').first().waitFor();
  await stage.hangUp(call);
});

describe('markup of strangers is text', () => {
  const IMAGE = '<img src=x onerror=document.title=1>';

  test('in every header and body that the page shows', async () => {
    const stage = await open();
    const call = await stage.call({
      headers: [
        ['Subject', IMAGE],
        ['P-Asserted-Identity', `"${IMAGE}" <sip:1@127.0.0.1>`],
        ['User-Agent', '\u202Egnp.exe'],
      ],
    });
    const page = await browser.page(`#/calls/${call.id}`, SMALL_SCREEN);
    await page
      .getByRole('button', { name: /^INVITE/ })
      .first()
      .click();
    const message = page.getByRole('region', { name: 'Message' });
    await message.getByText(IMAGE, { exact: true }).waitFor();
    expect(await message.innerText()).toContain(`"${IMAGE}" <sip:1@127.0.0.1>`);
    expect(await message.innerText()).toContain('\\u{202e}gnp.exe');
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    expect(await page.title()).toBe('phone → 5551000 – Tonebridge');
    expect(await overflowOf(page)).toBe(0);
    await stage.hangUp(call);
  });

  test('in the called number', async () => {
    const stage = await open();
    const number = `"${IMAGE.replaceAll(' ', '%20')}"`;
    const call = await stage.call({ to: encodeURIComponent(number) });
    const page = await browser.page('#/calls');
    await page.getByRole('row').nth(1).getByText('onerror').waitFor();
    await page.getByRole('row').nth(1).getByRole('link').first().click();
    await page.getByRole('region', { name: 'Ladder' }).waitFor();
    expect((await ladderOf(page))[0]).toContain('INVITE');
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    await stage.hangUp(call);
  });
});
