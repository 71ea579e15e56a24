import { describe, expect, test } from 'vitest';
import { responseOf, SubscriberBench } from './kpml-subscriber-bench.ts';

describe('the usual subscription', () => {
  test('asks for every key, one at a time, in the enclosing dialog', () => {
    const bench = new SubscriberBench().start();
    expect(bench.subscribes).toEqual([
      {
        atMs: bench.startMs,
        headers: {
          Event: 'kpml',
          Expires: '7200',
          Accept: 'application/kpml-response+xml',
          'Content-Type': 'application/kpml-request+xml',
        },
        body:
          '<?xml version="1.0" encoding="UTF-8"?>\n' +
          '<kpml-request xmlns="urn:ietf:params:xml:ns:kpml-request" version="1.0"><pattern persist="persist" ' +
          'interdigittimer="7260000"><regex tag="dtmf">[x*#ABCD]</regex></pattern></kpml-request>',
      },
    ]);
  });

  test('names the dialog and asks for the flash where that is configured', () => {
    const eventParameters = { callId: 'c@h', localTag: 'theirs', remoteTag: 'ours' };
    const bench = new SubscriberBench({
      flash: true,
      expiresSeconds: 600,
      eventParameters,
    }).start();
    expect(bench.subscribes[0]?.headers['Event']).toBe(
      'kpml;call-id="c@h";local-tag=theirs;remote-tag=ours',
    );
    expect(bench.subscribes[0]?.body).toContain('interdigittimer="660000"');
    expect(bench.subscribes[0]?.body).toContain('[x*#ABCDR]');
  });

  test('runs from SUBSCRIBE over NOTIFY to digits', () => {
    const bench = new SubscriberBench();
    expect(bench.subscriber.state).toBe('idle');
    bench.start();
    expect(bench.subscriber.state).toBe('subscribing');
    bench.answer(200, { expires: '7200' });
    expect(bench.subscriber.state).toBe('confirming');
    expect(bench.notify('active;expires=7200')).toBe(200);
    expect(bench.subscriber.state).toBe('active');
    expect(bench.notify('active', responseOf('1'))).toBe(200);
    expect(bench.notify('active', responseOf('2'))).toBe(200);
    expect(bench.story()).toEqual(['SUBSCRIBE 7200', 'active: notified', '"1"', '"2"']);
  });

  test('hands on the CSeq and what the peer lost', () => {
    const bench = new SubscriberBench().active();
    const notify = {
      event: 'kpml',
      subscriptionState: 'active',
      contentType: 'application/kpml-response+xml',
      body: Buffer.from(responseOf('5', '200', ' forced_flush="true"')),
      cseq: 777,
    };
    expect(bench.subscriber.receiveNotify(notify, bench.nowMs)).toEqual([
      { type: 'respond', status: 200, headers: {} },
      { type: 'digits', digits: ['5'], notifyCSeq: 777, isForcedFlush: true },
    ]);
  });

  test('202 is 200', () => {
    const bench = new SubscriberBench().start().answer(202);
    expect(bench.subscriber.state).toBe('confirming');
  });

  test('a NOTIFY may overtake the 200', () => {
    const bench = new SubscriberBench().start();
    expect(bench.notify('active;expires=600', responseOf('12'))).toBe(200);
    bench.answer(200, { expires: '7200' });
    expect(bench.subscriber.state).toBe('active');
    expect(bench.story()).toEqual(['SUBSCRIBE 7200', '"12"', 'active: notified']);
    bench.wait(600_000);
    expect(bench.subscribes).toHaveLength(2);
  });

  test('pending is alive, but not told as active', () => {
    const bench = new SubscriberBench().start().answer(200);
    bench.notify('pending;expires=7200');
    expect(bench.subscriber.state).toBe('active');
    expect(bench.story()).toEqual(['SUBSCRIBE 7200']);
    bench.notify('active');
    expect(bench.story()).toEqual(['active: notified']);
  });

  test('a second start changes nothing, provisional and stray answers neither', () => {
    const bench = new SubscriberBench();
    bench.answer(200);
    expect(bench.subscriber.state).toBe('idle');
    bench.start().start().answer(100);
    expect(bench.story()).toEqual(['SUBSCRIBE 7200']);
    bench.answer(200).start().answer(200);
    expect(bench.subscriber.state).toBe('confirming');
  });

  test('expire before its time does nothing', () => {
    const bench = new SubscriberBench().active();
    expect(bench.subscriber.expire(bench.nowMs)).toEqual([]);
    expect(new SubscriberBench().subscriber.expire(0)).toEqual([]);
  });
});

describe('digits', () => {
  test.each([
    ['one', responseOf('1'), ['"1"']],
    ['four', responseOf('1234'), ['"1234"']],
    ['every key in both cases', responseOf('0123456789*#ABCDabcd'), ['"0123456789*#ABCDABCD"']],
    ['a backspace', responseOf('bs'), ['unknown-character "bs"']],
    ['a plus', responseOf('+49'), ['"49"', 'unknown-character "+"']],
    ['a flash', responseOf('1R2'), ['"12"', 'flash-disabled "R"']],
    ['empty', responseOf(''), []],
    ['missing', responseOf(undefined), []],
    ['an unknown success', responseOf('1', '299'), ['"1"']],
    ['an unknown failure', responseOf('1', '599'), []],
    ['a provisional code', responseOf('1', '100'), []],
    ['idle 423', responseOf('', '423'), []],
    ['402 with keys told before', responseOf('12', '402'), []],
  ])('%s', (_name, body, story) => {
    const bench = new SubscriberBench().active();
    expect(bench.notify('active', body)).toBe(200);
    expect(bench.story()).toEqual(story);
    expect(bench.subscriber.state).toBe('active');
  });

  test('the flash is a digit where that is configured', () => {
    const bench = new SubscriberBench({ flash: true }).active();
    bench.notify('active', responseOf('1R'));
    expect(bench.story()).toEqual(['"1R"']);
  });

  test('500 digits in one body are handed on as they are', () => {
    const bench = new SubscriberBench().active();
    bench.notify('active', responseOf('1'.repeat(500)));
    expect(bench.digits[0]).toHaveLength(500);
  });
});

describe('what a NOTIFY is answered', () => {
  const body = responseOf('1');

  test.each([
    ['another package', { event: 'presence' }, 489],
    ['unsolicited telephone-event', { event: 'telephone-event' }, 489],
    ['no Event', { event: undefined }, 489],
    ['an id we do not have', { event: 'kpml;id=9' }, 481],
    ['foreign parameters', { event: 'kpml;call-id=x' }, 200],
    ['unreadable Event', { event: 'kpml;' }, 400],
    ['no Subscription-State', { subscriptionState: undefined }, 400],
    ['unreadable Subscription-State', { subscriptionState: 'active;expires=x' }, 400],
    ['another Content-Type', { contentType: 'text/plain' }, 415],
    ['no Content-Type', { contentType: undefined }, 415],
    ['a cut body', { body: Buffer.from(body.slice(0, 30)) }, 400],
    ['a document type', { body: Buffer.from(`<!DOCTYPE k>${body}`) }, 400],
    ['too long a body', { body: Buffer.alloc(17_000, 0x20) }, 413],
    ['a foreign namespace', { body: Buffer.from(body.replace(' ', ' xmlns="urn:x" ')) }, 400],
  ])('%s', (_name, more, status) => {
    const bench = new SubscriberBench().active();
    expect(bench.notify('active', body, more)).toBe(status);
    expect(bench.digits).toEqual(status === 200 ? ['1'] : []);
    expect(bench.subscriber.state).toBe('active');
  });

  test('415 says what is understood', () => {
    const bench = new SubscriberBench().active();
    bench.notify('active', body, { contentType: 'text/plain' });
    expect(bench.responses.at(-1)?.headers).toEqual({ Accept: 'application/kpml-response+xml' });
  });

  test('a missing Subscription-State is active where that is configured', () => {
    const bench = new SubscriberBench({ tolerateMissingState: true }).active();
    expect(bench.notify('', body, { subscriptionState: undefined })).toBe(200);
    expect(bench.digits).toEqual(['1']);
  });

  test('without a subscription it is 481', () => {
    const bench = new SubscriberBench();
    expect(bench.notify('active', body)).toBe(481);
    expect(bench.notify('active', body, { event: 'presence' })).toBe(489);
    bench.start().answer(489);
    expect(bench.notify('active', body)).toBe(481);
    expect(bench.digits).toEqual([]);
  });

  test.each([
    ['the same CSeq again', 200, 200, 500],
    ['a lower CSeq', 12, 11, 500],
    ['a gap', 12, 15, 200],
  ])('%s', (_name, first, second, status) => {
    const bench = new SubscriberBench().start().answer(200);
    expect(bench.notify('active', responseOf('1'), { cseq: first })).toBe(200);
    expect(bench.notify('active', responseOf('2'), { cseq: second })).toBe(status);
    expect(bench.digits).toEqual(status === 200 ? ['1', '2'] : ['1']);
  });

  test('a refused NOTIFY uses up its CSeq', () => {
    const bench = new SubscriberBench().active();
    bench.notify('active', '', { cseq: 900, event: 'presence' });
    expect(bench.notify('active', body, { cseq: 900 })).toBe(500);
  });
});

describe('a flood of NOTIFYs', () => {
  test('50 at once pass, the excess is refused and counted, its digits are not played', () => {
    const bench = new SubscriberBench().active();
    bench.wait(10_000);
    const statuses = Array.from({ length: 60 }, () => bench.notify('active', responseOf('1')));
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(bench.digits).toHaveLength(50);
    expect(bench.responses.at(-1)).toEqual({ status: 500, headers: { 'Retry-After': '1' } });
    expect(bench.story().at(-1)).toBe('rate-limited ""');
  });

  test('25 each second pass for ever', () => {
    const bench = new SubscriberBench().active();
    for (let i = 0; i < 500; i += 1) {
      bench.wait(40);
      expect(bench.notify('active', responseOf('1'))).toBe(200);
    }
  });

  test('the allowance comes back', () => {
    const bench = new SubscriberBench().active();
    for (let i = 0; i < 60; i += 1) bench.notify('active', responseOf('1'));
    bench.wait(1000);
    const statuses = Array.from({ length: 30 }, () => bench.notify('active', responseOf('1')));
    expect(statuses.filter((status) => status === 200)).toHaveLength(25);
  });
});
