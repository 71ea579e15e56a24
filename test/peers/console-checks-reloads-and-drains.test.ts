/** The console's page about the process: check, reload and drain as an operator does them, on a process of its own. */

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ConsoleBrowser, SMALL_SCREEN, overflowOf, shoot } from '../support/console-browser.ts';
import { loopbackConfig } from '../support/loopback-config.ts';
import type { LoopbackConfig } from '../support/loopback-config.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import { SbcProcess } from '../support/sbc-process.ts';
import { buildSdp } from '../support/sdp-text.ts';
import { statusOf } from '../support/sip-text.ts';

let trunk: Rfc2833Trunk;
let phone: Rfc2833Trunk;
let config: LoopbackConfig;
let sbc: SbcProcess;
let browser: ConsoleBrowser;

beforeAll(async () => {
  trunk = await Rfc2833Trunk.open({ user: 'trunk' });
  phone = await Rfc2833Trunk.open({ user: 'phone' });
  config = await loopbackConfig({
    carrier: trunk.sip,
    access: { 'kpml-interworking': 'disabled' },
    cdrFile: '/dev/null',
    logLevel: 'info',
  });
  sbc = await SbcProcess.start(config.yaml);
  await sbc.waitForOutput('"ready"');
  browser = await ConsoleBrowser.open(`http://127.0.0.1:${config.api.port}`);
});

/** A refused file is a 422, and a drained SBC serves no stream of events: the browser notes both by itself. */
const EXPECTED = /status of (?:422|503)/;

afterEach(async () => {
  await browser.leaveClean(EXPECTED);
});

afterAll(async () => {
  await browser.close();
  await sbc.close();
  await Promise.all([trunk.close(), phone.close()]);
});

function answerOn(page: Page) {
  return page.getByRole('region', { name: 'Answer of the SBC' });
}

/** The value beside a name. */
function fact(page: Page, name: string) {
  return page
    .locator('.facts > div')
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator('dd');
}

async function press(page: Page, name: string, answer?: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
  if (answer !== undefined) {
    await page.getByRole('dialog').getByRole('button', { name: answer, exact: true }).click();
  }
}

test('the page says what runs: file, hash, interfaces, ports', async () => {
  const page = await browser.page('#/status');
  await fact(page, 'Takes calls').getByText('ready', { exact: true }).waitFor();
  expect(await fact(page, 'File').innerText()).toMatch(/sbc\.yaml$/);
  expect(await fact(page, 'Hash').innerText()).toMatch(/^[0-9a-f]{64}$/);
  const interfaces = page.getByRole('table', { name: 'Interfaces' });
  await interfaces.getByText(`udp/127.0.0.1:${config.access.port}`).waitFor();
  const ports = page.getByRole('table', { name: 'Media ports' }).getByRole('row');
  expect(await ports.nth(1).innerText()).toMatch(/^access\s+40\s+40\s+0 %/);
});

test('a broken file is refused with its line, and the old one stays in force', async () => {
  const page = await browser.page('#/status');
  await fact(page, 'Hash')
    .getByText(/^[0-9a-f]{64}$/)
    .waitFor();
  const hash = await fact(page, 'Hash').innerText();
  const broken = config.yaml.replace('workers: 1', 'wrokers: 1');
  const line = broken.split('\n').findIndex((text) => text.includes('wrokers')) + 1;
  await sbc.rewriteConfig(broken);

  await press(page, 'Check file');
  await answerOn(page).getByText('The file would be refused').waitFor();
  expect(await answerOn(page).innerText()).toContain(`line ${line}:`);

  await press(page, 'Reload', 'Reload');
  await answerOn(page).getByText('Refused: the configuration in force stays').waitFor();
  const said = await answerOn(page).innerText();
  expect(said).toMatch(new RegExp(`line ${line}:\\d+\\s+media\\.wrokers .*workers`));
  await shoot(page, 'status-refused-desktop-light');
  expect(await fact(page, 'Hash').innerText()).toBe(hash);
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await overflowOf(page)).toBe(0);
});

test('what a file would change is shown before it is taken over, with what the linter says', async () => {
  const page = await browser.page('#/status', SMALL_SCREEN);
  await sbc.rewriteConfig(
    config.yaml
      .replace('rfc2833-mode: transparent', 'rfc2833-mode: preferred')
      .replace('  - { from-realm: access, to: "*"', '  - { from-realm: access, to: "+49"'),
  );
  await press(page, 'What would change');
  await answerOn(page).getByText('A reload takes this over for new calls').waitFor();
  const said = await answerOn(page).innerText();
  expect(said).toContain('~ sip-interfaces access: rfc2833-mode: transparent → preferred');
  expect(said).toMatch(/− .*to \*.*\n\+ .*\+49/);
  expect(await overflowOf(page)).toBe(0);
  await shoot(page, 'status-plan-phone-light');
  await press(page, 'Check file');
  await answerOn(page).getByText('with findings').waitFor();
  expect(await answerOn(page).innerText()).toMatch(/line \d+:\d+\s+(?:warning|error)\s+[a-z-]+ /);
  expect(await overflowOf(page)).toBe(0);
  await shoot(page, 'status-check-phone-light');
  await sbc.rewriteConfig(config.yaml);
});

test('a good file is taken over, and the page shows its hash', async () => {
  const page = await browser.page('#/status', SMALL_SCREEN);
  await fact(page, 'Hash')
    .getByText(/^[0-9a-f]{64}$/)
    .waitFor();
  const hash = await fact(page, 'Hash').innerText();
  await sbc.rewriteConfig(config.yaml.replace('rfc2833-mode: preferred', 'rfc2833-mode: dual'));
  await press(page, 'Reload', 'Reload');
  await answerOn(page).getByText('Reloaded').waitFor();
  await expect.poll(() => fact(page, 'Hash').innerText()).not.toBe(hash);
  const hasFocus = () => answerOn(page).evaluate((node) => node.matches(':focus'));
  await expect.poll(hasFocus).toBe(true);
  await page.getByRole('button', { name: 'Close' }).click();
  await answerOn(page).waitFor({ state: 'detached' });
});

test('where feature keys are off, the page says how to switch them on, and that works', async () => {
  const page = await browser.page('#/features');
  await page.getByRole('heading', { name: 'Feature keys are not served' }).waitFor();
  await shoot(page, 'features-off-desktop-light');
  const advice = await page.locator('pre').innerText();
  const section = advice.replace('data/features.db', '":memory:"').replace('[]', '[ 127.0.0.1 ]');
  await sbc.rewriteConfig(config.yaml.replace('feature-keys: { enabled: false }', section));
  await page.getByRole('link', { name: 'status page' }).click();
  await press(page, 'Reload', 'Reload');
  await answerOn(page).getByText('Reloaded').waitFor();
  await page.getByRole('link', { name: 'Features' }).click();
  await page.getByText('No account is known yet').waitFor();
  expect(advice).toContain('enabled: true');
});

test('a drain is asked about first; then the page goes on, and no new call is taken', async () => {
  const call = await Promise.all([phone.call({ to: '1', via: config.access }), trunk.answer()]);
  const page = await browser.page('#/status');
  await press(page, 'Drain', 'Cancel');
  await fact(page, 'Takes calls').getByText('ready', { exact: true }).waitFor();
  await press(page, 'Drain', 'Drain');
  await answerOn(page).getByText('1 call still up').waitFor();
  await fact(page, 'Takes calls').getByText('no new calls are taken').waitFor();
  await page.getByText('The SBC is draining').waitFor();
  expect(await page.getByRole('button', { name: 'Drain' }).isDisabled()).toBe(true);
  const refused = phone.sip.invite({
    to: '1',
    via: config.access,
    body: buildSdp({ address: phone.sip.address, rtpPort: 40_000 }),
  });
  expect(statusOf(await refused.finished())).toBe(503);
  await shoot(page, 'status-draining-desktop-light');
  await call[0].hangUp();
  await call[1].waitForEnd();
});
