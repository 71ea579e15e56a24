/**
 *   phone A                  SBC                  phone B
 *     | SUBSCRIBE with a set   |                     |
 *     |----------------------->|                     |
 *     |   200, NOTIFY: result  | NOTIFY: result      |
 *     |<-----------------------|-------------------->|
 */
import { expect, test } from 'vitest';
import {
  CSTA_NAMESPACE,
  dndDocument,
  forwardDocument,
  multipartOf,
  type FeatureName,
  type ForwardWish,
} from '../support/feature-documents.ts';
import type { FeaturePhone } from '../support/feature-phone.ts';
import { ACCOUNT, type FeatureStage, openFeatureStage } from '../support/feature-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';

checkLeaksAfterEach();

/** Phones A and B of one account, both told everything. */
async function twoPhones(): Promise<{ stage: FeatureStage; a: FeaturePhone; b: FeaturePhone }> {
  const stage = await openFeatureStage({ notify: '{ gap: 0s }' });
  const [a, b] = [await stage.phone(), await stage.phone()];
  for (const phone of [a, b]) {
    await phone.subscribe();
    await phone.nextNotify();
  }
  return { stage, a, b };
}

const CFA = 'CallForwardingAlways';
const CFB = 'CallForwardingBusy';
const CFNA = 'CallForwardingNoAnswer';

/** Sets of phone A in turn, and what both phones show of the feature then. */
const STEPS: readonly (readonly [FeatureName, ForwardWish, object])[] = [
  [CFA, { on: true, to: '2424' }, { status: true, forwardTo: '2424' }],
  [CFA, { on: false, to: '' }, { status: false, forwardTo: '2424' }],
  [CFA, { on: true, to: '' }, { status: true, forwardTo: '2424' }],
  [CFA, { on: false }, { status: false, forwardTo: '2424' }],
  [CFB, { on: true, to: '+15551230111', rings: 4 }, { status: true, forwardTo: '+15551230111' }],
  [CFB, { on: false }, { status: false, forwardTo: '+15551230111' }],
  [CFNA, { on: true, to: '2929', rings: 6 }, { status: true, forwardTo: '2929', ringCount: '6' }],
  [CFNA, { on: true, rings: 8 }, { status: true, forwardTo: '2929', ringCount: '8' }],
  [CFNA, { on: true, rings: 0 }, { status: true, forwardTo: '2929', ringCount: '0' }],
  [CFNA, { on: true, rings: 20 }, { status: true, forwardTo: '2929', ringCount: '20' }],
];

test('what one phone sets, all phones of the account show', async () => {
  const { stage, a, b } = await twoPhones();
  for (const on of [true, false]) {
    const answer = await a.setDnd(on);
    const told = [await a.nextNotify(), await b.nextNotify()];
    expect([answer.status, answer.warning]).toEqual([200, undefined]);
    for (const { reports, contentType } of told) {
      expect(reports).toMatchObject([{ feature: 'DoNotDisturb', status: on }]);
      expect(contentType).toBe('application/x-as-feature-event+xml');
    }
  }
  for (const [feature, wish, shown] of STEPS) {
    await a.setForward(feature, wish);
    for (const phone of [a, b]) {
      const { reports } = await phone.nextNotify();
      expect(reports).toEqual([{ feature, device: expect.any(String), ...shown }]);
    }
  }
  expect(stage.store.rows).toHaveLength(2 + STEPS.length);
  expect(a.notifies.map(({ cseq }) => cseq - (a.notifies[0]?.cseq ?? 0))).toEqual(
    a.notifies.map((_notify, index) => index),
  );
});

test('a set that is not granted tells its sender alone what is stored', async () => {
  const { stage, a, b } = await twoPhones();
  stage.store.put(ACCOUNT, 'DoNotDisturb', { locked: true });
  await a.setForward(CFNA, { on: true, to: '2002', rings: 3 });
  await Promise.all([a.nextNotify(), b.nextNotify()]);
  const refusals: string[] = [];
  const locked = await a.setDnd(true);
  const stored = await a.nextNotify();
  expect(stored.reports).toMatchObject([{ feature: 'DoNotDisturb', status: false }]);
  refusals.push(locked.warning ?? '');
  for (const rings of [1, 21, 99, 'many']) {
    const { status, warning } = await a.setForward(CFNA, { on: true, rings });
    expect([status, warning]).toEqual([200, expect.stringContaining('set refused: ring-count')]);
    expect((await a.nextNotify()).reports).toMatchObject([{ ringCount: '3', status: true }]);
  }
  const aimless = await a.setForward(CFA, { on: true, to: '' });
  refusals.push(aimless.warning ?? '');
  const [report] = (await a.nextNotify()).reports;
  expect([report?.status, report?.forwardTo]).toEqual([false, undefined]);
  const same = await a.setForward(CFNA, { on: true, rings: 3 });
  await a.nextNotify();
  stage.store.put(ACCOUNT, CFB, { assigned: false });
  const unassigned = await a.setForward(CFB, { on: true, to: '2003' });
  refusals.push(unassigned.warning ?? '');
  const full = await a.nextNotify();

  expect(refusals).toEqual([
    '399 pbx.example "as-feature-event: set refused: locked"',
    '399 pbx.example "as-feature-event: set refused: no-target"',
    '399 pbx.example "as-feature-event: set refused: unassigned"',
  ]);
  expect(full.reports.map(({ feature }) => feature)).toEqual(['DoNotDisturb', CFA, CFNA]);
  expect([same.status, same.warning]).toEqual([200, undefined]);
  // One effective change; every refusal leaves a row, the same value again none.
  expect(stage.store.rows.filter(({ outcome }) => outcome === 'applied')).toHaveLength(1);
  expect(stage.store.rows.filter(({ outcome }) => outcome === 'refused')).toHaveLength(7);
  expect(b.notifies).toHaveLength(2);
});

const DND = (content: string): string =>
  `<SetDoNotDisturb xmlns="${CSTA_NAMESPACE}">${content}</SetDoNotDisturb>`;
const ON = '<doNotDisturbOn>true</doNotDisturbOn>';

test.each([
  ['1', DND('<doNotDisturbOn>1</doNotDisturbOn>')],
  ['upper case, no device', DND('<doNotDisturbOn>TRUE</doNotDisturbOn>')],
  ['padding', DND('<device/><doNotDisturbOn>\n\t true \r\n</doNotDisturbOn>')],
  [
    'a prefix',
    `<c:SetDoNotDisturb xmlns:c="${CSTA_NAMESPACE}"><c:doNotDisturbOn>true</c:doNotDisturbOn></c:SetDoNotDisturb>`,
  ],
  ['the misspelt namespace', DND(ON).replace('ecma-international', 'ecmainternational')],
  ['no namespace', `<SetDoNotDisturb>${ON}</SetDoNotDisturb>`],
])('a set with %s is taken', async (_what, body) => {
  const stage = await openFeatureStage();
  const phone = await stage.phone();
  await phone.subscribe();
  await phone.nextNotify();
  const answer = await phone.subscribe({ body, contentType: 'text/xml' });
  const notify = await phone.nextNotify();
  expect(answer.status).toBe(200);
  expect(notify.reports).toMatchObject([{ feature: 'DoNotDisturb', status: true }]);
  expect(notify.reports[0]?.device).not.toBe('');
  expect(notify.body).toContain(`xmlns="${CSTA_NAMESPACE}"`);
});

const REFUSED: readonly (readonly [string, string, number, string])[] = [
  ['malformed', '<SetDoNotDisturb><doNotDisturbOn>true</SetDoNotDisturb>', 400, 'malformed'],
  ['an unknown root', `<SetCallWaiting xmlns="${CSTA_NAMESPACE}"/>`, 400, 'unknown-document'],
  [
    'another kind of forward',
    forwardDocument(CFA, { on: true, to: '1' }).replace('Immediate', 'NoAnsExt'),
    400,
    'unknown-type',
  ],
  [
    'no kind of forward',
    forwardDocument(CFA, { on: true, to: '1' }).replace(/<forwardingType>.*<\/forwardingType>/, ''),
    400,
    'missing-element',
  ],
  ['no boolean', dndDocument('maybe'), 400, 'bad-value'],
  ['an empty boolean', dndDocument(''), 400, ''],
  ['a foreign namespace', DND(ON).replace('ecma-323', 'other'), 400, 'namespace'],
  ['a DOCTYPE', `<!DOCTYPE x [<!ENTITY on "true">]>${DND(ON)}`, 400, 'doctype'],
  ['a depth of 100', `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`, 400, ''],
  ['too much of it', DND(`${ON}${' '.repeat(20_000)}`), 413, 'limits'],
];

test('a set that cannot be read is refused, changes nothing, and the dialog lives on', async () => {
  const stage = await openFeatureStage();
  const phone = await stage.phone({ transport: 'tcp' });
  await phone.subscribe();
  await phone.nextNotify();
  for (const [what, body, status, code] of REFUSED) {
    const answer = await phone.subscribe({ body });
    expect([what, answer.status, answer.warning]).toEqual([
      what,
      status,
      expect.stringContaining(`as-feature-event: ${code}`),
    ]);
  }
  for (const contentType of ['', 'text/plain']) {
    const answer = await phone.setDnd(true, { contentType });
    const accept = answer.message.headers.find(([name]) => name === 'Accept')?.[1];
    expect([answer.status, accept]).toEqual([415, expect.stringContaining('as-feature-event+xml')]);
  }
  const packed = await phone.setDnd(true, { headers: [['Content-Encoding', 'gzip']] });
  const refreshed = await phone.refresh();
  await phone.nextNotify();
  expect([packed.status, refreshed.status, phone.notifies.length]).toEqual([415, 200, 2]);
  expect(stage.store.calls.filter(({ operation }) => operation === 'set')).toHaveLength(0);
});

test('several documents in one body are applied together or not at all', async () => {
  const { stage, a, b } = await twoPhones();
  const forward = forwardDocument(CFB, { on: true, to: '2003' });
  const good = multipartOf([dndDocument(true), forward]);
  const bad = multipartOf([dndDocument(false), '<SetForwarding/>']);
  const refused = await a.subscribe({ body: bad.body, contentType: bad.type });
  const answer = await a.subscribe({ body: good.body, contentType: good.type });
  const notify = await a.nextNotify();
  await b.waitUntilShown(CFB, ({ status }) => status);
  expect([refused.status, answer.status]).toEqual([400, 200]);
  expect(notify.reports.map(({ feature }) => feature)).toEqual(['DoNotDisturb', CFB]);
  expect(stage.store.rows).toHaveLength(2);
});

test('a set in the first or in the last SUBSCRIBE counts too', async () => {
  const stage = await openFeatureStage();
  const [a, b] = [await stage.phone(), await stage.phone()];
  await a.subscribe();
  await a.nextNotify();
  const bad = await b.subscribe({ body: '<x/>' });
  await b.setDnd(true);
  const full = await b.nextNotify();
  const partial = await a.nextNotify();
  const leaving = await b.setForward(CFA, { on: true, to: '2424' }, { expires: 0 });
  const last = await b.nextNotify();
  await a.waitUntilShown(CFA, ({ status }) => status);

  expect(bad.status).toBe(400);
  expect(full.reports.map(({ feature }) => feature)).toEqual(['DoNotDisturb', CFA, CFB, CFNA]);
  expect([full.reports[0]?.status, partial.reports.length]).toEqual([true, 1]);
  expect([leaving.expires, last.state, last.reports.length]).toEqual(['0', 'terminated', 4]);
  expect(last.reports[1]).toMatchObject({ feature: CFA, status: true, forwardTo: '2424' });
  expect(stage.subscriptions.size).toBe(1);
});

test('a phone cannot speak in the fields of the SIP engine', async () => {
  const stage = await openFeatureStage();
  const phone = await stage.phone();
  const body = Buffer.from(dndDocument(true)).toString('base64');
  const answer = await phone.subscribe({ headers: [['X-Tonebridge-Body', body]] });
  await phone.nextNotify();
  expect(answer.status).toBe(200);
  expect(stage.store.calls.map(({ operation }) => operation)).toEqual(['get']);
});

test('a target in other letters is stored and told as it was meant', async () => {
  const stage = await openFeatureStage();
  const phone = await stage.phone();
  await phone.subscribe();
  await phone.nextNotify();
  const target = 'sip:a&b<c@x.invalid;p="Müller"';
  const written = forwardDocument(CFB, { on: true, to: target });
  await phone.subscribe({ body: written.replace('ISO-8859-1', 'UTF-8') });
  const notify = await phone.nextNotify();
  const raw = forwardDocument(CFB, { on: true, to: 'MÜLLER' });
  const plain = await phone.subscribe({ body: raw, sendsLatin1: true });
  const again = await phone.nextNotify();

  expect(notify.body).toContain('a&amp;b&lt;c@x.invalid;p=&quot;M&#252;ller&quot;');
  expect([notify.reports[0]?.forwardTo, plain.status]).toEqual([target, 200]);
  expect(again.reports[0]?.forwardTo).toBe('MÜLLER');
  expect(stage.store.state(ACCOUNT, CFB).values.forwardTo).toBe('MÜLLER');
});
