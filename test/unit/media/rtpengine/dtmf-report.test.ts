import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DtmfReport, parseDtmfReport } from '../../../../src/media/rtpengine/dtmf-report.ts';
import { OwnReports } from '../../../../src/media/rtpengine/own-reports.ts';
import { ReportCopies } from '../../../../src/media/rtpengine/report-copies.ts';

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

function parse(change: object): DtmfReport | undefined {
  return parseDtmfReport(Buffer.from(JSON.stringify({ ...REPORT, ...change })));
}

describe('a report of a digit', () => {
  test('says whose key it was, and how long', () => {
    expect(parse({})).toEqual({
      engineCallId: 'c1:0~1',
      side: 'caller',
      eventCode: 7,
      durationMs: 100,
      text: JSON.stringify(REPORT),
      isDated: true,
    });
  });

  test.each([
    ['no time stamp', { timestamp: undefined }],
    ['a time stamp that is no number', { timestamp: 'noon' }],
  ])('%s is no harm', (_name, change) => {
    expect(parse(change)).toMatchObject({ eventCode: 7, isDated: false });
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

  test.each([
    ['its length: it is played', 100, false],
    ['no length: there is no coder for it', 0, true],
  ])('is reported with %s', (_name, durationMs, isVoid) => {
    const own = new OwnReports();
    const expected = own.expect(digit, 0);
    expect(own.isOwn({ ...digit, durationMs }, 1)).toBe(true);
    expect(expected.isVoid).toBe(isVoid);
  });

  test('is not waited for longer than two seconds', () => {
    const own = new OwnReports();
    own.expect(digit, 0);
    expect(own.isOwn(digit, 2001)).toBe(false);
  });
});

/** When a report comes, and what differs in it. */
type Arrival = readonly [atMs: number, change: object];

/** Whether each is taken for a copy. */
function copies(...arrivals: readonly Arrival[]): boolean[] {
  const seen = new ReportCopies();
  return arrivals.map(([atMs, change]) => {
    const report = parse(change);
    if (report === undefined) throw new Error('no report');
    return seen.isCopy(report, atMs);
  });
}

describe('a report that comes twice', () => {
  const NEXT_SECOND = { timestamp: REPORT.timestamp + 1 };

  test.each<[string, readonly Arrival[], boolean[]]>([
    [
      'at once',
      [
        [0, {}],
        [0.1, {}],
      ],
      [false, true],
    ],
    [
      'with no length',
      [
        [0, { duration: 0 }],
        [0.1, { duration: 0 }],
      ],
      [false, true],
    ],
    [
      'five times over',
      [
        [0, {}],
        [1, {}],
        [2, {}],
        [3, {}],
        [4, {}],
      ],
      [false, true, true, true, true],
    ],
    [
      'when its second is long over',
      [
        [0, {}],
        [1500, {}],
        [3200, {}],
      ],
      [false, true, true],
    ],
  ])('%s counts once', (_name, arrivals, expected) => {
    expect(copies(...arrivals)).toEqual(expected);
  });

  test.each<[string, readonly Arrival[]]>([
    [
      'the same key again, as fast as machines dial',
      [
        [0, { duration: 20 }],
        [40, { duration: 20 }],
        [80, { duration: 20 }],
      ],
    ],
    [
      'the same key again, whose first end packet the network held up',
      [
        [0, {}],
        [25, {}],
      ],
    ],
    [
      'the same key in the next second',
      [
        [0, {}],
        [1, NEXT_SECOND],
      ],
    ],
    [
      'another key between, all in one burst',
      [
        [0, {}],
        [1, { event: 6 }],
        [2, {}],
      ],
    ],
    [
      'the same key of both sides',
      [
        [0, {}],
        [0, { source_tag: 'callee' }],
      ],
    ],
    [
      'reports without a time stamp',
      [
        [0, { timestamp: undefined }],
        [1700, { timestamp: undefined }],
      ],
    ],
  ])('%s: each is a press', (_name, arrivals) => {
    expect(copies(...arrivals)).toEqual(arrivals.map(() => false));
  });
});
