/** The console's pages about agents, digits, subscriptions and feature keys, on live calls in a real browser. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ConsoleBrowser } from '../support/console-browser.ts';
import { FeaturePhone } from '../support/feature-phone.ts';
import { OperationsStage } from '../support/operations-stage.ts';

let stage: OperationsStage;
let browser: ConsoleBrowser;

beforeAll(async () => {
  stage = await OperationsStage.open();
  browser = await ConsoleBrowser.open(stage.url);
});

afterEach(async () => {
  await browser.leaveClean();
});

afterAll(async () => {
  await browser.close();
  await stage.close();
});

function row(page: Page, text: string) {
  return page.getByRole('row').filter({ hasText: text });
}

/** The row of an agent, by its link: names may stand inside each other. */
function agentRow(page: Page, name: string) {
  const link = page.getByRole('link', { name, exact: true });
  return page.getByRole('row').filter({ has: link });
}

test('a locked agent gets no more calls, an unlocked one gets them again', async () => {
  const page = await browser.page('#/agents');
  await agentRow(page, 'carrier').getByText('in service').waitFor();
  expect(await agentRow(page, 'carrier').innerText()).toMatch(/udp\s+core\s+carriers\s/);
  await page.getByRole('button', { name: 'Lock carrier', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Lock' }).click();
  await agentRow(page, 'carrier').getByText('by an operator').waitFor();

  const before = stage.first.sip.incoming.length;
  const call = await stage.call(await stage.reviveSecond());
  await agentRow(page, 'carrier-two').getByRole('cell', { name: '1', exact: true }).waitFor();
  await stage.hangUp(call);

  await page.getByRole('button', { name: 'Unlock carrier', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Unlock' }).click();
  await agentRow(page, 'carrier').getByText('in service').waitFor();
  await stage.hangUp(await stage.call(stage.first));
  expect(stage.first.sip.incoming.length).toBe(before + 1);
});

test('a question that is answered with Esc changes nothing, and the focus goes back', async () => {
  const page = await browser.page('#/agents');
  const lock = page.getByRole('button', { name: 'Lock carrier', exact: true });
  await lock.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await lock.evaluate((node) => node.matches(':focus'))).toBe(true);
  await agentRow(page, 'carrier').getByText('in service').waitFor();
});

test('an agent that dies is shown as dead, and its page tells how it stood', async () => {
  const page = await browser.page('#/agents');
  await agentRow(page, 'carrier-two').getByText('in service').waitFor();
  await stage.killSecond();
  await agentRow(page, 'carrier-two').getByText('out of service').waitFor();
  await stage.reviveSecond();
  await agentRow(page, 'carrier-two').getByText('in service').waitFor();

  await page.getByRole('link', { name: 'carrier-two' }).click();
  await page.getByRole('heading', { name: 'carrier-two' }).waitFor();
  const changes = page.getByRole('table', { name: 'Changes of state of carrier-two' });
  const newest = changes.getByRole('row').nth(1);
  expect(await newest.innerText()).toMatch(/out of service\s+in service\s+answers OPTIONS/);
});

test('digits come while they are looked at, with their latency, and the lost ones with a reason', async () => {
  const page = await browser.page('#/digits');
  const call = await stage.call();
  const { callId } = stage;
  // The phone has not subscribed yet.
  await call.trunk.press('9');
  await row(page, 'had not subscribed to KPML').waitFor();
  await call.phone.press('12');
  await row(page, 'caller → callee').nth(1).waitFor();
  const delivered = row(page, 'caller → callee').first();
  await delivered.getByText('RTP event').waitFor();
  expect(await delivered.innerText()).toMatch(/KPML NOTIFY, CSeq \d+\s+RTP event\s+[\d.]+ ms/);

  const why = page.getByRole('region', { name: 'Why digits were dropped' });
  expect(await why.innerText()).toContain(
    'Digits pressed before the SUBSCRIBE are dropped by design',
  );
  await page.getByRole('button', { name: 'Dropped' }).click();
  await row(page, 'caller → callee').first().waitFor({ state: 'detached' });
  await page.getByRole('link', { name: callId }).first().click();
  await page.waitForURL(`**/#/calls/${callId}`);
  await stage.hangUp(call);
});

test('the filter keeps digits by what stands in their row', async () => {
  const call = await stage.call();
  await call.phone.press('34');
  const page = await browser.page(`#/digits?call=${stage.callId}`);
  await row(page, 'caller → callee').nth(1).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('nothing like this');
  await page.getByText('No digit matches the filter.').waitFor();
  await page.getByRole('searchbox').fill('notify');
  await row(page, 'caller → callee').nth(1).waitFor();
  expect(await row(page, 'caller → callee').count()).toBe(2);
  await page.getByRole('button', { name: 'To caller' }).click();
  await page.getByText('No digit matches the filter.').waitFor();
  await stage.hangUp(call);
});

test('subscriptions of a call are listed in both roles, and lead to the call', async () => {
  const call = await stage.call();
  const { callId } = stage;
  await call.phone.listen();
  await call.phone.press('1');
  const page = await browser.page('#/subscriptions');
  const table = page.getByRole('table', { name: 'KPML subscriptions' });
  const notifier = table.getByRole('row').filter({ hasText: 'the peer, we notify' });
  await notifier.getByText('active').waitFor();
  const subscriber = table.getByRole('row').filter({ hasText: 'we, the peer notifies' });
  await subscriber.getByText('active').waitFor();
  expect(await subscriber.innerText()).toMatch(/\d:\d\d:\d\d/);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/#/calls/${callId}`);
  await stage.hangUp(call);
});

test('feature keys change on the page as they change on a phone', async () => {
  const userAgent = '<img src=x onerror=alert(1)>';
  const phone = await FeaturePhone.open({ sbc: stage.running.access, userAgent });
  await phone.subscribe();
  const page = await browser.page('#/features');
  const account = row(page, '2001@pbx.example');
  await account.getByText('1 phone').waitFor();
  await row(page, '2002@pbx.example').getByText('0 phones').waitFor();
  await phone.setForward('CallForwardingAlways', { on: true, to: '2424' });
  await account.getByText('on → 2424').waitFor();
  const portal = await account.getByRole('link', { name: 'Portal' }).getAttribute('href');
  expect(portal).toBe('/features#2001%40pbx.example');

  await page.getByRole('link', { name: '2001@pbx.example' }).click();
  await page.getByRole('heading', { name: '2001@pbx.example' }).waitFor();
  await page.getByRole('table', { name: 'Changes' }).getByText('off ⇒ on → 2424').waitFor();
  // What a phone calls itself is text, whatever it is.
  const phones = page.getByRole('table', { name: 'Phones' });
  expect(await phones.innerText()).toContain(userAgent);
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  await phone.close();
});
