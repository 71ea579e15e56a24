import { afterEach, describe, expect, test, vi } from 'vitest';
import { MAX_WAITING_DIGITS } from '../../../src/call/digits/info-sender.ts';
import { DigitScene, planOf } from './dtmf-fixtures.ts';

const RELAY_TYPE = 'application/dtmf-relay';
const BARE_TYPE = 'application/dtmf';

afterEach(() => {
  if (vi.getTimerCount() > 0) throw new Error('a timer is left');
  vi.useRealTimers();
});

/** The callee gets its digits by INFO. */
function sceneToInfo(): DigitScene {
  const scene = new DigitScene();
  scene.start(planOf('2833-to-info', 'info-to-2833'));
  return scene;
}

/** Bodies of the INFOs sent to the callee, one line each. */
function sentBodies(scene: DigitScene): string[] {
  return scene
    .sentTo('callee', 'INFO')
    .map(({ options }) => (options.body ?? '').split('\r\n')[0] ?? '');
}

function typesOf(scene: DigitScene): unknown[] {
  return scene.sentTo('callee', 'INFO').map(({ options }) => options.headers?.['Content-Type']);
}

describe('digits to an INFO leg', () => {
  test('go one at a time, in order, with their duration', async () => {
    const scene = sceneToInfo();
    scene.press('caller', '1');
    scene.press('caller', '2');
    expect(sentBodies(scene)).toEqual(['Signal=1']);
    expect(scene.sentTo('callee', 'INFO')[0]?.options.body).toBe('Signal=1\r\nDuration=100\r\n');

    await scene.answer('callee', 200);
    expect(sentBodies(scene)).toEqual(['Signal=1', 'Signal=2']);
    await scene.answer('callee', 200);
    scene.press('caller', '3');
    await scene.answer('callee', 202);

    expect(scene.fates).toEqual([
      '1 caller-to-callee info 200',
      '2 caller-to-callee info 200',
      '3 caller-to-callee info 202',
    ]);
    expect(scene.bugs).toEqual([]);
  });

  test('wait for the ACK of the leg', async () => {
    const scene = new DigitScene();
    scene.dtmf.applyPlan(planOf('2833-to-info', 'none'));
    scene.press('caller', '1');
    expect(sentBodies(scene)).toEqual([]);
    scene.dtmf.legReady('callee');
    expect(sentBodies(scene)).toEqual(['Signal=1']);
    await scene.answer('callee', 200);
    expect(scene.fates).toEqual(['1 caller-to-callee info 200']);
  });

  test('leave when the key comes up, and not before', async () => {
    const scene = sceneToInfo();
    const press = { side: 'caller', digit: 'R', eventCode: 16, ssrc: 7, rtpTimestamp: 1 } as const;
    scene.dtmf.pressed({ ...press, atMs: 0 });
    expect(sentBodies(scene)).toEqual([]);
    scene.dtmf.released({ ...press, atMs: 0, durationMs: 0.2 });
    expect(scene.connections.callee.last.options.body).toBe('Signal=!\r\nDuration=1\r\n');
    await scene.answer('callee', 200);
  });

  test('that were pressed under another plan do not leave twice', async () => {
    const scene = new DigitScene();
    scene.start(planOf('rtp-relay', 'none'));
    const press = { side: 'caller', digit: '1', eventCode: 1, ssrc: 7, rtpTimestamp: 1 } as const;
    scene.dtmf.pressed({ ...press, atMs: 0 });
    scene.dtmf.applyPlan(planOf('2833-to-info', 'none'));
    scene.dtmf.released({ ...press, atMs: 0, durationMs: 100 });
    const next = { ...press, rtpTimestamp: 2 };
    scene.dtmf.pressed({ ...next, atMs: 0 });
    scene.dtmf.applyPlan(planOf('none', 'none'));
    scene.dtmf.released({ ...next, atMs: 0, durationMs: 100 });
    await scene.flush();

    expect(sentBodies(scene)).toEqual([]);
    expect(scene.fates).toEqual(['1 caller-to-callee relay', '1 caller-to-callee !no-translator']);
  });

  // oxfmt-ignore
  test.each<[status: number, reason: string]>([
    [403, 'info-refused'],
    [405, 'info-refused'],
    [501, 'info-refused'],
    [500, 'info-refused'],
    [603, 'info-refused'],
  ])('%i costs the digit, and the next one is sent', async (status, reason) => {
    const scene = sceneToInfo();
    scene.press('caller', '1');
    scene.press('caller', '2');
    await scene.answer('callee', status);
    await scene.answer('callee', 200);
    expect(scene.fates).toEqual([
      `1 caller-to-callee info ${status} !${reason}`,
      '2 caller-to-callee info 200',
    ]);
  });

  test.each([408, 481])(
    '%i drops the digits that wait, which would come too late',
    async (status) => {
      const scene = sceneToInfo();
      scene.press('caller', '1');
      scene.press('caller', '2');
      await scene.answer('callee', status);
      expect(scene.fates).toEqual([
        `1 caller-to-callee info ${status} !info-unanswered`,
        '2 caller-to-callee !info-unanswered',
      ]);
      scene.press('caller', '3');
      await scene.answer('callee', 200);
      expect(scene.fates.at(-1)).toBe('3 caller-to-callee info 200');
    },
  );

  test('an engine that cannot send it counts as no answer', async () => {
    const scene = sceneToInfo();
    scene.press('caller', '1');
    scene.connections.callee.last.fail('timeout');
    await scene.flush();
    expect(scene.fates).toEqual(['1 caller-to-callee info 408 !info-unanswered']);
  });

  // oxfmt-ignore
  test.each<[status: number, headers: Record<string, string>, pauseMs: number]>([
    [491, {}, 500],
    [500, { 'Retry-After': '2' }, 2_000],
    [503, { 'Retry-After': '1 (busy)' }, 1_000],
    [500, { 'Retry-After': '3600' }, 4_000],
  ])('after %i with %o it is sent again in %i ms, three times in all', async (status, headers, pauseMs) => {
    const scene = sceneToInfo();
    scene.press('caller', '1');
    scene.press('caller', '2');
    for (const attempts of [1, 2]) {
      await scene.answer('callee', status, headers);
      await vi.advanceTimersByTimeAsync(pauseMs - 1);
      expect(sentBodies(scene)).toHaveLength(attempts);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(sentBodies(scene)).toEqual(['Signal=1', 'Signal=1', 'Signal=1']);
    await scene.answer('callee', status, headers);
    await scene.answer('callee', 200);
    expect(scene.fates).toEqual([
      `1 caller-to-callee info ${status} info ${status} info ${status} !info-refused`,
      '2 caller-to-callee info 200',
    ]);
  });

  // oxfmt-ignore
  test.each<[accept: string | undefined, types: string[]]>([
    ['application/dtmf', [RELAY_TYPE, BARE_TYPE, BARE_TYPE]],
    [undefined, [RELAY_TYPE, BARE_TYPE, BARE_TYPE]],
    ['application/sdp', [RELAY_TYPE, RELAY_TYPE]],
  ])('415 with Accept %s: %j', async (accept, types) => {
    const scene = sceneToInfo();
    scene.press('caller', '1');
    scene.press('caller', '2');
    await scene.answer('callee', 415, accept === undefined ? {} : { Accept: accept });
    await scene.answer('callee', 200);
    if (types.length === 3) await scene.answer('callee', 200);
    expect(typesOf(scene)).toEqual(types);
  });

  test('a leg that refuses both content types is not asked for ever', async () => {
    const scene = sceneToInfo();
    scene.press('caller', '1');
    for (const _ of [1, 2, 3]) await scene.answer('callee', 415);
    expect(scene.fates).toEqual(['1 caller-to-callee info 415 info 415 info 415 !info-refused']);
    expect(sentBodies(scene)).toHaveLength(3);
  });

  test('no more than some wait', async () => {
    const scene = sceneToInfo();
    const presses = MAX_WAITING_DIGITS + 3;
    for (let index = 0; index < presses; index += 1) scene.press('caller', '1', index);
    const dropped = scene.fates.filter((fate) => fate.endsWith('!queue-full'));
    expect(dropped).toHaveLength(2);
    for (let index = 0; index < presses - 2; index += 1) await scene.answer('callee', 200);
    expect(scene.fates.filter((fate) => fate.endsWith('info 200'))).toHaveLength(presses - 2);
  });

  test('the end of the call drops what waits; the answer to the digit on its way counts', async () => {
    const scene = sceneToInfo();
    scene.press('caller', '1');
    scene.press('caller', '2');
    const held = { side: 'caller', digit: '3', eventCode: 3, ssrc: 7, rtpTimestamp: 9 } as const;
    scene.dtmf.pressed({ ...held, atMs: 0 });
    scene.dtmf.end();
    await scene.answer('callee', 200);
    scene.dtmf.released({ ...held, atMs: 0, durationMs: 100 });
    expect(scene.fates).toEqual([
      '1 caller-to-callee info 200',
      '2 caller-to-callee !call-ended',
      '3 caller-to-callee !call-ended',
    ]);
    expect(sentBodies(scene)).toHaveLength(1);
  });

  test('the end of the call ends the pause before another attempt', async () => {
    const scene = sceneToInfo();
    scene.press('caller', '1');
    await scene.answer('callee', 491);
    scene.dtmf.end();
    await scene.flush();
    expect(scene.fates).toEqual(['1 caller-to-callee info 491 !call-ended']);
    expect(sentBodies(scene)).toHaveLength(1);
  });

  test('KPML keys state the default duration of the leg', async () => {
    const scene = new DigitScene({ dtmfDurationMs: 250 });
    scene.start(planOf('kpml-to-info', 'none'));
    await scene.answer('caller', 200, { Expires: '600' });
    expect(scene.notify('caller', '4')).toBe(200);
    expect(scene.connections.callee.last.options.body).toBe('Signal=4\r\nDuration=250\r\n');
    await scene.answer('callee', 200);
    expect(scene.fates).toEqual(['4 caller-to-callee info 200']);
    scene.dtmf.end();
    await scene.flush();
  });
});

describe('an INFO', () => {
  test('becomes an event as long as it says, within bounds', () => {
    const scene = sceneToInfo();
    const lengths = ['160', '1', '60000', ''].map((duration) => `Signal=5\r\nDuration=${duration}`);
    expect(lengths.map((body) => scene.info('callee', body))).toEqual([200, 200, 200, 200]);
    expect(scene.played.map(({ durationMs }) => durationMs)).toEqual([160, 40, 5_000, 100]);
    expect(scene.played[0]).toMatchObject({ to: 'caller', eventCode: 5 });
  });

  test('with a flash becomes event 16', () => {
    const scene = sceneToInfo();
    scene.info('callee', 'Signal=hf');
    expect(scene.played[0]).toMatchObject({ to: 'caller', eventCode: 16 });
  });

  test('that cannot be read gets 400 and is counted', () => {
    const scene = sceneToInfo();
    expect(scene.info('callee', 'Signal=1234')).toBe(400);
    expect(scene.fates).toEqual(['? callee-to-caller !unknown-character']);
    expect(scene.info('caller', 'Signal=1234')).toBe(200);
  });

  test('is answered and dropped where the stream is gone', () => {
    const scene = sceneToInfo();
    scene.hasStream = false;
    expect(scene.info('callee', 'Signal=5')).toBe(200);
    expect(scene.fates).toEqual(['5 callee-to-caller !stream-closed']);
  });

  // oxfmt-ignore
  test.each(['rtp-relay', 'kpml-to-2833', '2833-to-kpml', 'kpml-relay', 'none', 'info-relay'] as const)(
    'is relayed in a direction with %s', async (translator) => {
      const scene = new DigitScene();
      scene.start(planOf(translator, 'none'));
      expect(scene.info('caller', 'Signal=5')).toBe('relay');
      scene.dtmf.end();
      await scene.flush();
      for (const sent of scene.connections.caller.sent) sent.answer(481);
      await scene.flush();
    },
  );

  test('with another body, before there is a plan and after the end of the call is relayed', () => {
    const scene = new DigitScene();
    expect(scene.info('callee', 'Signal=5')).toBe('relay');
    scene.start(planOf('2833-to-info', 'info-to-2833'));
    expect(scene.info('callee', 'hello', 'text/plain')).toBe('relay');
    scene.dtmf.end();
    expect(scene.info('callee', 'Signal=5')).toBe('relay');
    expect(scene.fates).toEqual([]);
  });

  test('beside telephone-events of the same leg is a twin where the other leg gets INFO', () => {
    const scene = sceneToInfo();
    expect(scene.info('caller', 'Signal=5')).toBe(200);
    expect(scene.fates).toEqual(['5 caller-to-callee !other-method']);
  });

  test('is notified to whoever subscribed, and dropped where nobody did', async () => {
    const scene = new DigitScene();
    scene.start(planOf('info-to-kpml', 'none'));
    scene.info('caller', 'Signal=4');
    scene.subscribe('callee');
    await scene.answer('callee', 200);
    await vi.advanceTimersByTimeAsync(40);
    scene.info('caller', 'Signal=5');
    await scene.answer('callee', 200);
    expect(scene.fates).toEqual([
      '4 caller-to-callee !no-subscription',
      '5 caller-to-callee notify 200',
    ]);
    scene.dtmf.end();
    await scene.flush();
    await scene.answer('callee', 200);
  });
});
