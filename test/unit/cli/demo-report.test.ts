/** The verdict of the demo rests on what the ends recorded, not on what the SBC says of itself. */
import { describe, expect, test } from 'vitest';
import { formatResult } from '../../../src/cli/demo-report.ts';
import type { DemoCall } from '../../../src/cli/demo-report.ts';
import { DigitLedger } from '../../../src/observe/digit-ledger.ts';
import { LadderRecorder } from '../../../src/observe/ladder.ts';

const EXPECTED = '123';

function callWith(received: string, remarks: readonly string[] = []): DemoCall {
  return {
    title: 'a call',
    directions: [
      {
        name: 'phone -> trunk',
        received,
        expected: EXPECTED,
        latenciesMs: [5, 7, 6],
      },
    ],
    remarks,
    audioPackets: { phone: 10, trunk: 20 },
  };
}

function filledRecords(): { ledger: DigitLedger; ladder: LadderRecorder; isVerbose: boolean } {
  const ledger = new DigitLedger({ showDigits: true });
  const ladder = new LadderRecorder({ showDigits: true });
  const press = { callId: 'c1', direction: 'caller-to-callee', atMs: 1000 } as const;
  const source = { type: 'notify', cseq: 7 } as const;
  ledger.pressed({ ...press, pressId: 'p1', digit: '1', source });
  ledger.sent('p1', { type: 'rtp', rtpTimestamp: 99, atMs: 1004.5 });
  ledger.pressed({ ...press, pressId: 'p2', digit: '2', source });
  ledger.dropped('p2', 'media-inactive');
  ladder.record('c1', { atMs: 1000, kind: 'decision', summary: 'caller to callee by K1' });
  return { ledger, ladder, isVerbose: false };
}

describe('verdict', () => {
  test('passes when every direction recorded what was pressed', () => {
    const text = formatResult([callWith('123'), callWith('123')], filledRecords());
    expect(text).toContain('PASSED: 6 of 6 key presses arrived once and in order.');
  });

  test.each([
    ['lost', '12'],
    ['doubled', '1223'],
    ['disordered', '132'],
    ['all lost', ''],
  ])('fails when keys are %s', (_name, received) => {
    const text = formatResult([callWith('123'), callWith(received)], filledRecords());
    expect(text).toContain('FAILED: 1 of 2 directions lost, doubled or disordered keys.');
    expect(text).toContain('WRONG, expected 123');
  });
});

test('ledger, decision and remarks are shown', () => {
  const text = formatResult([callWith('123', ['no marker'])], filledRecords());
  expect(text).toContain('  caller to callee by K1');
  expect(text).toMatch(/1 +caller-to-callee +NOTIFY, CSeq 7 +RTP event at 99 +4\.5 ms/);
  expect(text).toMatch(/2 +caller-to-callee +NOTIFY, CSeq 7 +dropped: media-inactive/);
  expect(text).toContain('6.0 ms / 7.0 ms');
  expect(text).toContain('remark: no marker');
});
