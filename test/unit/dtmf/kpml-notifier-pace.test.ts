import { describe, expect, test } from 'vitest';
import { documentOf, EVERY_KEY, NotifierBench } from './kpml-notifier-bench.ts';

/** [ms since the first NOTIFY, digits] of everything sent. */
function timeline(bench: NotifierBench): [ms: number, digits: string | undefined][] {
  const firstMs = bench.notifies[0]?.atMs ?? 0;
  return bench.notifies.map(({ atMs, digits }) => [atMs - firstMs, digits]);
}

describe('pace', () => {
  test('a key typed before the first NOTIFY is answered waits and is delivered once', () => {
    const bench = new NotifierBench();
    bench.answer = { status: 200, afterMs: 300 };
    bench.subscribe();
    bench.press('1');
    bench.wait(1000);
    expect(timeline(bench)).toEqual([
      [0, undefined],
      [300, '1'],
    ]);
  });

  test('NOTIFYs are at least 40 ms apart, however fast they are answered', () => {
    const bench = new NotifierBench();
    bench.answer = { status: 200, afterMs: 1 };
    bench.subscribe();
    bench.press('123');
    bench.wait(1000);
    expect(timeline(bench)).toEqual([
      [0, undefined],
      [40, '1'],
      [80, '2'],
      [120, '3'],
    ]);
  });

  test('100 keys in 10 s arrive in order, none lost, one NOTIFY out at a time', () => {
    const bench = new NotifierBench();
    bench.answer = { status: 200, afterMs: 130 };
    bench.subscribe();
    const keys = '0123456789'.repeat(10);
    bench.press(keys, 100);
    bench.wait(10_000);
    expect(bench.digits).toBe(keys);
    const times = bench.notifies.map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(130);
    expect(bench.notifies.every(({ pressIds }) => pressIds.length <= 1)).toBe(true);
  });

  test('two subscriptions do not wait for each other', () => {
    const bench = new NotifierBench();
    bench.answer = undefined;
    bench.subscribe(EVERY_KEY, { event: 'kpml;id=1' });
    bench.subscribe(EVERY_KEY, { event: 'kpml;id=2' });
    expect(bench.notifies.map(({ id }) => id)).toEqual(['1', '2']);
    bench.take(bench.notifier.notifyAnswered('2', 200, undefined, bench.nowMs));
    bench.press('7');
    bench.wait(100);
    expect(bench.notifies.at(-1)).toMatchObject({ id: '2', digits: '7' });
  });

  test('the final NOTIFY waits for its turn behind the reports', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.press('12');
    bench.subscribe('', { expires: '0' });
    bench.wait(1000);
    expect(bench.story()).toEqual([
      'active',
      'active 200 "1"',
      'active 200 "2"',
      'terminated;reason=timeout 487 ""',
    ]);
  });
});

describe('the answer to a NOTIFY', () => {
  test.each([401, 404, 405, 407, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604])(
    '%i ends the subscription',
    (status) => {
      const bench = new NotifierBench();
      bench.subscribe();
      bench.wait(100);
      bench.answer = { status, afterMs: 10 };
      bench.press('123');
      bench.wait(1000);
      expect(bench.story()).toEqual(['active', 'active 200 "1"']);
      expect(bench.notifier.subscriptions).toEqual([]);
      bench.press('4');
      expect(bench.drops).toEqual([
        { pressId: '2:2', reason: 'subscription-ended' },
        { pressId: '3:3', reason: 'subscription-ended' },
        { pressId: '4:4', reason: 'no-subscription' },
      ]);
    },
  );

  test.each([400, 403, 406, 486, 500, 503, 603])('%i leaves it alive', (status) => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.answer = { status, afterMs: 10 };
    bench.wait(100);
    expect(bench.pressed('12')).toEqual(['active', 'active 200 "1"', 'active 200 "2"']);
    expect(bench.notifier.subscriptions).toHaveLength(1);
  });

  test('500 with Retry-After delays the next one', () => {
    const bench = new NotifierBench();
    bench.answer = { status: 500, retryAfterSeconds: 2, afterMs: 10 };
    bench.subscribe();
    bench.press('1');
    bench.wait(3000);
    expect(timeline(bench)).toEqual([
      [0, undefined],
      [2010, '1'],
    ]);
  });

  test('an endless Retry-After is cut to 32 s, one in a success does not count', () => {
    const bench = new NotifierBench();
    bench.answer = { status: 500, retryAfterSeconds: 1e9, afterMs: 0 };
    bench.subscribe();
    bench.press('1');
    bench.answer = { status: 200, retryAfterSeconds: 1e9, afterMs: 0 };
    bench.press('2');
    bench.wait(40_000);
    expect(timeline(bench)).toEqual([
      [0, undefined],
      [32_000, '1'],
      [32_040, '2'],
    ]);
  });

  test('an answer nobody waits for is ignored', () => {
    const bench = new NotifierBench();
    expect(bench.notifier.notifyAnswered('', 200, undefined, bench.nowMs)).toEqual([]);
    bench.subscribe();
    bench.wait(100);
    expect(bench.notifier.notifyAnswered('', 481, undefined, bench.nowMs)).toEqual([]);
    expect(bench.notifier.subscriptions).toHaveLength(1);
  });

  test('keys still being collected are lost with their subscription', () => {
    const bench = new NotifierBench();
    bench.answer = { status: 481, afterMs: 10 };
    bench.subscribe(documentOf('persist="persist"', 'x{4}'));
    bench.press('12');
    bench.wait(100);
    expect(bench.drops.map(({ reason }) => reason)).toEqual([
      'subscription-ended',
      'subscription-ended',
    ]);
  });
});
