import { describe, expect, test } from 'vitest';
import type { EventMedia, StreamUpdate } from '../../../../src/media/media-engine.ts';
import {
  blockedSides,
  coderKey,
  eventNumbers,
  needsInjection,
} from '../../../../src/media/rtpengine/event-numbers.ts';
import { KEYPAD, sampleLeg, sampleUpdate } from '../media-samples.ts';

type Numbers = readonly [wanted: number, ...alsoSent: number[]] | undefined;

function eventOf(numbers: Numbers): EventMedia | undefined {
  if (numbers === undefined) return undefined;
  const [sendPayloadType] = numbers;
  return { sendPayloadType, receivePayloadTypes: numbers, clockRate: 8000, events: KEYPAD };
}

function agreed(caller: Numbers, callee: Numbers): StreamUpdate {
  const mode = caller === undefined || callee === undefined ? 'absorb' : 'relay';
  return sampleUpdate(
    sampleLeg(4000, { event: eventOf(caller) }),
    sampleLeg(5000, { event: eventOf(callee) }),
    { caller: { mode, detect: true }, callee: { mode, detect: true } },
  );
}

describe('the numbers rtpengine is told', () => {
  test.each<[Numbers, Numbers, string]>([
    [[101], [101], '101 | 101'],
    [[101], [96], '101 96 | 96'],
    [[97], [110], '97 110 | 110'],
    // One that the callee sends with and the caller wants means what the caller wants.
    [[101], [96, 101], '101 96 | 96'],
    [[101], [96, 102], '101 96 102 | 96 102'],
    [[101, 96], [96], '101 96 | 96'],
    // The side without events is told of one that nobody uses, and offers it.
    [undefined, [96, 101], '127 96 101 | 96 101'],
    [[96, 101], undefined, '127 96 101 | 96 101 by callee'],
    [[127, 101], undefined, '126 127 101 | 127 101 by callee'],
  ])('caller %j, callee %j: offer | answer %s', (caller, callee, expected) => {
    const numbers = eventNumbers(agreed(caller, callee));
    const by = numbers?.offerer === 'callee' ? ' by callee' : '';
    expect(`${numbers?.offer.join(' ')} | ${numbers?.answer.join(' ')}${by}`).toBe(expected);
  });

  test('are none when neither side has events', () => {
    expect(eventNumbers(agreed(undefined, undefined))).toBeUndefined();
  });
});

test.each<[Numbers, Numbers, string, boolean]>([
  [[101], [101], '', false],
  [undefined, [101], 'callee', true],
  [[101], undefined, 'caller', true],
  [undefined, undefined, '', false],
])('caller %j, callee %j: events of "%3$s" are kept back', (caller, callee, blocked, injects) => {
  const update = agreed(caller, callee);
  expect(blockedSides(update).join(' ')).toBe(blocked);
  expect(needsInjection(update)).toBe(injects);
});

test('coders go on while numbers, audio and what is played stay the same', () => {
  const key = coderKey(agreed([101], [96]), true);
  expect(coderKey(agreed([101], [96]), true)).toBe(key);
  expect(coderKey(agreed([101], [97]), true)).not.toBe(key);
  expect(coderKey(agreed([101], [96]), false)).not.toBe(key);
});
