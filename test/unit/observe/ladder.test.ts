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

const WHOLE = { droppedRows: 0, gapAt: 0, droppedTexts: 0 };

function long(atMs: number): LadderRow {
  return row(atMs, { text: `INVITE sip:${atMs} SIP/2.0\r\n${'X-Note: ünï ☎\r\n'.repeat(70)}` });
}

function message(atMs: number): LadderRow {
  const branch = `z9hG4bK${(atMs * 7919) % 100_003}`;
  const head = `INFO sip:${atMs}@x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=${branch}\r\n`;
  return row(atMs, { text: `${head}${'X-Note: some words of a header\r\n'.repeat(25)}\r\n` });
}

describe('what is recorded', () => {
  test('comes back in order, per call', () => {
    const recorder = new LadderRecorder();
    recorder.record('a', row(1));
    recorder.record('b', row(2));
    recorder.record('a', row(3, { text: 'BYE sip:x SIP/2.0\r\n\r\n' }));
    expect(recorder.ladder('a')).toEqual({
      rows: [row(1), row(3, { text: 'BYE sip:x SIP/2.0\r\n\r\n' })],
      ...WHOLE,
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
  test('the rows behind the set-up leave and are counted', () => {
    const recorder = new LadderRecorder({ rowsPerCall: 3 });
    for (const atMs of [1, 2, 3, 4, 5]) recorder.record('a', row(atMs));
    expect(recorder.ladder('a')).toEqual({
      rows: [row(1), row(4), row(5)],
      droppedRows: 2,
      gapAt: 1,
      droppedTexts: 0,
      ends: [],
    });
  });

  test('the first 40 rows and texts of a long call stay', () => {
    const recorder = new LadderRecorder();
    for (let atMs = 0; atMs < 1_300; atMs += 1) {
      recorder.record('a', row(atMs, atMs % 2 === 0 ? { text: `message ${atMs}` } : {}));
    }
    const { rows = [], droppedRows = 0, gapAt = 0 } = recorder.ladder('a') ?? {};
    expect(rows.slice(0, 40).map(({ atMs }) => atMs)).toEqual([...Array(40).keys()]);
    expect(rows[0]?.text).toBe('message 0');
    expect(gapAt).toBe(40);
    expect(rows[gapAt]?.atMs).toBe(gapAt + droppedRows);
    expect(rows.at(-1)?.atMs).toBe(1_299);
    expect(rows.length + droppedRows).toBe(1_300);
    expect(rows.length).toBeGreaterThan(460);
    expect(rows.length).toBeLessThan(501);
  });

  test('a call of a hundred messages keeps their texts; of later ones the latest stay', () => {
    const recorder = new LadderRecorder();
    for (let atMs = 0; atMs < 100; atMs += 1) recorder.record('a', message(atMs));
    expect(recorder.ladder('a')).toMatchObject({ droppedRows: 0, droppedTexts: 0 });
    for (let atMs = 100; atMs < 3_000; atMs += 1) recorder.record('a', message(atMs));
    const { rows = [], droppedTexts = 0 } = recorder.ladder('a') ?? {};
    const texts = rows.filter(({ text }) => text !== undefined);
    expect(texts.length + droppedTexts).toBe(3_000);
    expect(texts.slice(0, 10).map(({ atMs }) => atMs)).toEqual([...Array(10).keys()]);
    expect(rows.at(-1)?.text).toContain('INFO sip:2999@x');
    expect(texts.length).toBeGreaterThan(100);
  });

  test('texts that cannot be packed are bounded as well', () => {
    const recorder = new LadderRecorder({ textPerCall: 20_000 });
    let seed = 1;
    const noise = (): string => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed.toString(36);
    };
    for (let atMs = 0; atMs < 200; atMs += 1) {
      recorder.record('a', row(atMs, { text: Array.from({ length: 200 }, noise).join('') }));
    }
    const kept = (recorder.ladder('a')?.rows ?? []).filter(({ text }) => text !== undefined);
    expect(new PackedRows(kept).byteLength).toBeLessThan(22_000);
    expect(recorder.ladder('a')?.droppedTexts).toBe(200 - kept.length);
  });

  test('a row that is told a moment late stands where it belongs', () => {
    const recorder = new LadderRecorder();
    for (const atMs of [1, 2, 5, 4, 5, 3, 9]) recorder.record('a', row(atMs));
    expect(recorder.ladder('a')?.rows.map(({ atMs }) => atMs)).toEqual([1, 2, 3, 4, 5, 5, 9]);
  });

  test('the oldest texts of a call leave, their summaries stay', () => {
    const recorder = new LadderRecorder({ textPerCall: 19 });
    for (const atMs of [1, 2, 3]) recorder.record('a', row(atMs, { text: '0123456789' }));
    const rows = recorder.ladder('a')?.rows ?? [];
    expect(rows.map((each) => each.text)).toEqual([undefined, undefined, '0123456789']);
    expect(rows.map((each) => each.summary)).toEqual(['row 1', 'row 2', 'row 3']);
    expect(recorder.ladder('a')).toMatchObject({ droppedRows: 0, droppedTexts: 2 });
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
    expect(recorder.ladder('a')).toMatchObject({ droppedRows: 18, droppedTexts: 18 });
  });

  test('a huge message is cut', () => {
    const recorder = new LadderRecorder();
    recorder.record('a', row(1, { summary: 'x'.repeat(100_000), text: 'x'.repeat(100_000) }));
    expect(JSON.stringify(recorder.ladder('a')).length).toBeLessThan(10_000);
  });

  test('a text that is cut says so; who hears of the row has more of it', () => {
    const heard: LadderRow[] = [];
    const recorder = new LadderRecorder({ onRow: (_callId, each) => heard.push(each) });
    for (const length of [8_000, 8_001, 70_000])
      recorder.record('a', row(1, { text: 'x'.repeat(length) }));
    const kept = recorder.ladder('a')?.rows ?? [];
    expect(kept.map(({ text }) => text?.length)).toEqual([8_000, 8_000, 8_000]);
    expect(kept.map(({ wholeBytes }) => wholeBytes)).toEqual([undefined, 8_001, 70_000]);
    expect(heard.map(({ text }) => text?.length)).toEqual([8_000, 8_001, 60_000]);
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
        expect(recorder.ladder('a')).toEqual({ rows: said, ...WHOLE, ends: [] });
      }),
      { numRuns: 30 },
    );
  });

  test.each([1, 2, 5, 7])('the bounds hold for packed rows, %i rows at a time', (step) => {
    const recorder = new LadderRecorder({ rowsPerCall: 20, textPerCall: 3_000 });
    for (let atMs = 0; atMs < 60; atMs += 1) {
      recorder.record('a', long(atMs));
      if (atMs % step === 0) speakElsewhere(recorder);
      const { rows = [], droppedRows = 0, gapAt = 0, droppedTexts } = recorder.ladder('a') ?? {};
      const setUp = rows.slice(0, gapAt).map((each) => each.atMs);
      const later = rows.slice(gapAt).map((each) => each.atMs);
      expect(rows.length).toBeLessThan(21);
      expect(setUp).toEqual([...setUp.keys()]);
      expect(later).toEqual(later.map((_, index) => gapAt + droppedRows + index));
      expect(later.at(-1)).toBe(atMs);
      const texts = rows.filter(({ text }) => text !== undefined).length;
      expect(texts + (droppedTexts ?? 0)).toBe(atMs + 1);
      expect(rows[0]?.text).toBe(long(0).text);
    }
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
    expect(recorder.ladder('a')).toEqual({ rows: [row(3)], ...WHOLE, ends });
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
