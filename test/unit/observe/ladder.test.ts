import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LadderRecorder } from '../../../src/observe/ladder.ts';
import type { LadderEnd, LadderRow } from '../../../src/observe/ladder.ts';
import { PackedRows } from '../../../src/observe/packed-rows.ts';

function row(atMs: number, changes: Partial<LadderRow> = {}): LadderRow {
  return { atMs, kind: 'sip', leg: 'caller', direction: 'in', summary: `row ${atMs}`, ...changes };
}

/** More calls than stay as they are, so that `a` and all before it are packed. */
function speakElsewhere(recorder: LadderRecorder): void {
  for (let index = 0; index < 100; index += 1) recorder.record(`other ${index}`, row(0));
}

function long(atMs: number): LadderRow {
  return row(atMs, { text: `INVITE sip:${atMs} SIP/2.0\r\n${'X-Note: ünï ☎\r\n'.repeat(70)}` });
}

describe('what is recorded', () => {
  test('comes back in order, per call', () => {
    const recorder = new LadderRecorder();
    recorder.record('a', row(1));
    recorder.record('b', row(2));
    recorder.record('a', row(3, { text: 'BYE sip:x SIP/2.0\r\n\r\n' }));
    expect(recorder.ladder('a')).toEqual({
      rows: [row(1), row(3, { text: 'BYE sip:x SIP/2.0\r\n\r\n' })],
      droppedRows: 0,
      ends: [],
    });
    expect(recorder.ladder('b')?.rows).toHaveLength(1);
    expect(recorder.ladder('c')).toBeUndefined();
  });

  test('is masked before it is stored', () => {
    const text = 'NOTIFY sip:x SIP/2.0\r\nAuthorization: Digest 5ecret\r\n\r\n<k digits="4711"/>';
    const recorder = new LadderRecorder();
    recorder.record('a', row(1, { summary: 'Signal=4711', text }));
    const stored = JSON.stringify(recorder.ladder('a'));
    expect(stored).not.toMatch(/4711|5ecret/);
    expect(stored).toContain('****');
  });

  test('shows digits when allowed, never credentials', () => {
    const text = 'NOTIFY sip:x SIP/2.0\r\nAuthorization: Digest 5ecret\r\n\r\n<k digits="4711"/>';
    const recorder = new LadderRecorder({ showDigits: true });
    recorder.record('a', row(1, { text }));
    const stored = JSON.stringify(recorder.ladder('a'));
    expect(stored).toContain('4711');
    expect(stored).not.toContain('5ecret');
  });
});

describe('bounds', () => {
  test('the oldest rows of a call leave and are counted', () => {
    const recorder = new LadderRecorder({ rowsPerCall: 3 });
    for (const atMs of [1, 2, 3, 4, 5]) recorder.record('a', row(atMs));
    expect(recorder.ladder('a')).toEqual({
      rows: [row(3), row(4), row(5)],
      droppedRows: 2,
      ends: [],
    });
  });

  test('the oldest texts of a call leave, their summaries stay', () => {
    const recorder = new LadderRecorder({ textPerCall: 19 });
    for (const atMs of [1, 2, 3]) recorder.record('a', row(atMs, { text: '0123456789' }));
    const rows = recorder.ladder('a')?.rows ?? [];
    expect(rows.map((each) => each.text)).toEqual([undefined, undefined, '0123456789']);
    expect(rows.map((each) => each.summary)).toEqual(['row 1', 'row 2', 'row 3']);
  });

  test('the first messages of a call keep half of the room for texts', () => {
    const recorder = new LadderRecorder({ textPerCall: 60 });
    for (let atMs = 0; atMs < 9; atMs += 1)
      recorder.record('a', row(atMs, { text: `message ${atMs}.` }));
    const rows = recorder.ladder('a')?.rows ?? [];
    const kept = rows.flatMap(({ text }) => (text === undefined ? [] : [text]));
    expect(kept.map((text) => text.slice(8, 9))).toEqual(['0', '1', '2', '6', '7', '8']);
  });

  test('texts of rows that left do not count', () => {
    const recorder = new LadderRecorder({ rowsPerCall: 2, textPerCall: 25 });
    for (let atMs = 0; atMs < 20; atMs += 1)
      recorder.record('a', row(atMs, { text: '0123456789' }));
    const rows = recorder.ladder('a')?.rows ?? [];
    expect(rows.map((each) => each.text)).toEqual(['0123456789', '0123456789']);
  });

  test('a huge message is cut', () => {
    const recorder = new LadderRecorder();
    recorder.record('a', row(1, { summary: 'x'.repeat(100_000), text: 'x'.repeat(100_000) }));
    expect(JSON.stringify(recorder.ladder('a')).length).toBeLessThan(10_000);
  });

  test('the call silent for longest leaves', () => {
    const recorder = new LadderRecorder({ calls: 2 });
    recorder.record('a', row(1));
    recorder.record('b', row(2));
    recorder.record('a', row(3));
    recorder.record('c', row(4));
    expect(recorder.ladder('a')?.rows).toHaveLength(2);
    expect(recorder.ladder('b')).toBeUndefined();
    expect(recorder.ladder('c')?.rows).toHaveLength(1);
  });
});

describe('packing', () => {
  test('what a silent call said is read as it was, however often it spoke again', () => {
    const numbers = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(numbers, (pauses) => {
        const recorder = new LadderRecorder({ textPerCall: Number.MAX_SAFE_INTEGER });
        const said = pauses.map((_, atMs) => (atMs % 3 === 0 ? row(atMs) : long(atMs)));
        for (const [index, each] of said.entries()) {
          recorder.record('a', each);
          if (pauses[index] === 0) speakElsewhere(recorder);
        }
        expect(recorder.ladder('a')).toEqual({ rows: said, droppedRows: 0, ends: [] });
      }),
      { numRuns: 30 },
    );
  });

  test.each([1, 2, 5, 7])('the bounds hold for packed rows, %i rows at a time', (step) => {
    const limits = { rowsPerCall: 20, textPerCall: 10_000 };
    const packing = new LadderRecorder(limits);
    const plain = new LadderRecorder(limits);
    for (let atMs = 0; atMs < 60; atMs += 1) {
      for (const recorder of [packing, plain]) recorder.record('a', long(atMs));
      if (atMs % step === 0) speakElsewhere(packing);
      expect(packing.ladder('a')).toEqual(plain.ladder('a'));
    }
    const { rows = [], droppedRows } = packing.ladder('a') ?? {};
    expect([rows.length, droppedRows]).toEqual([20, 40]);
    expect(rows.reduce((sum, each) => sum + (each.text?.length ?? 0), 0)).toBeLessThan(10_001);
  });

  test('a silent call takes a fraction of what it said', () => {
    const rows = Array.from({ length: 8 }, (_, index) => long(index));
    expect(new PackedRows(rows).byteLength).toBeLessThan(JSON.stringify(rows).length / 5);
  });
});

function end(leg: 'caller' | 'callee', sinceMs: number, remote: string): LadderEnd {
  return { leg, sinceMs, name: 'x', transport: 'udp', local: '192.0.2.1:5060', remote };
}

describe('who stands at the ends', () => {
  test('each leg has its own, one after the other, and the last counts', () => {
    const recorder = new LadderRecorder();
    const ends = [
      end('caller', 0, '192.0.2.2:5060'),
      end('callee', 1, '192.0.2.3:5060'),
      end('callee', 2, '192.0.2.4:5060'),
    ];
    for (const each of ends) recorder.place('a', each);
    recorder.record('a', row(3));
    expect(recorder.ladder('a')).toEqual({ rows: [row(3)], droppedRows: 0, ends });
    expect(recorder.endOf('a', 'callee')).toEqual(ends[2]);
    expect([recorder.endOf('b', 'caller'), recorder.ladder('b')]).toEqual([undefined, undefined]);
  });

  test('a call that forks without end does not grow', () => {
    const recorder = new LadderRecorder();
    for (let sinceMs = 0; sinceMs < 100; sinceMs += 1) {
      recorder.place('a', end('callee', sinceMs, 'x'));
    }
    expect(recorder.ladder('a')?.ends).toHaveLength(32);
  });
});

test('whoever watches hears of each row, until no more', () => {
  const recorder = new LadderRecorder();
  const heard: string[] = [];
  const stop = recorder.watch((callId) => heard.push(callId));
  recorder.record('a', row(1));
  recorder.record('b', row(2));
  stop();
  recorder.record('a', row(3));
  expect(heard).toEqual(['a', 'b']);
});

test('a call that is forgotten is gone, and may come again', () => {
  const recorder = new LadderRecorder();
  recorder.record('a', row(1));
  recorder.forget('a');
  recorder.forget('a');
  expect(recorder.ladder('a')).toBeUndefined();
  recorder.record('a', row(2));
  expect(recorder.ladder('a')?.rows).toEqual([row(2)]);
});
