/** The whole console without a mouse. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ConsoleBrowser } from '../support/console-browser.ts';
import { OperationsStage } from '../support/operations-stage.ts';
import type { StagedCall } from '../support/operations-stage.ts';
import { unreachedByTab } from '../support/page-access.ts';

let stage: OperationsStage;
let browser: ConsoleBrowser;
let call: StagedCall;

beforeAll(async () => {
  stage = await OperationsStage.open();
  browser = await ConsoleBrowser.open(stage.url);
  call = await stage.call();
  await call.phone.listen();
  await call.phone.press('12');
});

afterEach(async () => {
  await browser.leaveClean();
});

afterAll(async () => {
  await browser.close();
  await stage.hangUp(call);
  await stage.close();
});

async function heading(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { name, level: 1 }).waitFor();
}

/** What has the focus, as a person would name it; the whole page is nothing. */
async function focused(page: Page): Promise<string> {
  return await page.evaluate<string>(`(() => {
    const node = document.activeElement;
    if (node === document.body) return '';
    return node.getAttribute('aria-label') || node.innerText || '';
  })()`);
}

test('a digit opens a page, and the focus is on its title', async () => {
  const page = await browser.page('#/calls');
  const titles = ['Calls', 'Digits', 'Agents', 'Subscriptions', 'Features', 'Charts', 'Status'];
  // What has the focus in the very moment in which the page changes: the next key may come at once.
  await page.evaluate(`new MutationObserver(() => {
    window.heir = document.activeElement.innerText;
  }).observe(document.querySelector('main'), { childList: true })`);
  for (const [index, title] of [...titles.entries()].toReversed()) {
    await page.keyboard.press(String(index + 1));
    await heading(page, title);
    expect(await page.evaluate('window.heir')).toContain(title);
    expect(await focused(page)).toContain(title);
    expect(await page.title()).toContain(title);
  }
});

test('an agent is found, opened, locked and given back by keys alone', async () => {
  const page = await browser.page('#/calls');
  await page.keyboard.press('3');
  await heading(page, 'Agents');
  await page.getByRole('link', { name: 'carrier-two' }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('carrier-two');
  await page.getByRole('link', { name: 'phone', exact: true }).waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  expect(await focused(page)).toBe('carrier-two');
  await page.keyboard.press('Enter');
  await heading(page, 'carrier-two');
  await page.getByRole('button', { name: 'Lock carrier-two' }).waitFor();
  await expect.poll(() => focused(page)).toContain('carrier-two');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('Lock carrier-two');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Lock carrier-two?' }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const state = page.locator('.facts');
  await state.getByText('by an operator').waitFor();
  await expect.poll(() => focused(page)).toBe('Unlock carrier-two');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Unlock carrier-two?' }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await state.getByText('in service').waitFor();
  await expect.poll(() => focused(page)).toBe('Lock carrier-two');
});

test('j and k go through the rows and stay at the ends, Enter opens the call', async () => {
  const page = await browser.page('#/digits');
  const rows = page.getByRole('table', { name: 'Digit ledger' }).locator('tbody tr');
  await rows.nth(1).waitFor();
  const isOn = (index: number) => rows.nth(index).evaluate((row) => row.matches(':focus-within'));
  await page.keyboard.press('j');
  expect(await isOn(0)).toBe(true);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  expect(await isOn(1)).toBe(true);
  await page.keyboard.press('k');
  expect(await isOn(0)).toBe(true);
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/#/calls/${stage.callId}`);
});

test('the help tells the keys, and Esc gives the page back as it was', async () => {
  const page = await browser.page('#/status');
  await page.getByRole('button', { name: 'Reload' }).focus();
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keys' });
  await help.getByText('filter the list').waitFor();
  // Keys of the page do nothing behind it.
  await page.keyboard.press('1');
  await page.evaluate(`new MutationObserver(() => {
    window.heir ??= document.activeElement.innerText;
  }).observe(document.querySelector('main').parentElement, { childList: true })`);
  await page.keyboard.press('Escape');
  await help.waitFor({ state: 'detached' });
  await heading(page, 'Status');
  // From the very moment on in which the window goes: the next key may come at once.
  expect(await page.evaluate('window.heir')).toBe('Reload');
  expect(await focused(page)).toBe('Reload');
});

test('what is typed into a field is no command', async () => {
  const page = await browser.page('#/features');
  await page.getByRole('textbox', { name: 'Account' }).fill('');
  await page.keyboard.type('1jk?/2001');
  expect(await page.getByRole('textbox', { name: 'Account' }).inputValue()).toBe('1jk?/2001');
  await heading(page, 'Features');
  await page.getByRole('textbox', { name: 'Account' }).fill('2001@pbx.example');
  await page.keyboard.press('Enter');
  await heading(page, '2001@pbx.example');
});

test('the first stop of Tab leads past the navigation', async () => {
  const page = await browser.page('#/agents');
  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('Skip to the page');
  await page.keyboard.press('Enter');
  await heading(page, 'Agents');
  expect(await focused(page)).toContain('Agents');
});

/** Addresses of pages, and words that stand on each once it is filled. */
const PAGES: readonly (readonly [address: () => string, words: string])[] = [
  [() => '#/calls', 'answered'],
  [() => `#/calls/${stage.callId}`, 'INVITE'],
  [() => '#/digits', 'delivered'],
  [() => '#/agents', 'in service'],
  [() => '#/agents/carrier', 'Changes of state'],
  [() => '#/subscriptions', 'we, the peer notifies'],
  [() => '#/features', '2001'],
  [() => '#/charts', 'Jitter'],
  [() => '#/status', 'Media ports'],
];

test('Tab reaches everything on every page, and one sees where it is', async () => {
  const page = await browser.page('#/calls');
  const problems: string[] = [];
  for (const [address, words] of PAGES) {
    await page.goto(`${stage.url}/${address()}`);
    await page.locator('main').getByText(words).first().waitFor();
    const found = await unreachedByTab(page);
    problems.push(...found.map((problem) => `${address()}: ${problem}`));
  }
  expect(problems).toEqual([]);
});
