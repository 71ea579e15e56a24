import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DIGIT_DROP_REASONS, DigitLedger } from '../../../src/observe/digit-ledger.ts';
import type { DigitOutcome, DigitPress } from '../../../src/observe/digit-ledger.ts';

function press(pressId: string, changes: Partial<DigitPress> = {}): DigitPress {
  return {
    pressId,
    callId: 'call-1',
    direction: 'caller-to-callee',
    digit: '5',
    source: { type: 'rtp', ssrc: 7, rtpTimestamp: 1_600 },
    atMs: 1_000,
    ...changes,
  };
}

function ledgerWithOutcomes(options: { capacity?: number } = {}) {
  const outcomes: DigitOutcome[] = [];
  const ledger = new DigitLedger({ ...options, onOutcome: (outcome) => outcomes.push(outcome) });
  return { ledger, outcomes };
}

describe('records', () => {
  test('a converted digit shows source, output and latency', () => {
    const { ledger, outcomes } = ledgerWithOutcomes();
    ledger.pressed(press('p1'));
    ledger.sent('p1', { type: 'notify', cseq: 12, status: 200, atMs: 1_004.5 });
    expect(ledger.list()).toEqual([
      {
        ...press('p1', { digit: '*' }),
        outputs: [{ type: 'notify', cseq: 12, status: 200, latencyMs: 4.5 }],
      },
    ]);
    expect(outcomes).toEqual([
      { type: 'delivered', from: 'rtp', to: 'notify', latencyMs: 4.5, callId: 'call-1' },
    ]);
  });

  test('a relayed digit has no latency', () => {
    const { ledger, outcomes } = ledgerWithOutcomes();
    ledger.pressed(press('p1'));
    ledger.sent('p1', { type: 'relay' });
    expect(ledger.list()[0]?.outputs).toEqual([{ type: 'relay' }]);
    expect(outcomes).toEqual([{ type: 'delivered', from: 'rtp', to: 'relay', callId: 'call-1' }]);
  });

  test.each(DIGIT_DROP_REASONS)('a digit dropped for %s says so', (reason) => {
    const { ledger, outcomes } = ledgerWithOutcomes();
    ledger.pressed(press('p1', { source: { type: 'notify', cseq: 3 } }));
    ledger.dropped('p1', reason);
    expect(ledger.list()).toMatchObject([{ dropped: reason, outputs: [] }]);
    expect(outcomes).toEqual([{ type: 'dropped', from: 'notify', reason }]);
  });

  test('digits are masked unless allowed', () => {
    const masked = new DigitLedger();
    const open = new DigitLedger({ showDigits: true });
    for (const ledger of [masked, open]) ledger.pressed(press('p1'));
    expect(JSON.stringify(masked.list())).not.toContain('"5"');
    expect(open.list()).toMatchObject([{ digit: '5' }]);
  });

  test('latency is never negative though the clock was set back', () => {
    const ledger = new DigitLedger();
    ledger.pressed(press('p1'));
    ledger.sent('p1', { type: 'rtp', rtpTimestamp: 5, atMs: 900 });
    expect(ledger.list()[0]?.outputs).toEqual([{ type: 'rtp', rtpTimestamp: 5, latencyMs: 0 }]);
  });

  test('are looked up by call', () => {
    const ledger = new DigitLedger();
    ledger.pressed(press('p1'));
    ledger.pressed(press('p2', { callId: 'call-2' }));
    ledger.pressed(press('p3'));
    expect(ledger.list({ callId: 'call-1' }).map((record) => record.pressId)).toEqual(['p1', 'p3']);
    expect(ledger.list({ callId: 'unknown' })).toEqual([]);
    expect(ledger.list({ limit: 2 }).map((record) => record.pressId)).toEqual(['p2', 'p3']);
    expect(ledger.list({ callId: 'call-1', limit: 1 })[0]?.pressId).toBe('p3');
    expect(ledger.list()).toHaveLength(3);
  });

  test('handed out do not change afterwards', () => {
    const ledger = new DigitLedger();
    ledger.pressed(press('p1'));
    const before = ledger.list();
    ledger.sent('p1', { type: 'relay' });
    expect(before[0]?.outputs).toEqual([]);
  });

  test('a press id may not be used twice', () => {
    const ledger = new DigitLedger();
    ledger.pressed(press('p1'));
    expect(() => ledger.pressed(press('p1'))).toThrow('press p1 is already in the ledger');
  });
});

type Step = (ledger: DigitLedger) => void;
const refused: Step = (ledger) => ledger.sent('p1', { type: 'notify', status: 481, atMs: 1_001 });
const accepted: Step = (ledger) => ledger.sent('p1', { type: 'notify', status: 200, atMs: 1_001 });
const relayed: Step = (ledger) => ledger.sent('p1', { type: 'relay' });
const infoRefused: Step = (ledger) => ledger.sent('p1', { type: 'info', status: 405, atMs: 1_001 });
const infoAccepted: Step = (ledger) =>
  ledger.sent('p1', { type: 'info', status: 200, atMs: 1_001 });
const failed: Step = (ledger) => ledger.dropped('p1', 'notify-failed');

describe('sums of a call', () => {
  test.each<[string, Step[], 'pending' | 'delivered' | 'dropped']>([
    ['nothing yet', [], 'pending'],
    ['accepted', [accepted], 'delivered'],
    ['refused', [refused], 'pending'],
    ['refused and given up', [refused, failed], 'dropped'],
    ['refused, then accepted', [refused, accepted], 'delivered'],
    ['INFO refused', [infoRefused], 'pending'],
    ['INFO refused, then accepted', [infoRefused, infoAccepted], 'delivered'],
    ['relayed and notified', [relayed, accepted], 'delivered'],
    ['relayed, NOTIFY failed', [relayed, failed], 'delivered'],
    ['NOTIFY failed, relayed', [failed, relayed], 'delivered'],
    ['dropped twice', [failed, failed], 'dropped'],
  ])('%s', (_name, steps, outcome) => {
    const ledger = new DigitLedger();
    ledger.pressed(press('p1'));
    for (const step of steps) step(ledger);
    const none = { presses: 1, pending: 0, delivered: 0, dropped: 0 };
    expect(ledger.summary('call-1')).toEqual({ ...none, [outcome]: 1 });
  });

  test('are zero for an unknown call', () => {
    expect(new DigitLedger().summary('x')).toEqual({
      presses: 0,
      pending: 0,
      delivered: 0,
      dropped: 0,
    });
  });

  test('a reason is counted once', () => {
    const { ledger, outcomes } = ledgerWithOutcomes();
    ledger.pressed(press('p1'));
    ledger.dropped('p1', 'no-match');
    ledger.dropped('p1', 'stream-closed');
    expect(outcomes).toHaveLength(1);
    expect(ledger.list()).toMatchObject([{ dropped: 'no-match' }]);
  });

  test('always add up', () => {
    const anyStep = fc.tuple(fc.nat(9), fc.constantFrom('sent', 'refused', 'dropped'));
    fc.assert(
      fc.property(fc.array(anyStep), (steps) => {
        const ledger = new DigitLedger();
        for (let index = 0; index < 10; index += 1) ledger.pressed(press(`p${index}`));
        for (const [index, step] of steps) {
          const status = step === 'sent' ? 200 : 500;
          if (step === 'dropped') ledger.dropped(`p${index}`, 'queue-full');
          else ledger.sent(`p${index}`, { type: 'notify', status, atMs: 1_001 });
        }
        const { presses, delivered, dropped, pending } = ledger.summary('call-1');
        expect(presses).toBe(10);
        expect(delivered + dropped + pending).toBe(10);
        expect(Math.min(delivered, dropped, pending)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('bounds', () => {
  test('the oldest press leaves, the sums stay', () => {
    const { ledger } = ledgerWithOutcomes({ capacity: 3 });
    for (let index = 0; index < 5; index += 1) {
      ledger.pressed(press(`p${index}`));
      ledger.sent(`p${index}`, { type: 'relay' });
    }
    expect(ledger.list().map((record) => record.pressId)).toEqual(['p2', 'p3', 'p4']);
    expect(ledger.list({ callId: 'call-1' })).toHaveLength(3);
    expect(ledger.summary('call-1')).toMatchObject({ presses: 5, delivered: 5 });
  });

  test('news of a press that has left is ignored', () => {
    const { ledger, outcomes } = ledgerWithOutcomes({ capacity: 1 });
    ledger.pressed(press('p1'));
    ledger.pressed(press('p2'));
    ledger.sent('p1', { type: 'relay' });
    ledger.dropped('p1', 'queue-full');
    expect(outcomes).toEqual([]);
    expect(ledger.summary('call-1')).toMatchObject({ presses: 2, pending: 2 });
  });

  test('sums of calls long gone leave too', () => {
    const { ledger } = ledgerWithOutcomes({ capacity: 2 });
    for (const index of [1, 2, 3]) ledger.pressed(press(`p${index}`, { callId: `call-${index}` }));
    expect(ledger.summary('call-1').presses).toBe(0);
    expect(ledger.summary('call-2').presses).toBe(1);
    expect(ledger.summary('call-3').presses).toBe(1);
  });
});

test('whoever watches hears of each change, until no more', () => {
  const ledger = new DigitLedger();
  const heard: string[] = [];
  const stop = ledger.watch((pressId) => heard.push(pressId));
  ledger.pressed(press('p1'));
  ledger.sent('p1', { type: 'notify', cseq: 1, status: 500, atMs: 1_001 });
  ledger.dropped('p1', 'notify-failed');
  ledger.dropped('p1', 'call-ended');
  stop();
  ledger.pressed(press('p2'));
  expect(heard).toEqual(['p1', 'p1', 'p1']);
  expect(ledger.get('p1')).toEqual(ledger.list()[0]);
  expect(ledger.get('p3')).toBeUndefined();
});
