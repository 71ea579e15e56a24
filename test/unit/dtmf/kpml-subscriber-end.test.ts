import { describe, expect, test } from 'vitest';
import { responseOf, SubscriberBench } from './kpml-subscriber-bench.ts';

describe('NOTIFY terminated', () => {
  test.each([
    ['deactivated', 'terminated;reason=deactivated', 0],
    ['timeout', 'terminated;reason=timeout', 0],
    ['no reason', 'terminated', 0],
    ['unknown reason', 'terminated;reason=moon', 0],
    ['expires, which means nothing', 'terminated;reason=timeout;expires=100', 0],
    ['timeout with retry-after', 'terminated;reason=timeout;retry-after=7', 7],
    ['probation', 'terminated;reason=probation', 30],
    ['probation with retry-after', 'terminated;reason=probation;retry-after=5', 5],
    ['giveup', 'terminated;reason=giveup', 30],
    ['giveup with retry-after', 'terminated;reason=giveup;retry-after=90', 90],
    ['an endless retry-after', 'terminated;retry-after=4000000000', 86_400],
  ])('%s: new SUBSCRIBE after the pause', (_name, state, seconds) => {
    const bench = new SubscriberBench().active();
    expect(bench.notify(state)).toBe(200);
    expect(bench.subscriber.expiresAtMs).toBe(
      seconds === 0 ? undefined : bench.startMs + seconds * 1000,
    );
    bench.waitForTimer();
    expect(bench.story()).toEqual(['SUBSCRIBE 7200']);
  });

  test.each(['rejected', 'noresource', 'invariant'])('%s is final', (reason) => {
    const bench = new SubscriberBench().active();
    bench.notify(`terminated;reason=${reason};retry-after=1`);
    bench.wait(86_400_000);
    expect(bench.story()).toEqual([`failed: ${reason}`]);
  });

  test.each([
    ['481', 'failed: kpml-481'],
    ['501', 'failed: kpml-501'],
    ['531', 'failed: kpml-531'],
  ])('KPML %s without reason is final', (code, story) => {
    const bench = new SubscriberBench().active();
    bench.notify('terminated', responseOf(undefined, code));
    expect(bench.story()).toEqual([story]);
  });

  test('KPML 487 ends it, whatever the state says', () => {
    const bench = new SubscriberBench().active();
    bench.notify('active', responseOf('', '487'));
    expect(bench.story()).toEqual(['SUBSCRIBE 7200']);
    const other = new SubscriberBench().active();
    other.notify('terminated;reason=timeout', responseOf('', '487'));
    expect(other.story()).toEqual(['SUBSCRIBE 7200']);
  });

  test('a one-shot peer is asked again at once, as often as digits come', () => {
    const bench = new SubscriberBench().active();
    for (const digit of '1234567890') {
      expect(bench.notify('terminated', responseOf(digit))).toBe(200);
      bench.answer(200);
      bench.notify('active');
    }
    expect(bench.digits.join('')).toBe('1234567890');
    expect(bench.subscribes).toHaveLength(11);
  });

  test('five ends in a row without a digit are the limit', () => {
    const bench = new SubscriberBench().active();
    for (let round = 0; round < 8 && bench.subscriber.state !== 'failed'; round += 1) {
      bench.notify('terminated');
      bench.answer(200);
      bench.notify('active');
    }
    expect(bench.subscribes).toHaveLength(6);
    expect(bench.story()).toContain('failed: ends without digits');
    bench.start();
    expect(bench.subscriber.state).toBe('subscribing');
  });

  test('a bad body does not hide that it is over', () => {
    const bench = new SubscriberBench().active();
    expect(bench.notify('terminated', 'junk')).toBe(400);
    expect(bench.story()).toEqual(['SUBSCRIBE 7200']);
  });

  test('before the 200 to the first SUBSCRIBE: the next one follows the 200', () => {
    const bench = new SubscriberBench().start();
    bench.notify('terminated', responseOf('1'));
    expect(bench.story()).toEqual(['SUBSCRIBE 7200', '"1"']);
    bench.answer(200);
    expect(bench.story()).toEqual(['SUBSCRIBE 7200']);
  });

  test('before the answer to a refresh: the next one follows whatever the answer is', () => {
    for (const status of [200, 481, 503]) {
      const bench = new SubscriberBench().active().wait(5_940_000);
      bench.notify('terminated;reason=probation;retry-after=3');
      bench.answer(status);
      expect(bench.subscriber.state).toBe('resting');
      bench.wait(3000);
      expect(bench.story()).toEqual(['SUBSCRIBE 7200', 'SUBSCRIBE 7200']);
    }
  });

  test('while resting nothing more can end, digits are still taken', () => {
    const bench = new SubscriberBench().active();
    bench.notify('terminated;reason=giveup');
    bench.notify('terminated;reason=rejected', responseOf('1'));
    bench.notify('active');
    expect(bench.subscriber.state).toBe('resting');
    expect(bench.story()).toEqual(['"1"']);
  });
});

describe('stopping', () => {
  test('sends Expires 0 without a body and ends with the last NOTIFY', () => {
    const bench = new SubscriberBench().active().stop();
    expect(bench.subscribes.at(-1)).toMatchObject({
      body: '',
      headers: { Event: 'kpml', Expires: '0', Accept: 'application/kpml-response+xml' },
    });
    expect(bench.subscribes.at(-1)?.headers).not.toHaveProperty('Content-Type');
    bench.answer(200).answer(200);
    expect(bench.subscriber.state).toBe('unsubscribing');
    bench.notify('active', responseOf('1'));
    expect(bench.notify('terminated;reason=timeout', responseOf('2', '487'))).toBe(200);
    expect(bench.story()).toEqual(['SUBSCRIBE 0', 'ended: stopped']);
    expect(bench.notify('terminated')).toBe(200);
    expect(bench.digits).toEqual([]);
    expect(bench.stop().story()).toEqual([]);
  });

  test('the last NOTIFY may overtake the 200', () => {
    const bench = new SubscriberBench().active().stop();
    bench.notify('terminated;reason=timeout');
    bench.answer(200);
    expect(bench.story()).toEqual(['SUBSCRIBE 0', 'ended: stopped']);
  });

  test('ends without the last NOTIFY after 32 s, or with an error', () => {
    const bench = new SubscriberBench().active().stop().answer(200).wait(32_000);
    expect(bench.story()).toEqual(['SUBSCRIBE 0', 'ended: stopped']);
    const refused = new SubscriberBench().active().stop().answer(481);
    expect(refused.story()).toEqual(['SUBSCRIBE 0', 'ended: stopped']);
  });

  test('before the answer to the first SUBSCRIBE waits for it', () => {
    const bench = new SubscriberBench().start().stop();
    expect(bench.story()).toEqual(['SUBSCRIBE 7200']);
    bench.answer(200);
    expect(bench.story()).toEqual(['SUBSCRIBE 0']);
    const refused = new SubscriberBench().start().stop().answer(489);
    expect(refused.story()).toEqual(['SUBSCRIBE 7200', 'ended: stopped']);
  });

  test('during a refresh the subscription is ended even when the refresh fails', () => {
    const bench = new SubscriberBench().active().wait(5_940_000).stop().answer(503);
    expect(bench.story()).toEqual(['SUBSCRIBE 7200', 'SUBSCRIBE 0']);
    const over = new SubscriberBench().active().wait(5_940_000).stop();
    over.notify('terminated');
    over.answer(481);
    expect(over.story()).toEqual(['SUBSCRIBE 7200', 'ended: stopped']);
  });

  test('between NOTIFYs, while confirming and while resting', () => {
    expect(new SubscriberBench().start().answer(200).stop().story().at(-1)).toBe('SUBSCRIBE 0');
    const resting = new SubscriberBench().active();
    resting.notify('terminated;reason=giveup');
    expect(resting.stop().story()).toEqual(['ended: stopped']);
    expect(new SubscriberBench().stop().subscriber.state).toBe('idle');
  });

  test('a start meanwhile subscribes again once the old one is over', () => {
    const bench = new SubscriberBench().active().stop().start();
    bench.answer(200);
    bench.notify('terminated;reason=timeout');
    expect(bench.story()).toEqual(['SUBSCRIBE 0', 'SUBSCRIBE 7200']);
    const changed = new SubscriberBench().active().stop().start().stop();
    changed.answer(481);
    expect(changed.story()).toEqual(['SUBSCRIBE 0', 'ended: stopped']);
    const queued = new SubscriberBench().start().stop().start().answer(200).answer(481);
    expect(queued.story()).toEqual(['SUBSCRIBE 7200', 'SUBSCRIBE 0', 'SUBSCRIBE 7200']);
  });

  test('can be followed by a new start', () => {
    const bench = new SubscriberBench().active().stop().answer(481).start();
    bench.answer(200);
    bench.notify('active');
    expect(bench.story()).toEqual([
      'SUBSCRIBE 0',
      'ended: stopped',
      'SUBSCRIBE 7200',
      'active: notified',
    ]);
  });
});

describe('the end of the dialog', () => {
  test('stops everything, late NOTIFYs are answered 200', () => {
    const bench = new SubscriberBench().active().abandon();
    expect(bench.story()).toEqual(['ended: dialog over']);
    expect(bench.notify('terminated;reason=noresource', responseOf('1'))).toBe(200);
    expect(bench.notify('active', '', { event: 'presence' })).toBe(489);
    bench.start().stop().abandon().answer(200).wait(86_400_000);
    expect(bench.story()).toEqual([]);
    expect(bench.subscriber.expiresAtMs).toBeUndefined();
  });

  test('with the first SUBSCRIBE out: late answers and NOTIFYs come to nothing', () => {
    const bench = new SubscriberBench().start().abandon().answer(200);
    expect(bench.notify('active', responseOf('1'))).toBe(481);
    expect(bench.digits).toEqual([]);
  });

  test('before any subscription, or after one failed', () => {
    expect(new SubscriberBench().abandon().notify()).toBe(481);
    expect(new SubscriberBench().start().answer(489).abandon().notify()).toBe(481);
  });
});
