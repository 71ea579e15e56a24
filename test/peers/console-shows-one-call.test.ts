/** The console's page of one call: ladder, exports, digits, explanation, on live calls in a real browser. */

import { readFile } from 'node:fs/promises';
import type { Download, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ConsoleBrowser } from '../support/console-browser.ts';
import { ConsoleStage, arrow, hasFocus, ladderOf } from '../support/console-stage.ts';
import type { WatchedCall } from '../support/console-stage.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { PATIENCE_MS } from '../support/wait-for.ts';

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

async function openCall(call: WatchedCall, view = ''): Promise<Page> {
  const page = await browser.page(`#/calls/${call.id}${view === '' ? '' : `?view=${view}`}`);
  await page.getByRole('heading', { name: 'phone → 5551000' }).waitFor();
  return page;
}

describe('the ladder', () => {
  test('has messages of both legs, decisions and digits, and grows', async () => {
    const call = await stage.call();
    const page = await openCall(call);
    await arrow(page, /^INVITE .*from the caller/).waitFor();
    await stage.pressBothWays(call);
    await arrow(page, /^NOTIFY .*KPML.*to the caller/).waitFor();
    const ladder = page.getByRole('region', { name: 'Ladder' });
    await ladder.getByText('digit from callee by telephone-event').nth(1).waitFor();
    await ladder.getByText('digit from caller by KPML NOTIFY').nth(1).waitFor();
    const rows = await ladderOf(page);
    expect(rows[0]).toMatch(/^\+0\.000 INVITE sip:5551000@\S+ SDP from the caller$/);
    expect(rows.filter((row) => /^\+\d+\.\d{3} INVITE .* to the callee$/.test(row))).toHaveLength(
      1,
    );
    expect(rows.some((row) => row.endsWith('200 OK (INVITE) SDP from the callee'))).toBe(true);
    expect(
      rows.filter((row) => row.includes('decision caller -> callee: kpml-to-2833')),
    ).toHaveLength(1);
    expect(rows.filter((row) => row.includes('digit from caller by KPML NOTIFY'))).toHaveLength(2);
  });

  test('an arrow opens its message, the keys go on to the next one, Esc closes it', async () => {
    const page = await openCall(await stage.call());
    await arrow(page, /^INVITE .*from the caller/).click();
    const message = page.getByRole('region', { name: 'Message' });
    await message.getByText('Allow-Events').waitFor();
    expect(await message.innerText()).toMatch(/from the caller phone \(udp\/127\.0\.0\.1:\d+\)/);
    expect(await message.innerText()).toContain('m=audio');
    await page.keyboard.press('j');
    await message.getByText('to the callee carrier').waitFor();
    await page.keyboard.press('k');
    await message.getByText('from the caller phone').waitFor();
    await message.getByRole('button', { name: 'As received' }).click();
    expect(await message.locator('pre').innerText()).toMatch(
      /^INVITE sip:5551000@.*SIP\/2\.0\nVia: /,
    );
    await page.keyboard.press('Escape');
    await message.waitFor({ state: 'detached' });
    const isFocused = await hasFocus(arrow(page, /^INVITE .*from the caller/));
    expect(isFocused).toBe(true);
  });

  test('its message can be copied', async () => {
    const page = await openCall(await stage.call());
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await arrow(page, /^INVITE .*from the caller/).click();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.locator('.toast', { hasText: 'Copied.' }).waitFor();
    const copied = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(copied).toMatch(/^INVITE sip:5551000@[^]*\r?\n\r?\nv=0\r?\n/);
  });

  test('rows are kept by kind and by text', async () => {
    const page = await openCall(await stage.call());
    await page.getByRole('button', { name: /^Decisions/ }).click();
    await page.getByRole('button', { name: /^DTMF/ }).click();
    await arrow(page, /^INVITE/).waitFor();
    expect((await ladderOf(page)).filter((row) => /decision|DTMF/.test(row))).toEqual([]);
    await page.getByRole('searchbox').fill('a=rtpmap:101');
    await expect
      .poll(async () => (await ladderOf(page)).map((row) => row.slice(-6)), {
        timeout: PATIENCE_MS,
      })
      .toEqual(['callee', 'callee']);
  });

  test('what somebody reads stays where it is while rows come', async () => {
    const call = await stage.call();
    for (let times = 0; times < 12; times += 1) await call.phone.dialog.request('OPTIONS');
    const page = await openCall(call);
    const row = arrow(page, /^OPTIONS .*from the caller/);
    await row.evaluate((node) => node.scrollIntoView({ block: 'center' }));
    const before = await row.boundingBox();
    const count = (await ladderOf(page)).length;
    await stage.pressBothWays(call);
    await expect
      .poll(async () => (await ladderOf(page)).length, { timeout: PATIENCE_MS })
      .toBeGreaterThan(count);
    expect((await row.boundingBox())?.y).toBe(before?.y);
  });

  test('five hundred rows are no burden', async () => {
    const call = await stage.call();
    for (let times = 0; times < 260; times += 1) await call.phone.dialog.request('OPTIONS');
    const page = await openCall(call);
    await page.getByText(/rows? behind row \d+ no longer kept/).waitFor();
    const rows = (await ladderOf(page)).length;
    expect(rows).toBeGreaterThan(460);
    expect(rows).toBeLessThan(501);
    await arrow(page, /^OPTIONS/).click();
    await page.getByRole('region', { name: 'Message' }).waitFor();
    for (let times = 0; times < 20; times += 1) await page.keyboard.press('j');
    await page.keyboard.press('Escape');
    await page.getByRole('region', { name: 'Message' }).waitFor({ state: 'detached' });
  });
});

describe('exports', () => {
  test('the ladder is saved as text, as Mermaid and as packets', async () => {
    const call = await stage.call();
    await stage.pressBothWays(call);
    const page = await openCall(call);
    const text = await exported(page, 'Text');
    expect(text.name).toBe(`call-${call.id}.txt`);
    expect(text.content.toString()).toMatch(/caller\s+sbc\s+callee/);
    const mermaid = await exported(page, 'Mermaid');
    expect(mermaid.content.toString()).toMatch(/^sequenceDiagram\n/);
    const pcap = await exported(page, 'pcap');
    expect(pcap.name).toBe(`call-${call.id}.pcap`);
    expect([0xa1b2c3d4, 0xd4c3b2a1]).toContain(pcap.content.readUInt32LE(0));
    expect(pcap.content.toString('latin1')).toContain('INVITE sip:5551000@');
  });
});

async function exported(page: Page, name: string): Promise<{ name: string; content: Buffer }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('group', { name: 'Export the ladder' }).getByRole('button', { name }).click(),
  ]);
  return { name: download.suggestedFilename(), content: await contentOf(download) };
}

async function contentOf(download: Download): Promise<Buffer> {
  return await readFile(await download.path());
}

test('digits of the call are listed with their way, their latency and the reason of a loss', async () => {
  const call = await stage.call();
  await call.phone.listener.subscribe({ expiresSeconds: 0 });
  await call.trunk.press('9');
  await call.phone.press('1');
  const page = await openCall(call, 'digits');
  const lost = page.getByRole('row').filter({ hasText: 'callee → caller' });
  await lost.getByText('The receiving side had not subscribed to KPML.').waitFor();
  const delivered = page.getByRole('row').filter({ hasText: 'caller → callee' });
  await delivered.getByText('delivered').waitFor();
  expect(await delivered.innerText()).toMatch(
    /KPML NOTIFY, CSeq \d+\s+RTP event, sent after [\d.]+ ms/,
  );
});

test('the explanation says in words what runs and why, and where each parameter comes from', async () => {
  const page = await openCall(await stage.call(), 'explanation');
  await page.getByText('KPML reports are sent on as telephone-events.').waitFor();
  const text = await page.getByRole('main').innerText();
  expect(text).toContain('Row K1 of the decision table; rules R7, R8');
  expect(text).toContain('The offer of the caller:');
  expect(text).toContain('Local policy: from-realm access, to *, next-hop carrier.');
  const table = page.getByRole('table', { name: 'Parameters in force' });
  const row = table.getByRole('row').filter({ hasText: 'rfc2833-mode' });
  expect(await row.innerText()).toMatch(
    /transparent sip-interface access\s+preferred sip-interface core/,
  );
  expect(await table.getByText('session-expires').count()).toBe(0);
  await page.getByLabel('with defaults').check();
  await table.getByText('session-expires').waitFor();
});

test('a direction whose receiver is on hold says so, and no more once it goes on', async () => {
  const call = await stage.call();
  const page = await openCall(call, 'explanation');
  const { dialog, rtp } = call.trunk;
  const offer = { address: rtp.address, rtpPort: rtp.rtpPort, eventPayloadType: 101 };
  const held = buildSdp({ ...offer, version: 8 }).replace('a=sendrecv', 'a=sendonly');
  await dialog.request('INVITE', { body: held });
  const direction = page.getByRole('article').filter({ hasText: 'From the caller to the callee' });
  await direction.getByText('Now on hold: this side takes no media').waitFor();
  expect(await page.getByText('Now on hold').count()).toBe(1);
  await dialog.request('INVITE', { body: buildSdp({ ...offer, version: 9 }) });
  await page.getByText('Now on hold').waitFor({ state: 'detached' });
});

test('media counters of both legs move while somebody looks', async () => {
  const page = await openCall(await stage.call(), 'legs');
  const leg = page.getByRole('region', { name: 'Leg of the callee' });
  await leg.getByText(/^[\d,]+ packets, jitter/).waitFor();
  const received = async () =>
    Number(/([\d,]+) packets, /.exec(await leg.innerText())?.[1]?.replaceAll(',', ''));
  const before = await received();
  await expect.poll(received, { timeout: PATIENCE_MS }).toBeGreaterThan(before);
  expect(await leg.innerText()).toMatch(/audio 127\.0\.0\.1:\d+ PCMU telephone-event\/101/);
});

test('a call that has ended stays readable', async () => {
  const call = await stage.call();
  const page = await openCall(call);
  await arrow(page, /^INVITE/).waitFor();
  await stage.hangUp(call);
  await page
    .getByText(/by the caller: .*\(200, Q\.850 cause 16\)/)
    .first()
    .waitFor();
  await arrow(page, /^BYE .*from the caller/).waitFor();
  expect(await page.getByRole('button', { name: /^End/ }).count()).toBe(0);
  await page.reload();
  await arrow(page, /^BYE .*to the callee/).waitFor();
  await page.getByRole('link', { name: 'Explanation' }).click();
  await page.getByText('KPML reports are sent on as telephone-events.').waitFor();
});

test('a call that nobody knows is said to be unknown', async () => {
  const page = await browser.page('#/calls/nosuchcall');
  await page.getByText('There is no call nosuchcall').waitFor();
  // The browser reports every 404 by itself, and nothing else is to be reported.
  const complaints = await browser.leave();
  expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
});
