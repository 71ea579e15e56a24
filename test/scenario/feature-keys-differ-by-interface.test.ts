/**
 *   phone on access     SBC: access serves, core passes on        server
 *     | SUBSCRIBE ------> |                                         |
 *     | <---- 200, NOTIFY |                                         |
 *     phone on core       |                                         |
 *     | SUBSCRIBE ------> | SUBSCRIBE ----------------------------> |
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { type Sbc, startSbc } from '../../src/main.ts';
import { createLog } from '../../src/observe/log.ts';
import { FeaturePhone } from '../support/feature-phone.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { type LoopbackConfig, loopbackConfig } from '../support/loopback-config.ts';
import { SipPeer, type SipTarget } from '../support/sip-peer.ts';
import { headerTokens, headerValue } from '../support/sip-text.ts';

type Modes = Readonly<Record<'access' | 'core', 'inherit' | 'serve' | 'pass'>>;

interface Stage extends Pick<LoopbackConfig, 'access' | 'core'> {
  readonly sbc: Sbc;
  readonly server: SipPeer;
  /** Users whose SUBSCRIBE has reached the server. */
  readonly passed: string[];
  reload(modes: Modes): Promise<void>;
}

const SECTION = [
  'enabled: true',
  'domains: { pbx.example: [] }',
  'provider: { kind: sqlite, file: ":memory:", deadline: 30s }',
].join(', ');

checkLeaksAfterEach();

let stage: Stage;

beforeEach(async () => {
  stage = await open({ access: 'inherit', core: 'pass' });
});

afterEach(async () => {
  await stage.sbc.close();
  await stage.server.close();
});

async function open(first: Modes): Promise<Stage> {
  const server = await SipPeer.open({ user: 'server' });
  const passed: string[] = [];
  server.onSubscription = (dialog, subscribe) => {
    passed.push(/sip:([^@]*)@/.exec(headerValue(subscribe, 'From') ?? '')?.[1] ?? '');
    dialog.handle('SUBSCRIBE', () => ({ status: 202, headers: [['Expires', '600']] }));
  };
  const { yaml, access, core } = await loopbackConfig({ carrier: server, phone: server });
  let modes = first;
  const read = (): LoadedConfig => {
    const text = (['access', 'core'] as const).reduce(
      (before, name) =>
        before.replace(
          `    realm: ${name}\n    sip-ports`,
          `    realm: ${name}\n    feature-keys-mode: ${modes[name]}\n    sip-ports`,
        ),
      yaml.replace('feature-keys: { enabled: false }', `feature-keys: { ${SECTION} }`),
    );
    return loadConfig({ text, file: 'sbc.yaml', env: {} });
  };
  const loaded = read();
  if (loaded.type === 'invalid') throw new Error(JSON.stringify(loaded.problems));
  const sbc = await startSbc(loaded.config, { log: createLog('silent'), readConfig: read });
  return {
    sbc,
    server,
    passed,
    access,
    core,
    reload: async (next) => {
      modes = next;
      await sbc.reload();
    },
  };
}

async function phoneAt(sbc: SipTarget, user: string): Promise<FeaturePhone> {
  return closeAfterTest(await FeaturePhone.open({ sbc, user }));
}

/** Event packages that OPTIONS is told of. */
async function eventsAt(via: SipTarget): Promise<readonly string[]> {
  const answer = await stage.server.request('OPTIONS', { user: 'x', via });
  return headerTokens(answer, 'Allow-Events');
}

test('one interface serves feature keys while another passes them on', async () => {
  const inside = await phoneAt(stage.access, '2001');
  const outside = await phoneAt(stage.core, '2002');
  const served = await inside.setDnd(true);
  const notify = await inside.nextNotify();
  const passedOn = await outside.setDnd(true);

  expect([served.status, notify.reports[0]]).toMatchObject([200, { status: true }]);
  expect([passedOn.status, stage.passed]).toEqual([202, ['2002']]);
  expect(await eventsAt(stage.access)).toEqual(['kpml', 'as-feature-event']);
  expect(await eventsAt(stage.core)).toEqual(['kpml']);
});

test('a reload changes what an interface does, and its phones are sent to subscribe anew', async () => {
  const phone = await phoneAt(stage.access, '2001');
  await phone.subscribe();
  await phone.nextNotify();
  await stage.reload({ access: 'pass', core: 'serve' });
  const last = await phone.nextNotify();
  const anew = await phoneAt(stage.access, '2001');
  const other = await phoneAt(stage.core, '2003');

  expect(last).toMatchObject({ state: 'terminated', reason: 'probation' });
  expect([(await anew.subscribe()).status, stage.passed]).toEqual([202, ['2001']]);
  expect([(await other.subscribe()).status, stage.passed]).toEqual([200, ['2001']]);
  expect((await other.nextNotify()).reports).toHaveLength(4);
  expect(await eventsAt(stage.access)).toEqual(['kpml']);
  expect(await eventsAt(stage.core)).toEqual(['kpml', 'as-feature-event']);
});

test('a reload that leaves an interface as it was leaves its phones alone', async () => {
  const phone = await phoneAt(stage.access, '2001');
  await phone.subscribe();
  await phone.nextNotify();
  await stage.reload({ access: 'serve', core: 'inherit' });
  const other = await phoneAt(stage.core, '2001');
  await other.setDnd(true);

  expect(await phone.nextNotify()).toMatchObject({ state: 'active', reports: [{ status: true }] });
});
