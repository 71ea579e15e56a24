import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diffLines } from '../../../src/simulation/line-diff.ts';

const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });

test('kept and gone lines are the old text, kept and new ones the new text', () => {
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const diff = diffLines(before, after);
      const of = (marks: string): string[] =>
        diff.filter(({ mark }) => marks.includes(mark)).map(({ line }) => line);
      expect(of(' -')).toEqual(before);
      expect(of(' +')).toEqual(after);
    }),
  );
});

test('what two texts have in common is kept', () => {
  const before = ['v=0', 'm=audio 1 RTP/AVP 0', 'a=sendrecv'];
  const after = ['v=0', 'm=audio 2 RTP/AVP 0 101', 'a=rtpmap:101 x', 'a=sendrecv'];
  expect(diffLines(before, after).map(({ mark, line }) => `${mark}${line}`)).toEqual([
    ' v=0',
    '-m=audio 1 RTP/AVP 0',
    '+m=audio 2 RTP/AVP 0 101',
    '+a=rtpmap:101 x',
    ' a=sendrecv',
  ]);
});
