/** Acceptance row 58 in small: the API changes Do Not Disturb of every account, and each has three phones. */

import { expect, test } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FeatureFleet, type FleetPhone } from '../support/feature-fleet.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

const ACCOUNTS = 200;
const PHONES = 3;
const PER_SECOND = 300;
/** What an idle SBC has saved up: a tenth of a second. */
const BURST = PER_SECOND / 10;
/** A second NOTIFY of the same change would have come by then. */
const SETTLE_MS = 1000;

checkLeaksAfterEach();

test('every phone of every account is told once, and no faster than the pace allows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'feature-row-58-'));
  closeAfterTest({ close: () => rm(folder, { recursive: true, force: true }) });
  const features = [
    'feature-keys:',
    '  enabled: true',
    `  provider: { kind: sqlite, file: ${JSON.stringify(join(folder, 'features.db'))}, deadline: 30s }`,
    '  domains: { pbx.example: [ 127.0.0.1 ] }',
    `  notify: { per-second: ${PER_SECOND} }`,
    '  sets-per-second: 10000',
  ].join('\n');
  const running = closeAfterTest(
    await startLoopbackSbc({
      carrier: { address: '127.0.0.1', port: 9 },
      edit: (yaml) => yaml.replace('feature-keys: { enabled: false }', features),
    }),
  );
  const told = new Map<FleetPhone, number>();
  const toldAtMs: number[] = [];
  const fleet = await FeatureFleet.open({
    sockets: 4,
    address: '127.0.0.1',
    to: running.access,
    domain: 'pbx.example',
    onTold: (phone, _features, atMs) => {
      told.set(phone, (told.get(phone) ?? 0) + 1);
      toldAtMs.push(atMs);
    },
  });
  closeAfterTest({ close: async () => fleet.close() });
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => String(4000 + n));
  const phones = accounts.flatMap((account) =>
    Array.from({ length: PHONES }, () => fleet.add(account)),
  );
  const answers = await Promise.all(phones.map((phone) => phone.subscribe()));
  await waitFor('first NOTIFYs', () => told.size === phones.length);
  told.clear();
  toldAtMs.length = 0;

  const { address, port } = running.sbc.apiAddress;
  const changes = await Promise.all(
    accounts.map((account) =>
      fetch(`http://${address}:${port}/api/v1/features/${account}@pbx.example/DoNotDisturb`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: '{"status":true}',
      }),
    ),
  );
  await waitFor('NOTIFYs', () => told.size === phones.length);
  await sleep(SETTLE_MS);

  expect(new Set(answers)).toEqual(new Set([200]));
  expect(new Set(changes.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(told.values())).toEqual(new Set([1]));
  expect(phones.filter((phone) => phone.shown.get('DoNotDisturb')?.status !== true)).toEqual([]);
  const tookMs = Math.max(...toldAtMs) - Math.min(...toldAtMs);
  // A clock read late at the first one shortens the time seen: a tenth is given.
  expect(tookMs).toBeGreaterThan((900 * (phones.length - BURST)) / PER_SECOND);
});
