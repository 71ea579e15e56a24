/** The console's list of calls, its keyboard and its screens, on live calls in a real browser. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ConsoleBrowser, SMALL_SCREEN, overflowOf, shoot } from '../support/console-browser.ts';
import { ConsoleStage, arrow, callRow, hasFocus } from '../support/console-stage.ts';
import { buildSdp } from '../support/sdp-text.ts';

let stage: ConsoleStage;
let browser: ConsoleBrowser;

beforeAll(async () => {
  stage = await ConsoleStage.open();
  browser = await ConsoleBrowser.open(stage.url);
});

afterEach(async () => {
  await stage.hangUpAll();
  await browser.leaveClean();
});

afterAll(async () => {
  await browser.close();
  await stage.close();
});

describe('the list', () => {
  test('a call comes, counts its digits and goes while somebody looks', async () => {
    const page = await browser.page('#/calls');
    await page.getByText('No call is up.').waitFor();
    const call = await stage.call();
    const row = callRow(page);
    await row.getByText('answered').waitFor();
    expect(await row.innerText()).toMatch(/phone\s+5551000\s+answered\s+phone\s*→?\s*carrier/);
    expect(await row.innerText()).toContain('KPML ⇄ RTP');
    await stage.pressBothWays(call);
    await row.getByRole('cell', { name: '4', exact: true }).waitFor();
    await stage.hangUp(call);
    await page.getByText('No call is up.').waitFor();
    await page.getByRole('button', { name: 'Ended' }).click();
    await callRow(page).getByText('ended').first().waitFor();
  });

  test('the filter keeps what matches it', async () => {
    await stage.call();
    const page = await browser.page('#/calls');
    await callRow(page).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('carrier');
    await callRow(page).waitFor();
    await page.keyboard.type(' of somebody else');
    await page.getByText('No call matches the filter.').waitFor();
    expect(await page.getByRole('row').count()).toBe(0);
  });

  test('a call that its caller gave up reads cancelled, not failed', async () => {
    const { phone, trunk, running } = stage;
    const body = buildSdp({ address: '127.0.0.1', rtpPort: 40_000 });
    const outgoing = phone.sip.invite({ to: '5550487', via: running.access, body });
    const incoming = await trunk.sip.nextCall();
    incoming.ring();
    await outgoing.provisional(180);
    const page = await browser.page('#/calls');
    const row = page.getByRole('row').filter({ hasText: '5550487' });
    await row.getByText('setting up').waitFor();
    await outgoing.cancel();
    await outgoing.finished();
    await incoming.waitForCancel();
    await row.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Ended' }).click();
    await row.getByText('cancelled', { exact: true }).waitFor();
    expect(await page.getByText('failed').count()).toBe(0);
  });

  test('a call is ended from the page only when that is confirmed', async () => {
    const call = await stage.call();
    const page = await browser.page('#/calls');
    await callRow(page).getByRole('button', { name: 'End' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(stage.running.sbc.calls.size).toBe(1);
    await callRow(page).getByRole('button', { name: 'End' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End call' }).click();
    await Promise.all([call.phone.waitForEnd(), call.trunk.waitForEnd()]);
    await page.getByText('No call is up.').waitFor();
  });
});

test('the keyboard alone leads from the list to a message and back', async () => {
  const call = await stage.call();
  const page = await browser.page('#/digits');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).getByText('filter the list').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('1');
  await callRow(page).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/#/calls/${call.id}`);
  await arrow(page, /^INVITE/).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Message' }).getByText('m=audio').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('region', { name: 'Message' }).waitFor({ state: 'detached' });
  await page.goBack();
  await callRow(page).waitFor();
  // A page begins at its title, and the link past the navigation leads there too.
  expect(await hasFocus(page.getByRole('heading', { level: 1 }))).toBe(true);
  await page.reload();
  await callRow(page).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await hasFocus(page.getByRole('heading', { level: 1 }))).toBe(true);
});

/** The parts of a call, and words that stand on each alone once it is filled. */
const VIEWS = [
  ['Legs and media', 'Digits from here'],
  ['Explanation', 'The offer of the caller:'],
  ['Digits', 'KPML NOTIFY, CSeq'],
  ['Ladder', 'INVITE sip:'],
] as const;

describe.each([
  ['desktop-light', { viewport: { width: 1280, height: 900 }, colorScheme: 'light' }],
  ['phone-dark', { ...SMALL_SCREEN, colorScheme: 'dark' }],
] as const)('on a screen: %s', (name, options) => {
  test('nothing is wider than it', async () => {
    const call = await stage.call();
    await stage.pressBothWays(call);
    const page = await browser.page('#/calls', options);
    await callRow(page).waitFor();
    expect(await overflowOf(page)).toBe(0);
    await callRow(page).getByRole('link').first().click();
    for (const [view, words] of VIEWS) {
      await page
        .getByRole('link', { name: new RegExp(`^${view}`) })
        .last()
        .click();
      await page.locator('main').getByText(words).first().waitFor();
      await shoot(page, `call-${view.split(' ')[0]?.toLowerCase()}-${name}`);
      expect(await overflowOf(page)).toBe(0);
    }
    await arrow(page, /^INVITE .*from the caller/).click();
    await page.getByRole('region', { name: 'Message' }).waitFor();
    await page.screenshot({ path: `test/artifacts/console-call-message-${name}.png` });
    expect(await overflowOf(page)).toBe(0);
  });
});
