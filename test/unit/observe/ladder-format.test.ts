import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatLadder } from '../../../src/observe/ladder-format.ts';
import type { LadderRow } from '../../../src/observe/ladder.ts';

const START_MS = Date.UTC(2026, 0, 1);

const ROWS: readonly LadderRow[] = [
  {
    atMs: 0,
    kind: 'sip',
    leg: 'caller',
    direction: 'in',
    summary: 'INVITE sip:+493012345678901234567890@sbc.example.com:5060 (sdp)',
  },
  {
    atMs: 1,
    kind: 'decision',
    summary:
      'K5: the callee prefers RFC 2833 and the caller offered KPML only, so telephone-event 101 is inserted into the offer (rfc2833-mode preferred, sip-interface core)',
  },
  { atMs: 2, kind: 'sip', leg: 'callee', direction: 'out', summary: 'INVITE sip:100@trunk (sdp)' },
  { atMs: 42, kind: 'sip', leg: 'callee', direction: 'in', summary: '200 OK (sdp)' },
  { atMs: 43, kind: 'sip', leg: 'caller', direction: 'out', summary: '200 OK (sdp)' },
  { atMs: 90, kind: 'media', leg: 'caller', summary: 'first RTP packet' },
  { atMs: 12_345, kind: 'dtmf', leg: 'caller', summary: '* from NOTIFY 3' },
  { atMs: 12_347, kind: 'dtmf', leg: 'callee', summary: '* as event 1600' },
  { atMs: 28_800_000, kind: 'sip', leg: 'caller', direction: 'in', summary: 'BYE' },
];
const CALL = ROWS.map((row) => ({ ...row, atMs: START_MS + row.atMs }));

const DRAWING = `\
            caller                                    sbc                                     callee
    +0.000    |- INVITE sip:+4930123456789012345... -->|                                        |
    +0.001    | [ decision: K5: the callee prefers RFC 2833 and the caller offered KPML only, ] |
              | [ so telephone-event 101 is inserted into the offer (rfc2833-mode preferred,  ] |
              | [ sip-interface core)                                                         ] |
    +0.002    |                                        |----- INVITE sip:100@trunk (sdp) ------>|
    +0.042    |                                        |<------------ 200 OK (sdp) -------------|
    +0.043    |<------------ 200 OK (sdp) -------------|                                        |
    +0.090    | [ media: first RTP packet            ] |                                        |
   +12.345    | [ dtmf: * from NOTIFY 3              ] |                                        |
   +12.347    |                                        | [ dtmf: * as event 1600              ] |
+28800.000    |----------------- BYE ----------------->|                                        |
`;

describe('drawing', () => {
  test('of a whole call at 100 columns', () => {
    expect(formatLadder(CALL)).toBe(DRAWING);
  });

  test('of no rows is the head alone', () => {
    expect(formatLadder([])).toBe(`${DRAWING.split('\n')[0]}\n`);
  });

  test('tells how many rows are missing', () => {
    expect(formatLadder([], { droppedRows: 7 })).toContain('(7 rows dropped here)\n');
    const rows = ['first', 'last'].map((summary, atMs): LadderRow => ({
      atMs,
      kind: 'decision',
      summary,
    }));
    const drawn = formatLadder(rows, { droppedRows: 7, gapAt: 1, droppedTexts: 2 });
    expect(drawn).toMatch(
      /first.*\n\(7 rows dropped here\)\n.*last.*\n\(the texts of 2 messages are no longer kept\)\n$/,
    );
  });

  test('in colour is the same drawing', () => {
    const coloured = formatLadder(CALL, { colour: true });
    expect(coloured).toContain('\u001b[36m');
    // oxlint's control-character rule forbids a literal for the escape sequence.
    const escape = new RegExp(`${String.fromCodePoint(27)}\\[\\d+m`, 'g');
    expect(coloured.replaceAll(escape, '')).toBe(DRAWING);
  });
});

describe('whatever the rows say', () => {
  const anyRow = fc.record(
    {
      atMs: fc.nat(10_000_000),
      kind: fc.constantFrom('sip', 'media', 'dtmf', 'decision'),
      leg: fc.constantFrom('caller', 'callee'),
      direction: fc.constantFrom('in', 'out'),
      summary: fc.string({ unit: 'binary' }),
    },
    { requiredKeys: ['atMs', 'kind', 'summary'] },
  );

  test.each([0, 60, 80, 100, 200])('no line is wider than %i columns (at least 60)', (width) => {
    fc.assert(
      fc.property(fc.array(anyRow), (rows) => {
        const lines = formatLadder(rows, { width }).split('\n');
        const widest = Math.max(...lines.map((line) => Array.from(line).length));
        expect(widest).toBeLessThanOrEqual(Math.max(width, 60));
      }),
    );
  });

  test('a peer cannot send escape sequences to the terminal', () => {
    const summary = 'INVITE \u001b[2J\u202e\r\nx';
    const drawn = formatLadder([
      { atMs: 0, kind: 'sip', leg: 'caller', direction: 'in', summary },
      { atMs: 0, kind: 'media', summary },
    ]);
    expect(drawn.split('\n')).toHaveLength(4);
    expect(drawn).not.toMatch(/(?!\n)\p{C}/u);
  });
});
