import { expect, test } from 'vitest';
import type { DigitRecord } from '../../../src/observe/digit-ledger.ts';
import type { HeardKey, PressedKey } from '../../../src/simulation/endpoint-keys.ts';
import { keyRows } from '../../../src/simulation/key-rows.ts';

const START_MS = 1_000_000;

function pressed(digit: string, atMs: number, problem?: string): PressedKey {
  return { digit, how: 'rtp', atMs: START_MS + atMs, problem };
}

function heard(digit: string, atMs: number): HeardKey {
  return { digit, how: 'kpml', atMs: START_MS + atMs };
}

function recorded(digit: string, more: Partial<DigitRecord> = {}): DigitRecord {
  return {
    pressId: digit,
    callId: 'call',
    direction: 'caller-to-callee',
    digit,
    source: { type: 'rtp', ssrc: 1, rtpTimestamp: 1 },
    atMs: START_MS,
    outputs: [],
    ...more,
  };
}

test('a key is followed from the press to the other end', () => {
  const rows = keyRows(
    {
      caller: { pressed: [pressed('1', 100), pressed('1', 300), pressed('2', 500)], heard: [] },
      callee: { pressed: [], heard: [heard('1', 110), heard('2', 520)] },
    },
    [
      recorded('1', { outputs: [{ type: 'notify', status: 200, latencyMs: 3 }] }),
      recorded('1', { dropped: 'no-subscription' }),
      recorded('2', { outputs: [{ type: 'notify', status: 200, latencyMs: 3 }] }),
    ],
    START_MS,
  );
  const common = { by: 'caller', how: 'rtp' };
  // The one that was heard counts for the press before it: an ear cannot tell two equal keys apart.
  expect(rows).toEqual([
    {
      ...common,
      digit: '1',
      atMs: 100,
      arrivedAs: 'kpml',
      arrivedAtMs: 110,
      latencyMs: 10,
      outputs: ['notify 200'],
    },
    { ...common, digit: '1', atMs: 300, outputs: [], lost: 'no-subscription' },
    {
      ...common,
      digit: '2',
      atMs: 500,
      arrivedAs: 'kpml',
      arrivedAtMs: 520,
      latencyMs: 20,
      outputs: ['notify 200'],
    },
  ]);
});

test.each<[what: string, press: PressedKey, record: readonly DigitRecord[], lost: string]>([
  [
    'the end could not send it',
    pressed('1', 1, 'no telephone-event agreed'),
    [],
    'no telephone-event agreed',
  ],
  ['the SBC has never got it', pressed('1', 1), [], 'the SBC has not seen it'],
  [
    'the SBC had nowhere to send it',
    pressed('1', 1),
    [recorded('1', { dropped: 'no-translator' })],
    'no-translator',
  ],
  [
    'it got lost behind the SBC',
    pressed('1', 1),
    [recorded('1')],
    'it left the SBC and was not heard',
  ],
])('a key that was not heard since %s says so', (_what, press, record, lost) => {
  const ends = { caller: { pressed: [press], heard: [] }, callee: { pressed: [], heard: [] } };
  expect(keyRows(ends, record, START_MS)).toMatchObject([{ lost }]);
});

test('a key that nobody pressed is told as well', () => {
  const ends = {
    caller: { pressed: [], heard: [] },
    callee: { pressed: [], heard: [heard('9', 50)] },
  };
  expect(keyRows(ends, [], START_MS)).toMatchObject([{ digit: '9', how: 'nobody pressed it' }]);
});
