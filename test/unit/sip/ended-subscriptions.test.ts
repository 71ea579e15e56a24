import { expect, test } from 'vitest';
import { EndedSubscriptions } from '../../../src/sip/ended-subscriptions.ts';

const DIALOG = { callId: 'a', localTag: 'ours', remoteTag: 'theirs' };

test.each([
  [0, true],
  [31_999, true],
  [32_000, false],
])('%i ms after the end it is still known: %s', (laterMs, isKnown) => {
  const ended = new EndedSubscriptions();
  ended.add(DIALOG, 1000);
  expect(ended.has(DIALOG, 1000 + laterMs)).toBe(isKnown);
});

test.each(['callId', 'localTag', 'remoteTag'])('another %s is another dialog', (field) => {
  const ended = new EndedSubscriptions();
  ended.add(DIALOG, 0);
  expect(ended.has({ ...DIALOG, [field]: 'other' }, 0)).toBe(false);
});

test('ten thousand are kept at most, the latest ones, and none beyond its time', () => {
  const ended = new EndedSubscriptions();
  for (let index = 0; index < 10_001; index += 1) ended.add({ ...DIALOG, callId: `${index}` }, 0);
  expect(ended.size).toBe(10_000);
  expect(ended.has({ ...DIALOG, callId: '0' }, 0)).toBe(false);
  expect(ended.has({ ...DIALOG, callId: '10000' }, 0)).toBe(true);
  ended.add(DIALOG, 32_000);
  expect(ended.size).toBe(1);
});
