import { describe, expect, test } from 'vitest';
import { refreshAfterMs } from '../../../src/dtmf/kpml-subscriber-policy.ts';
import { responseOf, SubscriberBench } from './kpml-subscriber-bench.ts';

/** [seconds since the start] of every SUBSCRIBE. */
function times(bench: SubscriberBench): number[] {
  return bench.subscribes.map(({ atMs }) => (atMs - bench.startMs) / 1000);
}

describe('refreshing', () => {
  test.each([
    [0, 5400],
    [0.5, 5940],
    [1, 6480],
  ])('with %d as random number comes after %i s of 7200', (fraction, seconds) => {
    const bench = new SubscriberBench({ random: () => fraction }).active().wait(7_199_000);
    expect(times(bench)).toEqual([0, seconds]);
    expect(bench.subscribes[1]).toMatchObject({
      headers: bench.subscribes[0]?.headers,
      body: bench.subscribes[0]?.body,
    });
    expect(bench.subscriber.state).toBe('refreshing');
  });

  test('many calls spread over 75 to 90 % of the lifetime', () => {
    const moments = Array.from({ length: 10_000 }, () => refreshAfterMs(1000, Math.random()));
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(750);
    expect(Math.max(...moments)).toBeLessThanOrEqual(900);
    const tenths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(
      (tenth) => moments.filter((ms) => Math.floor((ms - 750) / 15) === tenth).length,
    );
    expect(Math.max(...tenths)).toBeLessThan(1300);
  });

  test('is told in time when the subscription ends', () => {
    const bench = new SubscriberBench();
    expect(bench.subscriber.endsAtMs).toBeUndefined();
    bench.start();
    expect(bench.subscriber.endsAtMs).toBeUndefined();
    bench.active();
    expect(bench.subscriber.endsAtMs).toBe(bench.startMs + 7_200_000);
  });

  test('follows a shorter lifetime in the 200', () => {
    const bench = new SubscriberBench().start().answer(200, { expires: '60' });
    bench.notify('active');
    expect(times(bench.wait(59_000))).toEqual([0, 49.5]);
  });

  test('follows a shorter lifetime in a NOTIFY, first or later', () => {
    const first = new SubscriberBench().start().answer(200, { expires: '7200' });
    first.notify('active;expires=30');
    expect(times(first.wait(29_000))).toEqual([0, 24.75]);
    const later = new SubscriberBench().active().wait(10_000);
    later.notify('active;expires=30', responseOf('1'));
    expect(times(later.wait(29_000))).toEqual([0, 34.75]);
  });

  test('is not put off by the remaining lifetime told with every digit', () => {
    const bench = new SubscriberBench().active();
    for (let seconds = 100; seconds < 5900; seconds += 100) {
      bench.wait(100_000).notify(`active;expires=${7200 - seconds}`, responseOf('1'));
    }
    expect(times(bench.wait(200_000))).toEqual([0, 5940]);
  });

  test.each(['99999999', '7200', 'soon'])('takes Expires %s in the 200 as 7200', (expires) => {
    const bench = new SubscriberBench().start().answer(200, { expires });
    bench.notify();
    expect(times(bench.wait(7_100_000))).toEqual([0, 5940]);
  });

  test('a lifetime of nothing does not make us busy', () => {
    const bench = new SubscriberBench().start().answer(200, { expires: '0' });
    bench.notify('active;expires=0');
    expect(times(bench.wait(10_000))).toEqual([0, 3.3]);
  });

  test('goes on for ever', () => {
    const bench = new SubscriberBench().active();
    for (let round = 0; round < 20; round += 1) {
      bench.wait(5_940_000).answer(200, { expires: '7200' });
      expect(bench.subscriber.state).toBe('confirming');
      expect(bench.notify('active;expires=7200')).toBe(200);
    }
    expect(bench.subscribes).toHaveLength(21);
    expect(bench.story()).not.toContain('active: notified');
  });

  test('a NOTIFY may overtake the 200 to it, digits go on', () => {
    const bench = new SubscriberBench().active().wait(5_940_000);
    bench.notify('active;expires=7200', responseOf('1'));
    bench.answer(200, { expires: '7200' });
    expect(bench.subscriber.state).toBe('active');
    expect(bench.digits).toEqual(['1']);
  });

  test.each([408, 500, 503, 486])(
    'answered %i leaves the old lifetime, half of it later again',
    (status) => {
      const bench = new SubscriberBench().active().wait(5_940_000).answer(status);
      expect(bench.subscriber.state).toBe('active');
      bench.notify('active', responseOf('1'));
      expect(bench.digits).toEqual(['1']);
      expect(times(bench.wait(1_259_000))).toEqual([0, 5940, 6570]);
      bench.answer(status);
      expect(times(bench.wait(10_000)).length).toBeGreaterThan(2);
    },
  );

  test('that never succeeds ends with the lifetime, then a new one is asked for', () => {
    const bench = new SubscriberBench().active().wait(5_940_000);
    for (let attempt = 0; attempt < 30 && bench.subscriber.state === 'refreshing'; attempt += 1) {
      bench.answer(503).waitForTimer();
    }
    expect(times(bench).at(-1)).toBe(7200);
    expect(bench.subscriber.state).toBe('subscribing');
  });

  test.each([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604])(
    'answered %i is replaced by a new subscription once',
    (status) => {
      const bench = new SubscriberBench().active().wait(5_940_000).answer(status);
      expect(bench.story()).toEqual(['SUBSCRIBE 7200', 'SUBSCRIBE 7200']);
      bench.answer(481);
      expect(bench.story()).toEqual(['failed: answered 481']);
    },
  );

  test('423 raises the lifetime, a second one counts as trouble', () => {
    const bench = new SubscriberBench()
      .active()
      .wait(5_940_000)
      .answer(423, { minExpires: '9000' });
    expect(bench.story()).toEqual(['SUBSCRIBE 7200', 'SUBSCRIBE 9000']);
    bench.answer(423, { minExpires: '9500' });
    expect(bench.subscriber.state).toBe('active');
  });

  test('without NOTIFY within 32 s there is one new subscription, then failure', () => {
    const bench = new SubscriberBench().active().wait(5_940_000).answer(200).wait(32_000);
    expect(times(bench)).toEqual([0, 5940, 5972]);
    bench.answer(200).wait(32_000);
    expect(bench.subscriber.state).toBe('failed');
  });
});

describe('the first answer', () => {
  test.each([
    400, 401, 403, 404, 405, 407, 408, 410, 416, 481, 482, 483, 484, 485, 489, 501, 502, 505, 603,
    604,
  ])('%i is failure without another try', (status) => {
    const bench = new SubscriberBench().start().answer(status).wait(86_400_000);
    expect(bench.story()).toEqual(['SUBSCRIBE 7200', `failed: answered ${status}`]);
    expect(bench.subscriber.state).toBe('failed');
  });

  test('423 is followed once with the lifetime asked for', () => {
    const bench = new SubscriberBench({ expiresSeconds: 600 })
      .start()
      .answer(423, { minExpires: '3600' });
    expect(bench.story()).toEqual(['SUBSCRIBE 600', 'SUBSCRIBE 3600']);
    expect(bench.subscribes[1]?.body).toContain('interdigittimer="3660000"');
    bench.answer(423, { minExpires: '9000' });
    expect(bench.story()).toEqual(['failed: answered 423']);
  });

  test('423 without a readable minimum is failure', () => {
    expect(new SubscriberBench().start().answer(423).subscriber.state).toBe('failed');
    const bench = new SubscriberBench().start().answer(423, { minExpires: 'soon' });
    expect(bench.subscriber.state).toBe('failed');
  });

  test.each([
    ['500', 500, undefined, [0, 30, 60]],
    ['503 with Retry-After', 503, '5', [0, 5, 10]],
    ['504 with a comment', 504, '5 (busy)', [0, 5, 10]],
    ['503 with Retry-After 0', 503, '0', [0, 1, 2]],
  ])('%s is tried three times in all', (_name, status, retryAfter, expected) => {
    const bench = new SubscriberBench().start();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      bench.answer(status, { retryAfter }).waitForTimer();
    }
    expect(times(bench)).toEqual(expected);
    expect(bench.story().at(-1)).toBe('failed: server failures');
    // The count is for the call: another start gets one attempt.
    bench.start().answer(status);
    expect(bench.subscriber.state).toBe('failed');
  });

  test('no NOTIFY within 32 s is one new attempt, then failure', () => {
    const bench = new SubscriberBench().start().answer(200).wait(31_999);
    expect(times(bench)).toEqual([0]);
    bench.wait(1).answer(200).wait(32_000);
    expect(bench.story()).toEqual(['SUBSCRIBE 7200', 'SUBSCRIBE 7200', 'failed: no NOTIFY']);
  });

  test('after failure another offer/answer exchange may start anew', () => {
    const bench = new SubscriberBench().start().answer(408).start().answer(200);
    bench.notify();
    expect(bench.story()).toEqual([
      'SUBSCRIBE 7200',
      'failed: answered 408',
      'SUBSCRIBE 7200',
      'active: notified',
    ]);
  });
});
