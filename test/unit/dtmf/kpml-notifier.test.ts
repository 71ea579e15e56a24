import { describe, expect, test } from 'vitest';
import { documentOf, EVERY_KEY, NotifierBench } from './kpml-notifier-bench.ts';

function pendingBench(): NotifierBench {
  const bench = new NotifierBench();
  bench.take(bench.notifier.setMode('pending', bench.nowMs));
  bench.subscribe();
  bench.wait(100);
  return bench;
}

describe('the usual subscription', () => {
  test('is accepted and announced at once without a body', () => {
    const bench = new NotifierBench();
    expect(bench.subscribe()).toEqual({ status: 200, headers: { Expires: '7200' } });
    expect(bench.notifies).toMatchObject([
      { atMs: 1_000_000, event: 'kpml', state: 'active', expiresSeconds: 7200, body: '' },
    ]);
  });

  test('hears of every press in a NOTIFY of its own', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.press('19*#AD', 100);
    expect(bench.story()).toEqual([
      'active',
      'active 200 "1"',
      'active 200 "9"',
      'active 200 "*"',
      'active 200 "#"',
      'active 200 "A"',
      'active 200 "D"',
    ]);
    expect(bench.drops).toEqual([]);
  });

  test('gets the body as agreed', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.wait(100);
    bench.press('1');
    const notify = bench.notifies.at(-1);
    expect(notify?.body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<kpml-response xmlns="urn:ietf:params:xml:ns:kpml-response" version="1.0" code="200" text="OK"' +
        ' digits="1" tag="dtmf" suppressed="false" forced_flush="false"/>',
    );
    expect(notify?.pressIds).toEqual(['1:1']);
  });

  test('is idle when every NOTIFY is answered', () => {
    const bench = new NotifierBench();
    expect(bench.notifier.isIdle).toBe(true);
    bench.subscribe();
    bench.press('1');
    bench.answer = undefined;
    bench.wait(100);
    bench.press('2');
    expect(bench.notifier.isIdle).toBe(false);
  });

  test('is told its remaining lifetime', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.wait(100_000);
    bench.press('1');
    expect(bench.notifies.at(-1)?.expiresSeconds).toBe(7100);
  });

  test('ends with 487 when it is given up', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.wait(100);
    expect(bench.subscribe('', { expires: '0' })).toEqual({
      status: 200,
      headers: { Expires: '0' },
    });
    expect(bench.pressed('1')).toEqual(['active', 'terminated;reason=timeout 487 ""']);
    expect(bench.drops).toEqual([{ pressId: '1:1', reason: 'no-subscription' }]);
    expect(bench.notifier.expiresAtMs).toBeUndefined();
  });

  test('ends with 487 when it is not refreshed', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.wait(7_200_000);
    expect(bench.pressed('1')).toEqual(['active', 'terminated;reason=timeout 487 ""']);
    expect(bench.notifier.subscriptions).toEqual([]);
  });

  test('ends at once with the call', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.press('12');
    bench.take(bench.notifier.end(bench.nowMs));
    expect(bench.story()).toEqual(['active', 'terminated;reason=noresource 481']);
    bench.press('3');
    expect(bench.drops.map(({ reason }) => reason)).toEqual([
      'subscription-ended',
      'subscription-ended',
      'no-subscription',
    ]);
    expect(bench.subscribe().status).toBe(481);
    bench.take(bench.notifier.setMode('active', bench.nowMs));
    bench.wait(60_000);
    expect(bench.story()).toEqual([]);
    expect(bench.notifier.expiresAtMs).toBeUndefined();
  });

  test('shows itself to operators', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.press('1');
    expect(bench.notifier.subscriptions).toEqual([
      {
        id: '',
        state: 'active',
        expiresAtMs: 8_200_000,
        persist: 'persist',
        isReverse: false,
        waitingNotifies: 1,
        oddities: [],
      },
    ]);
  });
});

describe('several subscriptions', () => {
  test('are told apart by id and both get the key', () => {
    const bench = new NotifierBench();
    bench.subscribe(EVERY_KEY, { event: 'kpml;id=1' });
    bench.subscribe(documentOf('persist="persist"', '5'), { event: 'kpml;id=2' });
    bench.wait(100);
    bench.press('5');
    expect(bench.notifies.map(({ event, digits }) => [event, digits])).toEqual([
      ['kpml;id=1', undefined],
      ['kpml;id=2', undefined],
      ['kpml;id=1', '5'],
      ['kpml;id=2', '5'],
    ]);
  });

  test('a press counts as dropped only when none of them reports it', () => {
    const bench = new NotifierBench();
    bench.subscribe(documentOf('persist="persist"', '1'), { event: 'kpml;id=1' });
    bench.subscribe(documentOf('persist="persist"', '2'), { event: 'kpml;id=2' });
    bench.press('123', 100);
    expect(bench.digits).toBe('12');
    expect(bench.drops).toEqual([{ pressId: '3:3', reason: 'no-match' }]);
  });

  test('the ninth is refused with 533, the others stay', () => {
    const bench = new NotifierBench();
    for (let id = 1; id <= 9; id += 1) {
      expect(bench.subscribe(EVERY_KEY, { event: `kpml;id=${id}` }).status).toBe(200);
    }
    expect(bench.notifies.at(-1)).toMatchObject({
      id: '9',
      state: 'terminated;reason=rejected',
      code: 533,
    });
    expect(bench.notifier.subscriptions).toHaveLength(8);
  });

  test('the same id with a new document replaces the old one', () => {
    const bench = new NotifierBench();
    bench.subscribe(EVERY_KEY, { event: 'kpml;id=1' });
    bench.subscribe(documentOf('persist="persist"', '#'), { event: 'kpml;id=1' });
    expect(bench.pressed('1#')).toEqual(['active', 'active', 'active 200 "#"']);
  });

  test('reverse ones hear the keys of their own party only', () => {
    const bench = new NotifierBench();
    const reverse = EVERY_KEY.replace('<pattern', '<stream><reverse/></stream><pattern');
    bench.subscribe(reverse);
    bench.wait(100);
    bench.down('1');
    bench.down('2', true);
    expect(bench.story()).toEqual(['active', 'active 200 "2"']);
    expect(bench.drops).toEqual([{ pressId: '1:1', reason: 'no-subscription' }]);
    expect(bench.notifier.subscriptions[0]?.isReverse).toBe(true);
  });
});

describe('before the mode is known', () => {
  test('a subscription is pending and hears nothing', () => {
    const bench = pendingBench();
    expect(bench.notifies).toMatchObject([{ state: 'pending', expiresSeconds: 7200, body: '' }]);
    bench.press('1');
    expect(bench.drops).toEqual([{ pressId: '1:1', reason: 'no-subscription' }]);
  });

  test('it becomes active and does not get the keys from before', () => {
    const bench = pendingBench();
    bench.press('1');
    bench.take(bench.notifier.setMode('active', bench.nowMs));
    expect(bench.pressed('2')).toEqual(['pending', 'active', 'active 200 "2"']);
  });

  test.each([
    ['are not translated on this leg', 'refused', 'rejected'],
    [
      'are reported by the other leg itself: to subscribe anew is the way',
      'relayed',
      'deactivated',
    ],
  ] as const)('it ends when keys %s', (_what, mode, reason) => {
    const bench = pendingBench();
    bench.take(bench.notifier.setMode(mode, bench.nowMs));
    expect(bench.story()).toEqual(['pending', `terminated;reason=${reason}`]);
    expect(bench.subscribe().status).toBe(489);
    expect(bench.notifier.subscriptions).toEqual([]);
  });

  test('an active subscription does not fall back', () => {
    const bench = new NotifierBench();
    bench.subscribe();
    bench.take(bench.notifier.setMode('pending', bench.nowMs));
    expect(bench.pressed('1')).toEqual(['active', 'active 200 "1"']);
  });
});

describe('keys outside', () => {
  test('a key before the SUBSCRIBE is never delivered', () => {
    const bench = new NotifierBench();
    bench.press('1');
    bench.subscribe();
    expect(bench.pressed('2')).toEqual(['active', 'active 200 "2"']);
    expect(bench.drops).toEqual([{ pressId: '1:1', reason: 'no-subscription' }]);
  });

  test('the flash is a key only where that is configured', () => {
    const document = documentOf('persist="persist"', 'R');
    const without = new NotifierBench();
    without.subscribe(document);
    expect(without.pressed('R')).toEqual(['active']);
    expect(without.drops).toEqual([{ pressId: '1:R', reason: 'no-match' }]);
    const bench = new NotifierBench({ flash: true });
    bench.subscribe(document);
    expect(bench.pressed('R')).toEqual(['active', 'active 200 "R"']);
  });
});
