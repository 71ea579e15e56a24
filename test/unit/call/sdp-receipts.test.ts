import { beforeEach, expect, test } from 'vitest';
import { SdpReceipts } from '../../../src/call/sdp-receipts.ts';
import { createLog } from '../../../src/observe/log.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

const lines: string[] = [];
let receipts: SdpReceipts;

function refused(): never {
  throw new WireError('no c= for m-line 1');
}

function broken(): never {
  throw new Error('bug');
}

beforeEach(() => {
  lines.length = 0;
  receipts = new SdpReceipts(createLog('info', { write: (line: string) => lines.push(line) }));
});

/** The lines of the log. */
function written(): unknown[] {
  return lines.map((line): unknown => JSON.parse(line));
}

test('a section that is switched off is told once, however often it comes', () => {
  const facts = { switchedOff: ['c= of m-line 2 is IP6, media is IP4'] };
  expect(receipts.logged('caller', () => facts)).toBe(facts);
  receipts.logged('caller', () => facts);
  receipts.logged('callee', () => facts);

  const [reason] = facts.switchedOff;
  const msg = 'media section switched off';
  expect(written()).toEqual([
    expect.objectContaining({ side: 'caller', reason, msg }),
    expect.objectContaining({ side: 'callee', reason, msg }),
  ]);
});

test('every refusal is told with its reason', () => {
  for (const _ of [1, 2]) expect(() => receipts.logged('callee', refused)).toThrow(WireError);

  const line = { side: 'callee', reason: 'no c= for m-line 1', msg: 'session description refused' };
  expect(written()).toEqual([expect.objectContaining(line), expect.objectContaining(line)]);
});

test('a broken invariant is none of its business', () => {
  expect(() => receipts.logged('caller', broken)).toThrow('bug');
  expect(lines).toEqual([]);
});
