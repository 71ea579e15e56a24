/**
 *   phone, no session agent          SBC
 *     | SUBSCRIBE, INVITE              |
 *     |------------------------------->|
 *     |   401, 403                     |
 *     |<-------------------------------|
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { FeaturePhone } from '../support/feature-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { headerTokens, statusOf } from '../support/sip-text.ts';
import { type RunningSbc, startLoopbackSbc } from '../support/start-sbc.ts';

const FILE = join(tmpdir(), `sbc-any-address-${process.pid}.db`);

// The hook that was registered last runs first: the SBC is closed before its files go.
afterEach(async () => {
  for (const suffix of ['', '-wal', '-shm']) await rm(`${FILE}${suffix}`, { force: true });
});

checkLeaksAfterEach();

const SECTION = [
  'feature-keys:',
  '  enabled: true',
  '  domains: { pbx.example: [127.0.0.1] }',
  '  trusted-networks: []',
  '  users: { "2001": { password: secret } }',
  `  provider: { kind: sqlite, file: ${JSON.stringify(FILE)}, deadline: 30s }`,
].join('\n');

async function start(access: string): Promise<RunningSbc> {
  return closeAfterTest(
    await startLoopbackSbc({
      carrier: { address: '127.0.0.1', port: 5060 },
      edit: (yaml) =>
        yaml
          .replace('feature-keys: { enabled: false }', SECTION)
          .replace('    admit: anyone', `    ${access}`),
    }),
  );
}

const CREDENTIALS = { username: '2001', password: 'secret' };

test('a phone that is no session agent gets its feature keys, and nothing else', async () => {
  const sbc = await start('admit: agents');
  const credentials = CREDENTIALS;
  const phone = closeAfterTest(await FeaturePhone.open({ sbc: sbc.access, credentials }));
  const stranger = closeAfterTest(await FeaturePhone.open({ sbc: sbc.access }));
  const unasked = await stranger.subscribe();
  const hoteling = await stranger.subscribe({ event: 'x-broadworks-hoteling' });
  const answer = await phone.setDnd(true);
  const notify = await phone.nextNotify();
  const peer = closeAfterTest(await SipPeer.open());
  const call = await peer.request('MESSAGE', { user: '2001', via: sbc.access });
  const left = await phone.unsubscribe();
  await phone.nextNotify();

  expect([unasked.status, hoteling.status, answer.status, left.status]).toEqual([
    401, 489, 200, 200,
  ]);
  expect(headerTokens(hoteling.message, 'Allow-Events')).toContain('as-feature-event');
  expect(notify.reports[0]).toMatchObject({ feature: 'DoNotDisturb', status: true });
  expect(statusOf(call)).toBe(403);
});

test('a network that is denied gets nothing, one that is admitted is told of the package', async () => {
  const open = await start('admit: anyone');
  const peer = closeAfterTest(await SipPeer.open());
  const options = await peer.request('OPTIONS', { user: 'x', via: open.access });
  await open.close();
  const closed = await start('deny: [127.0.0.0/8]');
  const credentials = CREDENTIALS;
  const phone = closeAfterTest(await FeaturePhone.open({ sbc: closed.access, credentials }));
  const answer = await phone.subscribe();
  expect(headerTokens(options, 'Allow-Events')).toEqual(['kpml', 'as-feature-event']);
  expect(answer.status).toBe(403);
});
