import { describe, expect, test } from 'vitest';
import {
  MAX_OWED,
  MAX_OWED_MS,
  OwedDeletes,
} from '../../../../src/media/rtpengine/owed-deletes.ts';

const ANY = 100;

/** When a delete that is owed from 0 is sent, each time with the same outcome; seconds. */
function sentAt(outcome: 'answered' | 'unanswered', sureAtMs: number, untilMs: number): number[] {
  const owed = new OwedDeletes();
  owed.owe('one', 0, sureAtMs);
  const times: number[] = [];
  for (let nowMs = 0; nowMs <= untilMs; nowMs += 1000) {
    for (const engineCallId of owed.due(nowMs, ANY)) {
      times.push(nowMs / 1000);
      owed[outcome](engineCallId, nowMs);
    }
  }
  return times;
}

describe('a delete that is owed', () => {
  test('is sent until it is answered', () => {
    expect(sentAt('answered', 0, 100_000)).toEqual([0]);
    expect(sentAt('unanswered', 0, 100_000)).toEqual([0, 2, 6, 14, 30, 60, 90]);
  });

  test('is sent on after an answer while an offer may still be on its way', () => {
    expect(sentAt('answered', 20_000, 100_000)).toEqual([0, 2, 6, 14, 30]);
  });

  test('is given up when it is very old', () => {
    expect(sentAt('unanswered', 0, 2 * MAX_OWED_MS).at(-1)).toBeLessThanOrEqual(MAX_OWED_MS / 1000);
  });

  test('is due at once when its node has come back', () => {
    const owed = new OwedDeletes();
    owed.owe('one', 0);
    owed.unanswered('one', 0);
    expect(owed.due(1000, ANY)).toEqual([]);
    owed.hurry();
    expect(owed.due(1000, ANY)).toEqual(['one']);
  });

  test('is not sent twice before the first has ended', () => {
    const owed = new OwedDeletes();
    owed.owe('one', 0);
    expect(owed.due(0, ANY)).toEqual(['one']);
    owed.hurry();
    expect(owed.due(0, ANY)).toEqual([]);
  });
});

test('of many so many are due at once as were asked for, the oldest first', () => {
  const owed = new OwedDeletes();
  for (const name of ['one', 'two', 'three']) owed.owe(name, 0);
  expect(owed.due(0, 2)).toEqual(['one', 'two']);
  expect(owed.due(0, 2)).toEqual(['three']);
});

test('beyond the limit the oldest are given up', () => {
  const owed = new OwedDeletes();
  for (let call = 0; call <= MAX_OWED; call += 1) owed.owe(String(call), 0);
  expect(owed.size).toBe(MAX_OWED);
  expect(owed.due(0, 1)).toEqual(['1']);
});

test('an outcome of one that is not owed changes nothing', () => {
  const owed = new OwedDeletes();
  owed.answered('one', 0);
  owed.unanswered('one', 0);
  expect(owed.size).toBe(0);
});
