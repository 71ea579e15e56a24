import { describe, expect, test } from 'vitest';
import { documentOf, NotifierBench } from './kpml-notifier-bench.ts';

function subscribed(attributes: string, ...regexes: string[]): NotifierBench {
  const bench = new NotifierBench();
  bench.subscribe(documentOf(attributes, ...regexes));
  bench.wait(100);
  bench.story();
  return bench;
}

const persist = (attributes: string, ...regexes: string[]): NotifierBench =>
  subscribed(`persist="persist" ${attributes}`, ...regexes);

describe('one report only', () => {
  test('one-shot ends with its report', () => {
    const bench = subscribed('', 'x{4}');
    bench.press('4336', 100);
    expect(bench.story()).toEqual(['terminated 200 "4336"']);
    bench.press('1');
    expect(bench.drops).toEqual([{ pressId: '5:1', reason: 'no-subscription' }]);
  });

  test('an unknown persist counts as one-shot and is noted', () => {
    const bench = subscribed('persist="Persist"', 'x');
    expect(bench.notifier.subscriptions[0]).toMatchObject({
      persist: 'one-shot',
      oddities: ['unknown-persist'],
    });
    expect(bench.pressed('1')).toEqual(['terminated 200 "1"']);
  });

  test.each([
    ['an enter key without match', 'enterkey="#"', '1#', 'terminated 402 "1"'],
    ['an inter-digit timeout', 'interdigittimer="50"', '1', 'terminated 423 "1"'],
  ])('one-shot ends with %s', (_name, attributes, keys, report) => {
    expect(subscribed(attributes, 'x{4}').pressed(keys)).toEqual([report]);
  });

  test('a wrong key does not end one-shot', () => {
    expect(subscribed('', 'x{2}').pressed('1#23')).toEqual(['terminated 200 "23"']);
  });

  test('one-shot loses the keys behind its match', () => {
    const bench = subscribed('', '0', '011');
    bench.press('01');
    bench.wait(1000);
    expect(bench.story()).toEqual(['terminated 200 "0"']);
    expect(bench.drops).toEqual([{ pressId: '2:1', reason: 'subscription-ended' }]);
  });

  test('single-notify holds the second match for the next document', () => {
    const bench = subscribed('persist="single-notify"', 'x{2}');
    expect(bench.pressed('1234')).toEqual(['active 200 "12"']);
    bench.subscribe(documentOf('persist="single-notify"', 'x{2}'));
    expect(bench.story()).toEqual(['active 200 "34"']);
  });

  test('kept keys that match nothing empty the buffer', () => {
    const bench = subscribed('persist="single-notify"', 'x');
    bench.press('1##', 100);
    bench.subscribe(documentOf('persist="single-notify"', 'x'));
    expect(bench.pressed('5')).toEqual(['active 200 "1"', 'active', 'active 200 "5"']);
    expect(bench.drops.map(({ reason }) => reason)).toEqual(['no-match', 'no-match']);
  });

  test('flush drops the kept keys', () => {
    const bench = subscribed('persist="single-notify"', 'x{2}');
    bench.press('1234', 100);
    bench.subscribe(documentOf('persist="single-notify"', '<flush>yes</flush>', 'x{2}'));
    expect(bench.pressed('')).toEqual(['active 200 "12"', 'active']);
    expect(bench.drops.map(({ pressId }) => pressId)).toEqual(['3:3', '4:4']);
    bench.subscribe(documentOf('', '<flush>yes</flush>', 'x'));
    expect(bench.drops).toHaveLength(2);
  });

  test('keys typed so far run over a new document', () => {
    const bench = persist('', 'x{4}');
    bench.press('12', 100);
    bench.subscribe(documentOf('persist="persist"', 'x{3}'));
    expect(bench.pressed('3')).toEqual(['active', 'active 200 "123"']);
  });
});

describe('the buffer', () => {
  test('keeps 64 keys, the oldest give way and the next report says so', () => {
    const bench = subscribed('persist="single-notify"', '#');
    bench.press('#' + '1'.repeat(60) + '23456789', 10);
    expect(bench.story()).toEqual(['active 200 "#"']);
    expect(bench.drops).toHaveLength(4);
    expect(bench.drops[0]).toEqual({ pressId: '2:1', reason: 'buffer-overflow' });
    bench.subscribe(documentOf('persist="persist"', '1{3}', 'x'));
    bench.wait(10_000);
    expect(bench.notifies[0]).toMatchObject({ digits: '111', isForcedFlush: true });
    expect(bench.notifies[1]?.isForcedFlush).toBe(false);
    expect(bench.digits).toBe('1'.repeat(56) + '23456789');
  });

  test('an entry longer than the buffer slides', () => {
    const bench = persist('enterkey="#"', 'x.');
    bench.press('1'.repeat(70), 10);
    // A match that waits for more is complete when the buffer is full.
    expect(bench.story()).toEqual([`active 200 "${'1'.repeat(64)}"`]);
    const partial = persist('', 'x{65}');
    partial.press('1'.repeat(70), 10);
    expect(partial.drops).toHaveLength(6);
    partial.wait(4000);
    expect(partial.notifies[0]).toMatchObject({ code: 423, isForcedFlush: true });
  });

  test('a huge document over many kept keys is worked off in pieces, in order', () => {
    const bench = subscribed('persist="single-notify"', '#');
    bench.press('#' + '12'.repeat(30), 10);
    bench.subscribe(documentOf('persist="persist"', ...Array(9).fill('[3-9]{,1000}#'), 'x{2}'));
    // The rest is due at once, but not within the same call.
    expect(bench.notifier.expiresAtMs).toBe(bench.nowMs);
    expect(bench.notifier.subscriptions[0]?.waitingNotifies).toBeLessThan(10);
    bench.press('34', 10);
    bench.wait(10_000);
    expect(bench.digits).toBe(`#${'12'.repeat(30)}34`);
  });
});

describe('long keys', () => {
  test('a key that is down does not hold up kept keys', () => {
    const bench = subscribed('persist="single-notify"', '#');
    bench.press('#' + '1'.repeat(60), 10);
    const huge = Array(9).fill('[3-9]{,1000}#');
    bench.subscribe(documentOf('persist="persist" long="60000"', ...huge, '1', 'L2'));
    const pressId = bench.down('2');
    bench.wait(10_000);
    bench.up(pressId, 10_000);
    bench.wait(100);
    expect(bench.digits).toBe(`#${'1'.repeat(60)}2`);
  });

  const both = ['<regex tag="long">L*</regex>', '<regex tag="short">*</regex>', '#'];

  test('a short key is reported at its release', () => {
    const bench = persist('', ...both);
    const pressId = bench.down('*');
    bench.wait(2000);
    expect(bench.notifies).toEqual([]);
    bench.up(pressId, 2000);
    expect(bench.notifies).toMatchObject([{ digits: '*', tag: 'short' }]);
  });

  test('a long key is reported at the threshold, its release is nothing', () => {
    const bench = persist('', ...both);
    const pressId = bench.down('*');
    bench.wait(2499);
    expect(bench.notifies).toEqual([]);
    bench.wait(1);
    expect(bench.notifies).toMatchObject([{ digits: '*', tag: 'long' }]);
    bench.wait(500);
    bench.up(pressId, 3000);
    expect(bench.notifies).toHaveLength(1);
  });

  test('the duration of the event decides at its release', () => {
    const bench = persist('long="100"', ...both);
    bench.up(bench.down('*'), 100);
    bench.up(bench.down('*'), 101);
    bench.wait(100);
    expect(bench.notifies).toMatchObject([{ tag: 'short' }, { tag: 'long' }]);
  });

  test('a key that is still down when the next comes counts as short', () => {
    const bench = persist('', ...both);
    const first = bench.down('*');
    bench.wait(100);
    bench.up(bench.down('#'), 50);
    bench.up(first, 200);
    bench.wait(100);
    expect(bench.story()).toEqual(['active 200 "*"', 'active 200 "#"']);
  });

  test('timers rest while a key is down', () => {
    const bench = persist('long="5000" interdigittimer="1000"', '1L2', '12');
    bench.up(bench.down('1'), 50);
    bench.wait(900);
    const pressId = bench.down('2');
    bench.wait(3000);
    expect(bench.story()).toEqual([]);
    bench.up(pressId, 3000);
    expect(bench.story()).toEqual(['active 200 "12"']);
  });

  test('a key that is down when the subscription ends belongs to its last NOTIFY', () => {
    const bench = persist('', ...both);
    bench.down('*');
    bench.subscribe('', { expires: '0' });
    expect(bench.story()).toEqual(['terminated;reason=timeout 487 "*"']);
  });

  test('a key that is down when a new document comes runs over the old one', () => {
    const bench = persist('', ...both);
    bench.down('*');
    bench.subscribe(documentOf('persist="persist"', 'x'));
    bench.wait(100);
    expect(bench.story()).toEqual(['active 200 "*"']);
  });
});
