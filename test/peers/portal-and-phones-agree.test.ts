/**
 * The page in a real browser and phones on real sockets, with one SBC between them.
 *
 *   page: click ---> PUT -----------> SBC ---> NOTIFY ---> phone shows it
 *   phone: key ----> SUBSCRIBE -----> SBC ---> event ----> page shows it, without reload
 */

import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { FeaturePhone } from '../support/feature-phone.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';
import type { RunningSbc } from '../support/start-sbc.ts';
import { PATIENCE_MS, waitFor } from '../support/wait-for.ts';
import { stopTimers } from './portal-page.ts';

const FEATURE_KEYS = [
  'feature-keys:',
  '  enabled: true',
  '  provider: { kind: sqlite, file: ":memory:" }',
  '  domains: { pbx.example: [127.0.0.1] }',
  '  users:',
  ...['2001', '2002', '2003', '2004', '2005', '2006'].map(
    (user) => `    "${user}": { password: secret }`,
  ),
].join('\n');

/** A test has accounts of its own: the phones of another one may still be subscribed. */
let browser: Browser;
let sbc: RunningSbc;
const pages: Page[] = [];
const phones: FeaturePhone[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  sbc = await startLoopbackSbc({
    carrier: { address: '127.0.0.1', port: 9 },
    edit: (yaml) => yaml.replace('feature-keys: { enabled: false }', FEATURE_KEYS),
  });
});

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  await Promise.all(phones.splice(0).map((phone) => phone.close()));
});

afterAll(async () => {
  await browser.close();
  await sbc.close();
});

async function openPage(user: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  pages.push(page);
  await page.goto(`http://127.0.0.1:${sbc.api.port}/features`);
  await page.getByLabel('Account').fill(user);
  await page.getByLabel('Password').fill('secret');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
  return page;
}

async function openPhone(user: string, userAgent = 'DeskPhone/1.0'): Promise<FeaturePhone> {
  const phone = await FeaturePhone.open({ sbc: sbc.access, user, userAgent });
  phones.push(phone);
  expect(await phone.subscribe()).toMatchObject({ status: 200 });
  await phone.waitUntilShown('DoNotDisturb', () => true);
  return phone;
}

test('a click on the page reaches the phone, and a key of the phone the page', async () => {
  const phone = await openPhone('2001');
  const page = await openPage('2001');
  const loads: string[] = [];
  page.on('framenavigated', (frame) => loads.push(frame.url()));
  await stopTimers(page);

  const dnd = page.getByRole('switch', { name: 'Do not disturb' });
  await dnd.click();
  await phone.waitUntilShown('DoNotDisturb', ({ status }) => status);
  await page.getByText('Saved and sent to 1 phone').waitFor();

  await phone.setForward('CallForwardingAlways', { on: true, to: '2424' });
  const row = page.getByRole('region', { name: 'Forward all calls' });
  await row.getByRole('switch', { checked: true }).waitFor();
  expect(await row.getByRole('textbox').inputValue()).toBe('2424');
  await page.getByText('All calls go to 2424.').waitFor();

  await phone.setDnd(false);
  await page.getByRole('switch', { name: 'Do not disturb', checked: false }).waitFor();
  expect(loads).toEqual([]);

  const changes = page.getByRole('region', { name: 'Changes' });
  await changes.getByText('DeskPhone/1.0 · 2001').first().waitFor();
  await changes.getByText('Web page · 2001').first().waitFor();
});

test('two pages and two phones of an account end equal, those of another stay as they are', async () => {
  const [first, second, stranger] = [
    await openPhone('2002'),
    await openPhone('2002', 'OtherPhone/2.0'),
    await openPhone('2003'),
  ];
  const one = await openPage('2002');
  const two = await openPage('2002');
  const other = await openPage('2003');
  const told = stranger.notifies.length;
  await stopTimers(one);

  const row = one.getByRole('region', { name: 'Forward when unanswered' });
  await row.getByRole('textbox').fill('+49 30 1234567');
  await row.getByRole('switch').click();
  await row.getByText('Saved and sent to 2 phones').waitFor();
  await row.getByRole('combobox').selectOption('8');
  for (const phone of [first, second]) {
    const report = await phone.waitUntilShown(
      'CallForwardingNoAnswer',
      ({ ringCount }) => Number(ringCount) === 8,
    );
    expect(report).toMatchObject({ status: true, forwardTo: '+49 30 1234567' });
  }
  const twin = two.getByRole('region', { name: 'Forward when unanswered' });
  await twin.getByRole('switch', { checked: true }).waitFor();
  await twin.getByText('8 rings (about 48 s)').first().waitFor({ state: 'attached' });
  expect(await twin.getByRole('textbox').inputValue()).toBe('+49 30 1234567');

  expect(stranger.notifies.length).toBe(told);
  const theirs = other.getByRole('region', { name: 'Forward when unanswered' });
  expect(await theirs.getByRole('switch').isChecked()).toBe(false);
});

test('phones come and go on the page', async () => {
  const page = await openPage('2004');
  const list = page.getByRole('region', { name: 'Phones' });
  await list.getByText('No phone is connected').waitFor();
  const phone = await openPhone('2004', 'DeskPhone/3.0');
  await list.getByText('DeskPhone/3.0').waitFor();
  await list.getByText(`127.0.0.1:${phone.port}/udp`).waitFor();
  const before = phone.notifies.length;
  await list.getByRole('button', { name: 'Update phones' }).click();
  await list.getByText('Sent to 1 phone.').waitFor();
  await waitFor('NOTIFY', () => phone.notifies.length > before);
  expect(await phone.unsubscribe()).toMatchObject({ status: 200 });
  await list.getByText('No phone is connected').waitFor();
});

test('a forward to the account itself is refused in words, and the phone hears nothing of it', async () => {
  const phone = await openPhone('2005');
  const page = await openPage('2005');
  const told = phone.notifies.length;
  const row = page.getByRole('region', { name: 'Forward when busy' });
  await row.getByRole('textbox').fill('2005');
  await row.getByRole('switch').click();
  await row.getByText('calls cannot be forwarded to this account itself').waitFor();
  expect(await row.getByRole('switch').isChecked()).toBe(false);
  await page.getByText('Refused: On · 2005, the account itself').waitFor();
  expect(phone.notifies.length).toBe(told);
});

test('quick presses on the phone and clicks on the page end equal on both', async () => {
  const phone = await openPhone('2006');
  const page = await openPage('2006');
  const dnd = page.getByRole('switch', { name: 'Do not disturb' });
  for (let press = 0; press < 10; press += 1) {
    const answered = phone.setDnd(press % 2 === 0);
    if (press % 3 === 0) await dnd.click();
    await answered;
  }
  await phone.setDnd(true);
  await phone.setForward('CallForwardingBusy', { on: true, to: '2424' });
  await page.getByRole('switch', { name: 'Forward when busy', checked: true }).waitFor();
  await phone.waitUntilShown('CallForwardingBusy', ({ status }) => status);
  await waitForEqual(page, phone);
  expect(phone.shown.get('CallForwardingBusy')).toMatchObject({ forwardTo: '2424' });
});

/** A click that was still under way may come after the last press. */
async function waitForEqual(page: Page, phone: FeaturePhone): Promise<void> {
  const dnd = page.getByRole('switch', { name: 'Do not disturb' });
  const isEqual = async (): Promise<boolean> => {
    const isIdle = (await page.locator('[aria-busy="true"]').count()) === 0;
    return isIdle && (await dnd.isChecked()) === phone.shown.get('DoNotDisturb')?.status;
  };
  await expect.poll(isEqual, { timeout: PATIENCE_MS }).toBe(true);
}
