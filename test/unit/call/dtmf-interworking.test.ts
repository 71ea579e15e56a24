import { afterEach, describe, expect, test, vi } from 'vitest';
import { DigitScene, PATTERN, planOf } from './dtmf-fixtures.ts';

/** Row K1 with X2: the caller speaks KPML, the callee telephone-event. */
const KPML_CALLER = planOf('kpml-to-2833', '2833-to-kpml');
const BOTH_2833 = planOf('rtp-relay', 'rtp-relay');

afterEach(() => {
  vi.useRealTimers();
});

describe('digits of a KPML end', () => {
  test('are asked for once its dialog is acknowledged, not before', () => {
    const scene = new DigitScene();
    scene.dtmf.applyPlan(KPML_CALLER);
    scene.dtmf.legReady('callee');
    expect(scene.sentTo('caller', 'SUBSCRIBE')).toEqual([]);

    scene.dtmf.legReady('caller');

    const [subscribe] = scene.sentTo('caller', 'SUBSCRIBE');
    expect(subscribe?.options.headers).toMatchObject({ Event: 'kpml', Expires: '7200' });
    expect(scene.sentTo('callee', 'SUBSCRIBE')).toEqual([]);
    scene.dtmf.end();
  });

  test('are asked for by name of the dialog with kpml-event-parameters full', () => {
    const scene = new DigitScene({ kpmlEventParameters: 'full', kpmlSubscribeExpiresSeconds: 90 });
    scene.start(KPML_CALLER);
    expect(scene.sentTo('caller', 'SUBSCRIBE')[0]?.options.headers).toMatchObject({
      Event: 'kpml;call-id="caller@sbc";local-tag=their-caller;remote-tag=our-caller',
      Expires: '90',
    });
    scene.dtmf.end();
  });

  test('are played to the other end and entered with what became of them', async () => {
    const scene = new DigitScene({ dtmfDurationMs: 70 });
    scene.start(KPML_CALLER);
    await scene.answer('caller', 200, { Expires: '7200' });
    expect(scene.notify('caller', '1#')).toBe(200);

    expect(scene.played).toEqual([
      { to: 'callee', digitId: 'call#1', eventCode: 1, durationMs: 70 },
      { to: 'callee', digitId: 'call#2', eventCode: 11, durationMs: 70 },
    ]);
    const sent = { to: 'callee', rtpTimestamp: 9, firstPacketAtMs: 5, endPacketAtMs: 6 } as const;
    scene.dtmf.played({ digitId: 'call#1', ...sent });
    scene.dtmf.notPlayed({ to: 'callee', digitId: 'call#2', reason: 'event-not-negotiated' });
    expect(scene.fates).toEqual([
      '1 caller-to-callee rtp',
      '# caller-to-callee !event-not-negotiated',
    ]);
    scene.dtmf.end();
  });

  test('that are no digits are entered as dropped, unread ones too', async () => {
    const scene = new DigitScene();
    scene.start(KPML_CALLER);
    await scene.answer('caller', 200);
    scene.notify('caller', '+R');
    expect(scene.fates).toEqual([
      '+ caller-to-callee !unknown-character',
      'R caller-to-callee !flash-disabled',
    ]);

    const statuses = Array.from({ length: 60 }, () => scene.notify('caller', '1'));
    expect(statuses.filter((status) => status === 500)).toHaveLength(11);
    expect(scene.fates.slice(-11)).toEqual(Array(11).fill('? caller-to-callee !rate-limited'));
    scene.dtmf.end();
  });

  test('that wait when the call ends are lost by its end, not by a stream that went away', async () => {
    const scene = new DigitScene();
    scene.start(KPML_CALLER);
    await scene.answer('caller', 200);
    scene.notify('caller', '12');
    scene.dtmf.notPlayed({ to: 'callee', digitId: 'call#1', reason: 'stream-closed' });
    scene.dtmf.end();
    scene.dtmf.notPlayed({ to: 'callee', digitId: 'call#2', reason: 'stream-closed' });
    expect(scene.fates).toEqual([
      '1 caller-to-callee !stream-closed',
      '2 caller-to-callee !call-ended',
    ]);
  });

  test('are lost until the subscription is active: the gap is measured once', async () => {
    const scene = new DigitScene();
    scene.start(KPML_CALLER);
    await vi.advanceTimersByTimeAsync(25);
    await scene.answer('caller', 200, { Expires: '60' });
    expect(scene.gapsMs).toEqual([]);
    scene.notify('caller', undefined, { 'Subscription-State': 'active;expires=60' });
    await vi.advanceTimersByTimeAsync(100);
    scene.notify('caller', '1');
    expect(scene.gapsMs).toEqual([25]);
    scene.dtmf.end();
  });

  test('have nowhere to go without a stream', async () => {
    const scene = new DigitScene();
    scene.hasStream = false;
    scene.start(KPML_CALLER);
    await scene.answer('caller', 200);
    scene.notify('caller', '1');
    expect(scene.fates).toEqual(['1 caller-to-callee !stream-closed']);
    scene.dtmf.end();
  });

  test('are asked for again before a short grant runs out', async () => {
    const scene = new DigitScene();
    scene.start(KPML_CALLER);
    await scene.answer('caller', 200, { Expires: '60' });
    scene.notify('caller', undefined, { 'Subscription-State': 'active;expires=60' });
    await vi.advanceTimersByTimeAsync(44_900);
    expect(scene.sentTo('caller', 'SUBSCRIBE')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(9200);
    expect(scene.sentTo('caller', 'SUBSCRIBE')).toHaveLength(2);
    scene.dtmf.end();
  });

  test('are asked for again after failure, but only by the next completed exchange', async () => {
    const scene = new DigitScene();
    scene.start(KPML_CALLER);
    await scene.answer('caller', 489);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(scene.sentTo('caller', 'SUBSCRIBE')).toHaveLength(1);
    expect(scene.notify('caller', '1')).toBe(481);

    scene.dtmf.applyPlan(KPML_CALLER);
    expect(scene.sentTo('caller', 'SUBSCRIBE')).toHaveLength(2);
    scene.dtmf.end();
  });
});

describe('digits as telephone-event', () => {
  test.each([
    ['2833-to-kpml', '1 callee-to-caller !no-subscription'],
    ['rtp-relay', '1 callee-to-caller relay'],
    ['none', '1 callee-to-caller !no-translator'],
    ['kpml-relay', '1 callee-to-caller !no-translator'],
  ] as const)('under %s, nobody subscribed: %s', (translator, fate) => {
    const scene = new DigitScene();
    scene.start(planOf('none', translator));
    scene.press('callee', '1');
    expect(scene.fates).toEqual([fate]);
    scene.dtmf.end();
  });

  test('are notified one after the other, each 40 ms or more after the one before', async () => {
    const scene = new DigitScene();
    scene.start(planOf('none', '2833-to-kpml'));
    expect(scene.subscribe('caller').answers[0]?.status).toBe(200);
    await scene.answer('caller', 200, { CSeq: '1 NOTIFY' });
    await vi.advanceTimersByTimeAsync(40);
    scene.press('callee', '1');
    scene.press('callee', '2');
    await scene.answer('caller', 200, { CSeq: '2 NOTIFY' });
    expect(scene.sentTo('caller', 'NOTIFY')).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(40);
    await scene.answer('caller', 500, { CSeq: '3 NOTIFY' });

    expect(scene.sentTo('caller', 'NOTIFY').map((sent) => sent.options.body ?? '')).toEqual([
      '',
      expect.stringContaining('digits="1"'),
      expect.stringContaining('digits="2"'),
    ]);
    expect(scene.fates).toEqual([
      '1 callee-to-caller notify 200',
      '2 callee-to-caller notify 500 !notify-failed',
    ]);
    scene.dtmf.end();
  });

  test('on a hairpin are relayed and notified', async () => {
    const scene = new DigitScene();
    scene.start(planOf('none', 'hairpin'));
    scene.press('callee', '1');
    scene.subscribe('caller');
    await scene.answer('caller', 200);
    await vi.advanceTimersByTimeAsync(40);
    scene.press('callee', '2');
    await scene.answer('caller', 200);
    expect(scene.fates).toEqual([
      '1 callee-to-caller relay',
      '2 callee-to-caller relay notify 200',
    ]);
    scene.dtmf.end();
  });

  test('are reported to their own sender when it asked with <reverse/>', async () => {
    const scene = new DigitScene();
    scene.start(planOf('hairpin', 'hairpin'));
    const pattern = PATTERN.replace('<pattern', '<stream><reverse/></stream><pattern');
    scene.subscribe('caller', {}, pattern);
    await scene.answer('caller', 200);
    await vi.advanceTimersByTimeAsync(40);
    scene.press('callee', '1');
    scene.press('caller', '2');
    await scene.answer('caller', 200);
    expect(scene.sentTo('caller', 'NOTIFY')).toHaveLength(2);
    expect(scene.fates).toEqual([
      '1 callee-to-caller relay',
      '2 caller-to-callee relay notify 200',
    ]);
    scene.dtmf.end();
  });
});

describe('a SUBSCRIBE', () => {
  test.each([
    ['2833-to-kpml', 200],
    ['hairpin', 200],
    ['rtp-relay', 489],
    ['none', 489],
  ] as const)('under %s gets %i', (translator, status) => {
    const scene = new DigitScene();
    scene.start(planOf('none', translator));
    const request = scene.subscribe('caller');
    const allowed = request.answers[0]?.options.headers?.['Allow-Events'];
    expect([request.answers[0]?.status, allowed]).toEqual([
      status,
      status === 489 ? 'kpml' : undefined,
    ]);
    scene.dtmf.end();
  });

  test.each([
    ['pending', planOf('none', '2833-to-kpml'), 'active'],
    ['pending', BOTH_2833, 'terminated;reason=rejected'],
  ] as const)('before there is a plan is %s, then %o', async (early, plan, state) => {
    const scene = new DigitScene();
    scene.early = early;
    expect(scene.subscribe('caller').answers[0]?.status).toBe(200);
    await scene.answer('caller', 200);
    await vi.advanceTimersByTimeAsync(40);
    scene.start(plan);
    const states = scene
      .sentTo('caller', 'NOTIFY')
      .map((sent) => sent.options.headers?.['Subscription-State'] ?? '');
    expect(states[0]).toMatch(/^pending;expires=/);
    expect(states[1]).toContain(state);
    scene.dtmf.end();
  });

  test('before there is a plan gets 489 where kpml was not advertised', () => {
    const scene = new DigitScene();
    expect(scene.subscribe('caller').answers[0]?.status).toBe(489);
  });

  test('expires: a last NOTIFY, and later digits are dropped', async () => {
    const scene = new DigitScene();
    scene.start(planOf('none', '2833-to-kpml'));
    scene.subscribe('caller', { Expires: '60' });
    await scene.answer('caller', 200);
    await vi.advanceTimersByTimeAsync(60_000);
    const last = scene.sentTo('caller', 'NOTIFY').at(-1)?.options;
    expect(last?.headers?.['Subscription-State']).toBe('terminated;reason=timeout');
    expect(last?.body).toContain('code="487"');
    await scene.answer('caller', 200);
    scene.press('callee', '1');
    expect(scene.fates).toEqual(['1 callee-to-caller !no-subscription']);
    scene.dtmf.end();
  });
});

describe('a new plan', () => {
  test('closes the old path before it opens the new one', async () => {
    const scene = new DigitScene();
    scene.start(KPML_CALLER);
    await scene.answer('caller', 200);
    scene.notify('caller', undefined);
    scene.subscribe('caller');
    await scene.answer('caller', 200);

    scene.dtmf.applyPlan(BOTH_2833);
    const last = scene.connections.caller.sent.slice(-2).map((sent) => sent.options);
    expect(last.map(({ method }) => method).toSorted()).toEqual(['NOTIFY', 'SUBSCRIBE']);
    expect(last.find(({ method }) => method === 'SUBSCRIBE')?.headers?.['Expires']).toBe('0');
    scene.notify('caller', '1');
    scene.press('callee', '2');
    expect(scene.played).toEqual([]);
    expect(scene.fates).toEqual(['2 callee-to-caller relay']);
    scene.dtmf.end();
  });

  test('that says the same changes nothing', async () => {
    const scene = new DigitScene();
    scene.start(KPML_CALLER);
    await scene.answer('caller', 200);
    scene.notify('caller', undefined);
    scene.dtmf.applyPlan(KPML_CALLER);
    expect(scene.connections.caller.sent).toHaveLength(1);
    scene.dtmf.end();
  });
});

describe('the end of the call', () => {
  test('tells subscribers, leaves our subscription to the dialog, and stops every timer', async () => {
    const scene = new DigitScene();
    scene.start(KPML_CALLER);
    await scene.answer('caller', 200);
    scene.subscribe('caller');
    await scene.answer('caller', 200);

    scene.dtmf.end();
    scene.dtmf.end();

    const last = scene.connections.caller.last.options;
    expect(last.headers?.['Subscription-State']).toBe('terminated;reason=noresource');
    expect(last.body).toContain('code="481"');
    await scene.answer('caller', 481);
    expect(scene.sentTo('caller', 'SUBSCRIBE')).toHaveLength(1);
    expect(scene.notify('caller', '1')).toBe(200);
    expect(scene.subscribe('caller').answers[0]?.status).toBe(481);
    expect(scene.played).toEqual([]);
    expect(scene.bugs).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
