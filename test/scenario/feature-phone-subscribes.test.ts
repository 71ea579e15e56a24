/**
 *   phone                         SBC
 *     | SUBSCRIBE                   |
 *     |---------------------------->|
 *     |   200, then NOTIFY with     |
 *     |   everything                |
 *     |<----------------------------|
 *     | SUBSCRIBE (refresh, leave)  |
 *     |---------------------------->|
 *     |   200, NOTIFY               |
 *     |<----------------------------|
 */
import { expect, test } from 'vitest';
import type { SeenNotify } from '../support/feature-notify.ts';
import type { PhoneShape } from '../support/feature-phone-shapes.ts';
import { ACCOUNT, openFeatureStage, PORTAL } from '../support/feature-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerTokens, headerValue } from '../support/sip-text.ts';

checkLeaksAfterEach();

const ALL = [
  'DoNotDisturb',
  'CallForwardingAlways',
  'CallForwardingBusy',
  'CallForwardingNoAnswer',
] as const;
const SHAPES: readonly PhoneShape[] = ['polycom', 'yealink', 'cisco', 'panasonic'];

function featuresOf(notify: SeenNotify): string[] {
  return notify.reports.map(({ feature }) => feature);
}

test('a phone that subscribes is told everything, and again at each refresh', async () => {
  const stage = await openFeatureStage();
  const phone = await stage.phone();
  const answer = await phone.subscribe();
  const first = await phone.nextNotify();
  const again = await phone.refresh({ expires: 600 });
  const second = await phone.nextNotify();

  expect([answer.status, answer.expires]).toEqual([200, '3600']);
  expect(headerValue(answer.message, 'Contact')).toContain('127.0.0.1');
  expect(headerTokens(answer.message, 'Allow-Events')).toContain('as-feature-event');
  expect(first.contentType).toMatch(/^multipart\/mixed;boundary=dfks-[0-9a-f]{16}$/);
  expect([featuresOf(first), featuresOf(second)]).toEqual([ALL, ALL]);
  expect(headerValue(first.message, 'Subscription-State')).toBe('active;expires=3600');
  expect(headerValue(second.message, 'Subscription-State')).toBe('active;expires=600');
  expect([again.status, again.expires]).toEqual([200, '600']);
  expect(second.cseq).toBe(first.cseq + 1);
  for (const name of ['Contact', 'Max-Forwards', 'Event', 'Allow-Events', 'User-Agent']) {
    expect(first.message.headers.filter(([key]) => key === name)).toHaveLength(1);
  }
  // The answer to the SUBSCRIBE goes before the NOTIFY.
  const [asked, ...log] = phone.log;
  const heard = log.filter(({ direction }) => direction === 'received').slice(0, 2);
  expect([asked, ...heard].map((entry) => entry?.message.startLine.split(' ')[1])).toEqual([
    ACCOUNT,
    '200',
    expect.stringContaining('sip:2001@127.0.0.1'),
  ]);
});

test('what is not assigned is never named, and the store may leave out everything', async () => {
  const stage = await openFeatureStage();
  const [phone] = [await stage.phone()];
  for (const feature of ALL.slice(1)) {
    stage.store.put(ACCOUNT, feature, { assigned: false });
  }
  await phone.subscribe();
  const one = await phone.nextNotify();
  stage.store.put(ACCOUNT, 'DoNotDisturb', { assigned: false });
  await phone.refresh();
  const none = await phone.nextNotify();
  for (const feature of ALL) {
    stage.store.put(ACCOUNT, feature, { assigned: true, notify: false });
  }
  await phone.refresh();
  const silent = await phone.nextNotify();

  expect([one.contentType, featuresOf(one)]).toEqual([
    'application/x-as-feature-event+xml',
    ['DoNotDisturb'],
  ]);
  for (const notify of [none, silent]) {
    expect([notify.state, notify.contentType, notify.body]).toEqual(['active', undefined, '']);
    expect(headerValue(notify.message, 'Content-Length')).toBe('0');
  }
});

test('a phone that leaves, or only asks, is told everything a last time', async () => {
  const stage = await openFeatureStage();
  const phone = await stage.phone();
  await phone.subscribe({ event: 'as-feature-event;id=7' });
  const first = await phone.nextNotify();
  const left = await phone.unsubscribe({ event: 'as-feature-event;id=7' });
  const last = await phone.nextNotify();
  const asked = await phone.subscribe({ expires: 0 });
  const poll = await phone.nextNotify();
  await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PORTAL);

  expect([left.status, left.expires, asked.status, asked.expires]).toEqual([200, '0', 200, '0']);
  for (const notify of [last, poll]) {
    expect([notify.state, notify.reason, featuresOf(notify)]).toEqual([
      'terminated',
      'timeout',
      ALL,
    ]);
  }
  expect([first, last].map(({ message }) => headerValue(message, 'Event'))).toEqual([
    'as-feature-event;id=7',
    'as-feature-event;id=7',
  ]);
  expect(phone.notifies).toHaveLength(3);
  expect(stage.subscriptions.size).toBe(0);
  expect(stage.service.watchersOf(ACCOUNT)).toHaveLength(0);
});

test.each([
  [null, 200, '3600'],
  ['86400', 200, '86400'],
  ['2147483647', 200, '86400'],
  ['1', 423, undefined],
  ['59', 423, undefined],
  ['60', 200, '60'],
  ['abc', 400, undefined],
  ['4294967296', 400, undefined],
])('Expires %s is answered %i with Expires %s', async (asked, status, granted) => {
  const stage = await openFeatureStage();
  const phone = await stage.phone();
  const answer = await phone.subscribe({ expires: asked });
  expect([answer.status, answer.expires]).toEqual([status, granted]);
  expect(headerValue(answer.message, 'Min-Expires')).toBe(status === 423 ? '60' : undefined);
  await expect.poll(() => stage.subscriptions.size).toBe(status === 200 ? 1 : 0);
});

test('what belongs to no dialog, or comes out of turn, is refused and changes nothing', async () => {
  const stage = await openFeatureStage();
  const phone = await stage.phone();
  const stranger = await stage.phone();
  await phone.subscribe();
  const unknownTag = await stranger.setDnd(true, { toTag: 'nobody' });
  const otherId = await phone.setDnd(true, { event: 'as-feature-event;id=9' });
  const old = await phone.setDnd(true, { cseq: 1 });
  const foreign = await stranger.subscribe({ requestUri: 'sip:2001@elsewhere.example' });
  const phoneNumber = await stranger.subscribe({ requestUri: 'tel:+15551230111' });
  const refreshed = await phone.refresh();

  const answers = [unknownTag, otherId, old, foreign, phoneNumber, refreshed];
  expect(answers.map(({ status }) => status)).toEqual([481, 481, 500, 404, 416, 200]);
  expect(stage.store.rows).toHaveLength(0);
  expect(stage.subscriptions.size).toBe(1);
});

test('other packages, other spellings and PUBLISH are a bad event', async () => {
  const stage = await openFeatureStage();
  const phone = await stage.phone();
  const answers = [
    await phone.subscribe({ event: 'x-broadworks-hoteling' }),
    await phone.subscribe({ event: 'As-Feature-Event' }),
    await phone.subscribe({ method: 'PUBLISH' }),
  ];
  for (const { status, message } of answers) {
    expect([status, headerTokens(message, 'Allow-Events')]).toEqual([
      489,
      ['kpml', 'as-feature-event'],
    ]);
  }
});

test('Accept decides whether a phone is served, its profile how', async () => {
  const stage = await openFeatureStage({
    'user-agents':
      '[ { match: "^[oO]ne-by-one", multipart: separate }, { match: "^zoiper", terminated-notify: none, success-code: 202 } ]',
  });
  const phone = await stage.phone();
  const refused = await phone.subscribe({ accept: 'application/pidf+xml' });
  const single = await phone.subscribe({ accept: 'application/x-as-feature-event+xml' });
  const mixed = await phone.nextNotify();
  const picky = await stage.phone({ userAgent: 'One-by-one/1.0' });
  await picky.subscribe({ accept: '' });
  const separate = [
    await picky.nextNotify(),
    await picky.nextNotify(),
    await picky.nextNotify(),
    await picky.nextNotify(),
  ];
  const shy = await stage.phone({ userAgent: 'zoiper rv2' });
  const accepted = await shy.subscribe();
  await shy.nextNotify();
  await shy.unsubscribe();
  const afterwards = await shy.refresh();

  expect([refused.status, single.status, accepted.status]).toEqual([406, 200, 202]);
  expect(mixed.contentType).toContain('multipart/mixed');
  expect(separate.flatMap(featuresOf)).toEqual(ALL);
  expect(separate.every(({ contentType }) => contentType?.includes('feature-event'))).toBe(true);
  expect([afterwards.status, shy.notifies.length]).toEqual([481, 1]);
});

test.each(SHAPES)(
  'a request in the shape of %s is served with multipart, also after a restart of the phone',
  async (shape) => {
    const stage = await openFeatureStage();
    const phone = await stage.phone({ shape, transport: shape === 'cisco' ? 'tcp' : 'udp' });
    await phone.subscribe();
    const before = await phone.nextNotify();
    phone.reboot();
    const again = await phone.subscribe();
    const after = await phone.nextNotify();
    expect([featuresOf(before), featuresOf(after)]).toEqual([ALL, ALL]);
    expect([again.status, stage.subscriptions.size]).toEqual([200, 2]);
    // The forgotten dialog goes with the first NOTIFY that the phone does not know.
    await stage.service.set(ACCOUNT, 'DoNotDisturb', { status: true }, PORTAL);
    await phone.waitUntilShown('DoNotDisturb', ({ status }) => status);
    await expect.poll(() => stage.subscriptions.size).toBe(1);
  },
);
