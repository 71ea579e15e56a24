/** Our subscription in a dialog of its own, subscriptions that must not end in mid-call, and how many there may be. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DigitScene, planOf } from './dtmf-fixtures.ts';
import { FakeReceivedRequest } from '../../support/fake-sip-connection.ts';

const KPML_CALLER = planOf('kpml-to-2833', '2833-to-kpml');
const BOTH_2833 = planOf('rtp-relay', 'rtp-relay');
const BOTH_KPML = planOf('kpml-relay', 'kpml-relay');

afterEach(() => {
  vi.useRealTimers();
});

describe('on an engine that loses calls with their subscriptions', () => {
  test('ours stays when its way closes: it is mute, and heard again when the way opens', async () => {
    const scene = new DigitScene({}, true);
    scene.start(KPML_CALLER);
    await scene.answer('caller', 200, { Expires: '7200' });
    scene.notify('caller', '1');
    scene.dtmf.applyPlan(BOTH_2833);
    expect(scene.notify('caller', '2')).toBe(200);
    scene.dtmf.applyPlan(KPML_CALLER);
    scene.notify('caller', '3');

    expect(scene.sentTo('caller', 'SUBSCRIBE')).toHaveLength(1);
    expect(scene.played.map(({ eventCode }) => eventCode)).toEqual([1, 3]);
    expect(scene.fates[1]).toBe('2 caller-to-callee !no-translator');
    scene.dtmf.end();
  });

  test('while it is mute the NOTIFYs that the other end asked for reach it', async () => {
    const scene = new DigitScene({}, true);
    scene.start(KPML_CALLER);
    await scene.answer('caller', 200, { Expires: '7200' });
    scene.dtmf.applyPlan(BOTH_KPML);
    scene.notify('caller', '4');
    expect(scene.sentTo('callee', 'NOTIFY')).toHaveLength(1);
    scene.dtmf.end();
  });

  test('one in a dialog of its own ends as usual', async () => {
    const scene = new DigitScene({ kpmlSubscription: 'separate' }, true);
    scene.start(KPML_CALLER);
    const [first] = scene.separate.caller.sent;
    first?.goOut();
    first?.answer(200, { To: '<sip:b@host>;tag=t', Expires: '7200' });
    await scene.flush();
    scene.dtmf.applyPlan(BOTH_2833);
    const expires = scene.separate.caller.sent.map(({ options }) => options.headers?.['Expires']);
    expect(expires).toEqual(['7200', '0']);
    scene.dtmf.end();
    scene.table.loseAll();
  });
});

test('on any other engine ours ends at once when its way closes', async () => {
  const scene = new DigitScene();
  scene.start(KPML_CALLER);
  await scene.answer('caller', 200, { Expires: '7200' });
  scene.dtmf.applyPlan(BOTH_2833);
  const expires = scene
    .sentTo('caller', 'SUBSCRIBE')
    .map(({ options }) => options.headers?.['Expires']);
  expect(expires).toEqual(['7200', '0']);
  scene.dtmf.end();
});

test('in a dialog of its own it names the call; a NOTIFY inside the call is none of it', async () => {
  const scene = new DigitScene({ kpmlSubscription: 'separate' });
  scene.start(KPML_CALLER);
  const [first] = scene.separate.caller.sent;
  first?.goOut();
  first?.answer(200, { To: '<sip:b@host>;tag=t', Expires: '7200' });
  await scene.flush();
  const inside = scene.notify('caller', '1');
  const outside = new FakeReceivedRequest('NOTIFY', {
    From: '<sip:b@host>;tag=t',
    To: '<sip:a@sbc>;tag=ours',
    'Call-ID': 'leg-b',
    CSeq: '1 NOTIFY',
    Event: 'kpml',
    'Subscription-State': 'active;expires=600',
  });
  scene.table.find(outside.message)?.receive(outside);

  expect(first?.options.headers?.['Event']).toBe(
    'kpml;call-id="caller@sbc";local-tag=their-caller;remote-tag=our-caller',
  );
  expect(scene.sentTo('caller', 'SUBSCRIBE')).toEqual([]);
  expect([inside, outside.answers[0]?.status]).toEqual([481, 200]);
  expect(scene.dtmf.subscriptions('caller')).toMatchObject({
    subscriber: 'active',
    isSubscriberSeparate: true,
  });
  scene.dtmf.end();
  scene.table.loseAll();
});

test('more than all calls together may hold are answered 503; refreshes are not', async () => {
  const scene = new DigitScene();
  scene.start(planOf('2833-to-kpml', '2833-to-kpml'));
  const statuses = ['1', '2', '3', '4', '3'].map((id) => {
    const subscribe = scene.subscribe('callee', { Event: `kpml;id=${id}` });
    return subscribe.answers[0]?.status;
  });
  const other = scene.subscribe('caller');
  expect(statuses).toEqual([200, 200, 200, 503, 200]);
  expect(other.answers[0]).toMatchObject({
    status: 503,
    options: { headers: { 'Retry-After': '10' } },
  });
  expect(scene.budget.count).toBe(3);
  scene.dtmf.end();
  expect(scene.budget.count).toBe(0);
});
