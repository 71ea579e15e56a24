/** The page of a real SBC whose configuration is changed while the page is open. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { type Sbc, startSbc } from '../../src/main.ts';
import { createLog } from '../../src/observe/log.ts';
import { openBrowser } from '../support/browser.ts';
import { loopbackConfig } from '../support/loopback-config.ts';
import { stopTimers } from './portal-page.ts';

const SERVED = [
  'enabled: true, domains: { pbx.example: [] }',
  'provider: { kind: sqlite, file: ":memory:" }',
].join(', ');

let browser: Browser;
let sbc: Sbc;
let base = '';
let section = '';

beforeAll(async () => {
  browser = await openBrowser();
  const { yaml, api } = await loopbackConfig({ carrier: { address: '127.0.0.1', port: 9 } });
  const config = (): LoadedConfig => {
    const text = yaml.replace('feature-keys: { enabled: false }', `feature-keys: { ${section} }`);
    return loadConfig({ text, file: 'sbc.yaml', env: {} });
  };
  section = withUser('accounts: [2001]');
  const loaded = config();
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  sbc = await startSbc(loaded.config, { log: createLog('silent'), readConfig: config });
  base = `http://127.0.0.1:${api.port}`;
});

afterAll(async () => {
  await browser.close();
  await sbc.close();
});

function withUser(fields: string): string {
  return `${SERVED}, users: { boss: { password: secret, ${fields} } }`;
}

async function reload(next: string): Promise<void> {
  section = next;
  const answer = await fetch(`${base}/api/v1/config/reload`, { method: 'POST' });
  expect(await answer.json()).toMatchObject({ type: 'applied' });
}

test('feature keys off and on, the account taken and given back: the page says so and goes on', async () => {
  const page = await browser.newPage();
  await page.goto(`${base}/features`);
  await page.getByLabel('Account').fill('boss');
  await page.getByLabel('Password').fill('secret');
  await page.getByRole('button', { name: 'Sign in' }).click();
  const live = page.getByText('Live', { exact: true });
  await live.waitFor();

  await reload(`enabled: false, ${SERVED.replace('enabled: true, ', '')}`);
  await page.getByText('Feature keys are not served at the moment.').waitFor();
  expect(await page.getByRole('switch').count()).toBe(0);
  await reload(withUser('accounts: [2001]'));
  await live.waitFor();
  expect(await page.getByRole('switch').count()).toBe(4);

  await reload(withUser('accounts: [2002]'));
  await page.getByText('This account is not yours.').waitFor();
  expect(await page.getByRole('switch').count()).toBe(0);
  await reload(withUser('accounts: [2001]'));
  await live.waitFor();
  await stopTimers(page);
  await page.getByRole('switch', { name: 'Do not disturb' }).click();
  await page.getByText('Saved').waitFor();
  expect(await page.getByRole('switch', { name: 'Do not disturb' }).isChecked()).toBe(true);
});
