import { expect, test } from 'vitest';
import { parseReplaces } from '../../../src/wire/replaces.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

const DIALOG = { callId: '98732@sip.example.com', localTag: 'r33th4x0r', remoteTag: 'ff87ff' };

test.each<[value: string, isEarlyOnly: boolean]>([
  ['98732@sip.example.com;from-tag=ff87ff;to-tag=r33th4x0r', false],
  ['98732@sip.example.com ;to-tag=r33th4x0r;from-tag=ff87ff;early-only', true],
  [' 98732@sip.example.com; TO-TAG = r33th4x0r ; from-tag=ff87ff;x=y', false],
])('%s', (value, isEarlyOnly) => {
  expect(parseReplaces(value)).toEqual({ ...DIALOG, isEarlyOnly });
});

test.each([
  '',
  'a@b',
  'a@b;to-tag=1',
  'a@b;from-tag=1',
  'a@b;to-tag;from-tag=1',
  ';to-tag=1;from-tag=2',
  'a b;to-tag=1;from-tag=2',
  'a@b,c@d;to-tag=1;from-tag=2',
  'a@b;to-tag=1;from-tag=2, c@d;to-tag=3;from-tag=4',
  'a@b;to-tag="1;from-tag=2',
])('%j names no dialog', (value) => {
  expect(() => parseReplaces(value)).toThrow(WireError);
});
