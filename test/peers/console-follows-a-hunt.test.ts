/** The console's page of calls that were refused, or that went on to another agent, in a real browser. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ConsoleBrowser } from '../support/console-browser.ts';
import { arrow, ladderOf } from '../support/console-stage.ts';
import { OperationsStage } from '../support/operations-stage.ts';
import { waitFor } from '../support/wait-for.ts';

let stage: OperationsStage;
let browser: ConsoleBrowser;

beforeAll(async () => {
  stage = await OperationsStage.open();
  browser = await ConsoleBrowser.open(stage.url);
});

afterEach(() => browser.leaveClean());

afterAll(async () => {
  await browser.close();
  await stage.close();
});

test('each message names the agent that stood there then', async () => {
  const calling = stage.phone.call({ to: '5551000', via: stage.running.access });
  (await stage.first.sip.nextCall()).reject(503);
  const trunk = await (await stage.reviveSecond()).answer();
  const phone = await calling;
  const page = await browser.page(`#/calls/${stage.callId}`);
  await arrow(page, /^503 .*from the callee/).click();
  const message = page.getByRole('region', { name: 'Message' });
  await message.getByText(/from the callee carrier \(udp/).waitFor();
  await arrow(page, /^200 OK \(INVITE\) .*from the callee/).click();
  await message.getByText(/from the callee carrier-two \(udp/).waitFor();
  const rows = await ladderOf(page);
  const refusal = rows.findIndex((row) => row.includes('503 Service Unavailable'));
  const next = rows.findIndex((row) => /^callee carrier-two, udp\/127\.0\.0\.1:\d+$/.test(row));
  const second = rows.findLastIndex((row) => /INVITE sip:.*to the callee$/.test(row));
  expect([refusal < next, next < second]).toEqual([true, true]);
  await stage.hangUp({ phone, trunk });
});

test('a refused call is listed with who refused it and why', async () => {
  const page = await browser.page('#/calls');
  const calling = stage.phone.call({ to: '5559999', via: stage.running.access });
  const incoming = await stage.first.sip.nextCall();
  const row = page.getByRole('row').filter({ hasText: '5559999' });
  await row.getByText('setting up').waitFor();
  incoming.reject(486);
  await expect(calling).rejects.toThrow('486');
  await waitFor('end of the call', () => stage.running.sbc.calls.size === 0);
  await row.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Ended' }).click();
  await row.getByText('failed 486').waitFor();
  await row.getByText('callee: Busy Here').waitFor();
  await row.getByRole('link').first().click();
  await page.getByText(/by the callee: Busy Here \(486, Q\.850 cause 17\)/).waitFor();
  expect(await page.getByRole('region', { name: 'Call' }).first().innerText()).toMatch(
    /Answered\s+never/,
  );
});
