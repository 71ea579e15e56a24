import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mermaidLadder } from '../../../src/observe/ladder-mermaid.ts';
import type { Ladder, LadderRow } from '../../../src/observe/ladder.ts';

const START_MS = 1_700_000_000_000;

function ladder(rows: readonly Partial<LadderRow>[], changes: Partial<Ladder> = {}): Ladder {
  return {
    rows: rows.map((row, index) => ({
      atMs: START_MS + index,
      kind: 'sip',
      leg: 'caller',
      direction: 'in',
      summary: 'INVITE',
      ...row,
    })),
    droppedRows: 0,
    gapAt: 0,
    droppedTexts: 0,
    ends: [],
    ...changes,
  };
}

test('messages are arrows, everything else is a note over the lines it concerns', () => {
  const rows: LadderRow[] = [
    { atMs: START_MS, kind: 'sip', leg: 'caller', direction: 'in', summary: 'INVITE 1' },
    { atMs: START_MS + 2, kind: 'decision', summary: 'K1' },
    { atMs: START_MS + 3, kind: 'sip', leg: 'callee', direction: 'out', summary: 'INVITE 2' },
    { atMs: START_MS + 1_004, kind: 'sip', leg: 'callee', direction: 'in', summary: '200 OK' },
    { atMs: START_MS + 1_005, kind: 'media', leg: 'callee', summary: 'stream 0' },
    { atMs: START_MS + 1_006, kind: 'dtmf', leg: 'caller', summary: 'digit' },
    { atMs: START_MS + 1_007, kind: 'sip', leg: 'caller', direction: 'out', summary: 'BYE' },
  ];
  const end = { sinceMs: 0, transport: 'udp', local: '192.0.2.1:5060', remote: '192.0.2.2:5060' };
  const ends = [
    { ...end, leg: 'caller', name: '192.0.2.2:5060' },
    { ...end, leg: 'callee', name: 'carrier' },
  ] as const;
  expect(mermaidLadder({ rows, droppedRows: 4, gapAt: 2, droppedTexts: 3, ends })).toBe(
    [
      'sequenceDiagram',
      '  participant caller as caller 192.0.2.2#58;5060',
      '  participant sbc as SBC',
      '  participant callee as callee carrier',
      '  caller->>sbc: +0.000 INVITE 1',
      '  note over caller,callee: +0.002 decision: K1',
      '  note over caller,callee: 4 rows dropped here',
      '  sbc->>callee: +0.003 INVITE 2',
      '  callee->>sbc: +1.004 200 OK',
      '  note over sbc,callee: +1.005 media: stream 0',
      '  note over caller,sbc: +1.006 dtmf: digit',
      '  sbc->>caller: +1.007 BYE',
      '  note over caller,callee: the texts of 3 messages are no longer kept',
      '',
    ].join('\n'),
  );
});

test.each([
  ['a line break', 'x\r\nloop forever', 'x  loop forever'],
  ['a semicolon', 'x;sip=1', 'x#59;sip=1'],
  ['an entity', '#35;', '#35;35#59;'],
  ['a comment', '%%{init: {}}%%', '#37;#37;#123;init#58; #123;#125;#125;#37;#37;'],
  ['markup', '<img src=x onerror="1">', '#60;img src=x onerror=#34;1#34;#62;'],
  ['the end of a block', 'END, end and endless', '#69;ND, #101;nd and endless'],
  ['an arrow', 'a->>b', 'a-#62;#62;b'],
  ['a line separator', 'a\u2028b', 'a b'],
  ['text from right to left', 'a\u202eb', 'a b'],
  ['letters of any language', 'Grüße 日本', 'Grüße 日本'],
])('%s is text', (_name, summary, expected) => {
  expect(mermaidLadder(ladder([{ summary }])).split('\n')[4]).toBe(
    `  caller->>sbc: +0.000 ${expected}`,
  );
});

test('a long summary is cut', () => {
  const line = mermaidLadder(ladder([{ summary: 'x'.repeat(500) }])).split('\n')[4];
  expect(line).toHaveLength('  caller->>sbc: +0.000 '.length + 200 + '...'.length);
});

test('whatever a peer writes, there is one line per row, and nothing that means anything', () => {
  const unit = fc.oneof(
    fc.constantFrom(...Array.from(';#%:-><{}"\n\r end')),
    fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
  );
  const text = fc.string({ unit, maxLength: 60 });
  fc.assert(
    fc.property(text, fc.constantFrom('sip', 'dtmf'), text, (summary, kind, name) => {
      const end = { leg: 'caller', sinceMs: 0, transport: 'udp', local: '', remote: '' } as const;
      const drawn = mermaidLadder(ladder([{ summary, kind }], { ends: [{ ...end, name }] }));
      const lines = drawn.split('\n');
      expect(lines).toHaveLength(6);
      expect(lines[0]).toBe('sequenceDiagram');
      const [alias = '', shown = ''] = [lines[1]?.slice(31), lines[4]?.split(': ').slice(1).join()];
      expect(lines[1]?.slice(0, 31)).toBe('  participant caller as caller ');
      for (const part of [alias, shown]) {
        // Without its entities nothing is left of what Mermaid or a page reads.
        const rest = part.replaceAll(/#\d+;/g, '');
        expect(rest).not.toMatch(/[;#%<>{}"&`\\|~^$\p{Cc}\p{Zl}\p{Zp}]|\bend\b/iu);
      }
    }),
    { numRuns: 200 },
  );
});
