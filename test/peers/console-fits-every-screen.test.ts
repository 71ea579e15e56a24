/** Every page of the console on the screens it is used on: nothing too wide, nothing hard to read, nothing nameless. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsoleBrowser, SMALL_SCREEN, overflowOf, shoot } from '../support/console-browser.ts';
import { FeaturePhone } from '../support/feature-phone.ts';
import { faintWords, namelessParts } from '../support/page-access.ts';
import { OperationsStage } from '../support/operations-stage.ts';
import type { StagedCall } from '../support/operations-stage.ts';

let stage: OperationsStage;
let browser: ConsoleBrowser;
let call: StagedCall;
let feature: FeaturePhone;

/** By page: its address, and words that stand on it once it is filled. */
const PAGES: readonly (readonly [name: string, address: () => string, words: string])[] = [
  ['calls', () => '#/calls', 'answered'],
  ['call', () => `#/calls/${stage.callId}`, 'INVITE'],
  ['ended', () => '#/calls?state=ended', 'ended'],
  ['digits', () => '#/digits', 'Why digits were dropped'],
  ['agents', () => '#/agents', 'by an operator'],
  ['agent', () => '#/agents/carrier-two', 'Changes of state'],
  ['subscriptions', () => '#/subscriptions', 'we, the peer notifies'],
  ['features', () => '#/features', '2424'],
  ['feature', () => '#/features/2001%40pbx.example', '⇒'],
  ['charts', () => '#/charts', 'Event loop lag'],
  ['status', () => '#/status', 'Media ports'],
];

beforeAll(async () => {
  stage = await OperationsStage.open();
  browser = await ConsoleBrowser.open(stage.url);
  feature = await FeaturePhone.open({ sbc: stage.running.access });
  await feature.subscribe();
  await feature.setForward('CallForwardingAlways', { on: true, to: '2424' });
  await stage.hangUp(await stage.call());
  call = await stage.call();
  await call.trunk.press('9');
  await call.phone.listen();
  await call.phone.press('12345');
  await call.trunk.press('67');
  await fetch(`${stage.url}/api/v1/agents/carrier-two/lock`, { method: 'POST' });
});

afterAll(async () => {
  await browser.close();
  await stage.hangUp(call);
  await feature.close();
  await stage.close();
});

describe.each([
  ['desktop', { viewport: { width: 1280, height: 900 } }],
  ['phone', SMALL_SCREEN],
] as const)('on a %s', (screen, options) => {
  test.each(['light', 'dark'] as const)('%s', async (colorScheme) => {
    const page = await browser.page('#/calls', { ...options, colorScheme });
    const problems: string[] = [];
    for (const [name, address, words] of PAGES) {
      await page.goto(`${stage.url}/${address()}`);
      await page.locator('main').getByText(words).first().waitFor();
      const overflow = await overflowOf(page);
      if (overflow !== 0) problems.push(`${name}: ${overflow} px too wide`);
      const faults = [...(await namelessParts(page)), ...(await faintWords(page))];
      problems.push(...faults.map((fault) => `${name}: ${fault}`));
      await shoot(page, `${name}-${screen}-${colorScheme}`);
    }
    expect(problems).toEqual([]);
    expect(await browser.leave()).toEqual([]);
  });
});
