/** The page in a real browser: signing in, words for what is refused, a lost connection, keyboard, small screens. */

import { mkdir } from 'node:fs/promises';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openBrowser } from '../support/browser.ts';
import { TcpGate } from '../support/tcp-gate.ts';
import { ACCOUNT, PHONE, fillPortal, openPortal } from '../unit/api/portal-stage.ts';
import type { PortalStage } from '../unit/api/portal-stage.ts';
import { PATIENCE_MS } from '../support/wait-for.ts';
import { stopTimers } from './portal-page.ts';

const TOKEN = 's3cret-token';
const ARTIFACTS = new URL('../artifacts/', import.meta.url);
let browser: Browser;
let stage: PortalStage;
let gate: TcpGate;
let page: Page;
/** What the browser complains about, refusals by content security among it. */
const complaints: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  stage = await openPortal(TOKEN);
  await stage.app.listen({ host: '127.0.0.1', port: 0 });
  const bound = stage.app.server.address();
  gate = await TcpGate.open(bound !== null && typeof bound === 'object' ? bound.port : 0);
  await mkdir(ARTIFACTS, { recursive: true });
});

beforeEach(() => {
  stage.reset();
  complaints.length = 0;
});

afterEach(async () => {
  await page.context().close();
});

afterAll(async () => {
  await browser.close();
  await gate.close();
  await stage.close();
});

async function open(options: BrowserContextOptions = {}): Promise<void> {
  const context = await browser.newContext(options);
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(`http://127.0.0.1:${gate.port}/features`);
}

async function signIn(user = '2001', password = 'secret-1'): Promise<void> {
  await page.getByLabel('Account', { exact: true }).fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

async function openSignedIn(options: BrowserContextOptions = {}): Promise<void> {
  await open(options);
  await signIn();
  await isLive();
}

async function isLive(): Promise<void> {
  await page.getByText('Live', { exact: true }).waitFor();
}

function row(name: string) {
  return page.getByRole('region', { name, exact: true });
}

describe('signing in', () => {
  test('a wrong password is said to be wrong, the right one opens the account', async () => {
    await open();
    await signIn('2001', 'wrong');
    await page.getByText('Name and password do not fit.').waitFor();
    await signIn();
    await page.getByRole('heading', { name: '2001@pbx.example' }).waitFor();
    expect(await page.title()).toContain('2001@pbx.example');
  });

  test('signing out ends it for every page of the browser', async () => {
    await openSignedIn();
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await other.getByText('Your session has ended. Sign in again.').waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(await page.getByRole('switch').count()).toBe(0);
  });

  test('a user with several accounts chooses among them', async () => {
    await open();
    await signIn('boss', 'secret-3');
    await page.getByRole('heading', { name: '2001@pbx.example' }).waitFor();
    await page.getByRole('combobox', { name: 'Account' }).selectOption('2002@pbx.example');
    await page.getByRole('heading', { name: '2002@pbx.example' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: '2001@pbx.example' }).waitFor();
    expect(page.url()).not.toContain('2002');
  });
});

test('another password in the configuration ends what is open, and the page says so', async () => {
  await openSignedIn();
  const { config } = stage;
  if (config === undefined) throw new Error('feature keys are served');
  stage.config = { ...config, users: {} };
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PHONE);
  await page.getByText('Your session has ended. Sign in again.').waitFor();
  expect(await page.getByRole('switch').count()).toBe(0);
});

test('feature keys that are switched off are said to be, and come back', async () => {
  const { config } = stage;
  stage.config = undefined;
  await open();
  await page.getByText('Feature keys are not served here.').waitFor();
  stage.config = config;
  await page.getByRole('button', { name: 'Try again' }).click();
  await signIn();
  await isLive();
  expect(complaints).toEqual([]);
});

describe('changes', () => {
  test('what is refused is said in words, and what was typed stays', async () => {
    await openSignedIn();
    const forward = row('Forward all calls');
    await forward.getByRole('switch').click();
    await forward.getByText('Enter the number that calls shall go to first.').waitFor();
    await forward.getByRole('textbox').fill('2001');
    await forward.getByRole('switch').click();
    await forward.getByText('calls cannot be forwarded to this account itself').waitFor();
    expect(await forward.getByRole('textbox').inputValue()).toBe('2001');
    await forward.getByRole('button', { name: 'Undo' }).click();
    expect(await forward.getByRole('textbox').inputValue()).toBe('');
  });

  test('somebody else is faster: nothing is overwritten, and the second attempt is knowing', async () => {
    await openSignedIn();
    await stopTimers(page);
    const forward = row('Forward when busy');
    await forward.getByRole('textbox').fill('2424');
    // The change of the other one comes between the click and its arrival.
    await page.route(
      '**/features/CallForwardingBusy',
      async (route) => {
        const faster = { status: true, forwardTo: '2828' };
        await stage.service.set(ACCOUNT, 'CallForwardingBusy', faster, PHONE);
        await route.continue();
      },
      { times: 1 },
    );
    await forward.getByRole('button', { name: 'Save' }).click();
    await forward.getByText('Somebody else changed this meanwhile.').waitFor();
    await forward.getByRole('switch', { checked: true }).waitFor();
    expect(stage.store.state(ACCOUNT, 'CallForwardingBusy').values.forwardTo).toBe('2828');
    expect(await forward.getByRole('textbox').inputValue()).toBe('2424');
    await forward.getByRole('button', { name: 'Save' }).click();
    await forward.getByText('Saved').waitFor();
    expect(stage.store.state(ACCOUNT, 'CallForwardingBusy').values.forwardTo).toBe('2424');
  });

  test('a number is removed while the forward is off', async () => {
    const values = { forwardTo: '2424' };
    stage.store.put(ACCOUNT, 'CallForwardingAlways', { values, version: 1 });
    await openSignedIn();
    await stopTimers(page);
    const forward = row('Forward all calls');
    await forward.getByRole('textbox').fill('');
    await forward.getByRole('textbox').press('Enter');
    await forward.getByText('Saved').waitFor();
    expect(stage.store.state(ACCOUNT, 'CallForwardingAlways').values).toEqual({});
  });

  test('a store that fails is said to fail, and the switch goes back', async () => {
    await openSignedIn();
    stage.store.failing.add('set');
    await row('Do not disturb').getByRole('switch').click();
    await row('Do not disturb').getByText('the store does not answer').waitFor();
    expect(await row('Do not disturb').getByRole('switch').isChecked()).toBe(false);
  });

  test('markup in a number is text', async () => {
    await openSignedIn();
    const target = '<img src=x onerror=alert(1)>';
    await stage.service.set(
      ACCOUNT,
      'CallForwardingAlways',
      { status: true, forwardTo: target },
      PHONE,
    );
    await page.getByText(`All calls go to ${target}.`).waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});

test('a lost connection is said to be lost, and what happened meanwhile is shown when it is back', async () => {
  await openSignedIn();
  await page.route('**/events', (route) => route.abort());
  gate.cut();
  await page.getByText('Connection lost.').waitFor();
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PHONE);
  await page.unroute('**/events');
  await row('Do not disturb').getByRole('switch', { checked: true }).waitFor();
  await isLive();
  await page.getByText('Connection lost.').waitFor({ state: 'hidden' });
  expect(await row('Do not disturb').getByRole('switch').isChecked()).toBe(true);
});

test('a lost connection is tried again on demand, without waiting for its time', async () => {
  await openSignedIn();
  await page.clock.install();
  let attempts = 0;
  await page.route('**/events', async (route) => {
    attempts += 1;
    await route.abort();
  });
  gate.cut();
  const tryNow = page.getByRole('button', { name: 'Try now' });
  await tryNow.waitFor();
  // No time passes any more: of itself the page makes one attempt at most, the one that is due now.
  await page.clock.pauseAt(new Date(Date.now() + 60_000));
  for (let press = 0; press < 3; press += 1) {
    const refused = attempts;
    await tryNow.click();
    await expect.poll(() => attempts, { timeout: PATIENCE_MS }).toBeGreaterThan(refused);
  }
  await page.unroute('**/events');
  await page.clock.resume();
  await isLive();
});

test('the keyboard alone is enough, and the focus stays where it was', async () => {
  await open();
  await page.locator('input:focus').waitFor();
  await page.keyboard.type('2001');
  await page.keyboard.press('Tab');
  await page.keyboard.type('secret-1');
  await page.keyboard.press('Enter');
  await isLive();
  await stopTimers(page);
  const dnd = row('Do not disturb').getByRole('switch');
  for (let step = 0; step < 10 && !(await hasFocus('Do not disturb')); step += 1) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Space');
  await row('Do not disturb').getByText('Saved').waitFor();
  expect(await dnd.isChecked()).toBe(true);
  // Three more, quicker than answers come: the last press counts.
  await page.keyboard.press('Space');
  await page.keyboard.press('Space');
  await page.keyboard.press('Space');
  const status = () => stage.store.state(ACCOUNT, 'DoNotDisturb').status;
  await expect.poll(status, { timeout: PATIENCE_MS }).toBe(false);
  for (let step = 0; step < 2; step += 1) await page.keyboard.press('Tab');
  await page.keyboard.type('2424');
  await page.keyboard.press('Enter');
  await row('Forward all calls').getByText('Saved').waitFor();
  expect(stage.store.state(ACCOUNT, 'CallForwardingAlways').values.forwardTo).toBe('2424');
});

function hasFocus(name: string): Promise<boolean> {
  return row(name)
    .getByRole('switch')
    .evaluate((node) => node.matches(':focus'));
}

test('administrators open any account, and assign and lock', async () => {
  await open();
  await page.getByText('Administrator', { exact: true }).click();
  await page.getByLabel('Token').fill(TOKEN);
  await page.getByRole('button', { name: 'Continue as administrator' }).click();
  // The form that is left has a field of the same name.
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await page.getByLabel('Account', { exact: true }).fill('4711@pbx.example');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('heading', { name: '4711@pbx.example' }).waitFor();
  await isLive();
  await page.getByLabel('Forward all calls: Locked').click();
  await row('Forward all calls').getByText('Locked by the administrator').waitFor();
  expect(await row('Forward all calls').getByRole('switch').isDisabled()).toBe(true);
  await page.getByLabel('Forward when busy: Assigned').click();
  await row('Forward when busy').getByText('Not assigned').waitFor();
  const account = 'sip:4711@pbx.example';
  expect(stage.store.state(account, 'CallForwardingAlways').locked).toBe(true);
  expect(stage.store.state(account, 'CallForwardingBusy').assigned).toBe(false);
});

describe.each([
  ['desktop', { viewport: { width: 1280, height: 900 } }],
  ['telephone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
] as const)('on the screen of a %s', (screen, options) => {
  test.each(['light', 'dark'] as const)(
    '%s: nothing is cut off, nothing is complained about',
    async (colorScheme) => {
      await fillPortal(stage);
      await open({ ...options, colorScheme });
      await shoot(`${screen}-${colorScheme}-sign-in`);
      await signIn();
      await isLive();
      await stopTimers(page);
      await row('Do not disturb').getByRole('switch').click();
      await row('Do not disturb').getByText('Saved').waitFor();
      await shoot(`${screen}-${colorScheme}`);
      const overflow =
        'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      expect(await page.evaluate<number>(overflow)).toBe(0);
      expect(complaints).toEqual([]);
    },
  );
});

async function shoot(name: string): Promise<void> {
  const path = new URL(`portal-${name}.png`, ARTIFACTS).pathname;
  await page.screenshot({ path, fullPage: true });
}
