import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDtmfReport } from '../../../../src/media/rtpengine/dtmf-report.ts';
import { OwnReports } from '../../../../src/media/rtpengine/own-reports.ts';
import { RelayedDurations } from '../../../../src/media/rtpengine/relayed-durations.ts';

const REPORT = {
  callid: 'c1:0~1',
  source_tag: 'caller',
  tags: ['caller', 'callee'],
  type: 'DTMF',
  timestamp: 1_795_356_550,
  source_ip: '192.0.2.9',
  event: 7,
  duration: 100,
  volume: 10,
};

function parse(change: object): ReturnType<typeof parseDtmfReport> {
  return parseDtmfReport(Buffer.from(JSON.stringify({ ...REPORT, ...change })));
}

describe('a report of a digit', () => {
  test('says whose key it was, and how long', () => {
    expect(parse({})).toEqual({
      engineCallId: 'c1:0~1',
      side: 'caller',
      eventCode: 7,
      durationMs: 100,
    });
  });

  test.each([
    ['a tag that is not ours', { source_tag: 'A' }],
    ['an event that is no key', { event: 17 }],
    ['an event with a fraction', { event: 1.5 }],
    ['a negative length', { duration: -1 }],
    ['a length in words', { duration: 'long' }],
    ['another type', { type: 'MOS' }],
    ['no call', { callid: '' }],
    ['a call that is no text', { callid: {} }],
    ['too much of it', { more: 'x'.repeat(5000) }],
  ])('%s is dropped', (_name, change) => {
    expect(parse(change)).toBeUndefined();
  });

  test('a length beyond belief is cut', () => {
    expect(parse({ duration: 4_000_000_000 })?.durationMs).toBe(65_535);
  });

  test('bytes of any kind are dropped without harm', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(parseDtmfReport(Buffer.from(bytes))).toBeUndefined();
      }),
    );
  });
});

describe('a digit that we have played', () => {
  const digit = { side: 'caller', eventCode: 5, durationMs: 100 } as const;

  test('is told from a key once', () => {
    const own = new OwnReports();
    own.expect(digit, 0);
    expect(own.isOwn({ ...digit, eventCode: 6 }, 1)).toBe(false);
    expect(own.isOwn({ ...digit, side: 'callee' }, 1)).toBe(false);
    expect(own.isOwn({ ...digit, durationMs: 120 }, 1)).toBe(false);
    expect(own.isOwn(digit, 1)).toBe(true);
    expect(own.isOwn(digit, 2)).toBe(false);
  });

  test('is not waited for longer than two seconds', () => {
    const own = new OwnReports();
    own.expect(digit, 0);
    expect(own.isOwn(digit, 2001)).toBe(false);
  });
});

describe('events that were passed on', () => {
  test('add up by side', () => {
    const relayed = new RelayedDurations();
    relayed.add('caller', 100, 1);
    relayed.add('caller', 40, 1);
    relayed.add('callee', 7, 2);
    expect([relayed.of('caller'), relayed.of('callee')]).toEqual([140, 7]);
  });

  test('count no more behind a new source or a new coder', () => {
    const relayed = new RelayedDurations();
    relayed.coder('one');
    relayed.add('caller', 100, 1);
    relayed.add('callee', 100, 2);
    relayed.source('caller', 3);
    expect([relayed.of('caller'), relayed.of('callee')]).toEqual([0, 100]);
    relayed.coder('one');
    expect(relayed.of('callee')).toBe(100);
    relayed.coder('two');
    expect(relayed.of('callee')).toBe(0);
  });
});
