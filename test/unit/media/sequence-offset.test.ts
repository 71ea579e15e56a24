import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LATE, SequenceOffset, SWALLOWED } from '../../../src/media/sequence-offset.ts';
import { addSequence16, sequenceDistance16 } from '../../../src/wire/sequence.ts';

const STARTS = [0, 1, 0x7fff, 0x8000, 0xfff0, 0xffff];
const SSRC = 7;
const OWN_SSRC = 99;

/**
 * Plays a script on numbers counted from `start` and says what leaves, relative to `start`:
 * `5` forwards packet 5, `~5` is packet 5 during a digit, `-5` an absorbed event packet 5, `!` an event packet.
 */
function play(start: number, script: string, numbers = new SequenceOffset()): string {
  const left: string[] = [];
  for (const step of script.split(' ')) {
    const sequenceNumber = addSequence16(start, Number(step.replace(/^[-~]/, '')));
    if (step === '!') left.push(`!${relative(start, numbers.next())}`);
    else if (step.startsWith('~')) numbers.swallow(SSRC, sequenceNumber);
    else if (step.startsWith('-')) numbers.absorb(SSRC, sequenceNumber);
    else {
      const number = numbers.forward(SSRC, sequenceNumber);
      if (number === LATE) left.push('late');
      else if (number === SWALLOWED) left.push('swallowed');
      else left.push(String(relative(start, number)));
    }
  }
  return left.join(' ');
}

function relative(start: number, number: number): number {
  return sequenceDistance16(start, number);
}

describe.each(STARTS)('from sequence number %i', (start) => {
  test.each([
    ['audio leaves as it came', '0 1 2 3', '0 1 2 3'],
    ['loss, reordering and repeats leave as they came', '0 2 1 1 5 9', '0 2 1 1 5 9'],
    ['as many event packets as audio: back at once', '0 ! ~1 ! ~2 ! ~3 4 5', '0 !1 !2 !3 4 5'],
    ['a surplus of one swallows one more', '0 ! ~1 ! ~2 ! 3 4', '0 !1 !2 !3 swallowed 4'],
    [
      'a surplus of three swallows three more',
      '0 ! ! ! 1 2 3 4',
      '0 !1 !2 !3 swallowed swallowed swallowed 4',
    ],
    ['a surplus is paid by what was lost on the way', '0 ! ! ! 2 4', '0 !1 !2 !3 swallowed 4'],
    ['audio lost behind the digit stays lost', '0 ! ~1 5', '0 !1 5'],
    ['late audio of before the digit is dropped', '0 ! ~2 1 3', '0 !1 late 3'],
    ['so is audio whose number the digit took', '0 ! ~1 ! ~2 3 2 1 4', '0 !1 !2 3 late late 4'],
    ['a repeat during the digit counts once', '0 ! ~1 ~1 ! ~2 3', '0 !1 !2 3'],
    ['two digits in a row', '0 ! ~1 ! 2 ! ~3 ! 4 5', '0 !1 !2 swallowed !3 !4 swallowed 5'],
    ['absorbed packets leave no hole', '0 -1 -2 3 4', '0 1 2'],
    ['an absorbed repeat counts once', '0 -1 -1 2', '0 1'],
    ['a late absorbed packet leaves the hole it had', '0 2 -1 3', '0 2 3'],
    ['audio late behind an absorbed packet keeps its place', '0 2 -3 1 4', '0 2 1 3'],
    [
      'a digit behind absorbed packets closes the distance',
      '0 -1 -2 3 ! ~4 ! 5 6',
      '0 1 !2 !3 4 5',
    ],
    ['an absorbed packet right behind a digit makes room for it', '0 ! ~1 ! -2 3', '0 !1 !2 3'],
  ])('%s', (_name, script, expected) => {
    expect(play(start, script)).toBe(expected);
  });

  test('a deficit is asked for and filled with repeats', () => {
    const numbers = new SequenceOffset();
    expect(play(start, '0 ! ~1 ~2 ~3', numbers)).toBe('0 !1');
    expect(numbers.deficit).toBe(2);
    expect(play(start, '! !', numbers)).toBe('!2 !3');
    expect(numbers.deficit).toBe(0);
    expect(play(start, '4 5', numbers)).toBe('4 5');
    expect(numbers.isTransparent).toBe(true);
  });

  test('a deficit that nobody fills is a hole, not an offset', () => {
    expect(play(start, '0 ! ~1 ~2 ~3 4')).toBe('0 !1 4');
  });

  test('a deficit of six is full: it is filled while the digit plays', () => {
    const numbers = new SequenceOffset();
    play(start, '0 ! ~1 ~2 ~3 ~4 ~5 ~6', numbers);
    expect(numbers.isDeficitFull).toBe(false);
    play(start, '~7', numbers);
    expect(numbers.isDeficitFull).toBe(true);
  });

  test('behind silence audio goes on with an offset and catches up one in eight', () => {
    const numbers = new SequenceOffset();
    play(start, '0 ! ! ! ! !', numbers);
    expect(numbers.ahead).toBe(5);
    const script = Array.from({ length: 44 }, (_, index) => index + 1).join(' ');
    const left = play(start, script, numbers).split(' ');
    expect(left.slice(0, 8)).toEqual(['6', '7', '8', '9', '10', '11', '12', 'swallowed']);
    const sent = left.filter((number) => number !== 'swallowed').map(Number);
    expect(sent).toEqual(Array.from({ length: 39 }, (_, index) => index + 6));
    expect(numbers.isTransparent).toBe(true);
  });

  test('while catching up loss helps and late packets are dropped', () => {
    const numbers = new SequenceOffset();
    expect(play(start, '0 ! ! ! ! ! 1 4 3 5 -6 7 10', numbers)).toBe(
      '0 !1 !2 !3 !4 !5 6 7 late 8 9 10',
    );
    expect(numbers.isTransparent).toBe(true);
  });

  test('without loss every number leaves once, and three audio packets behind a digit it is over', () => {
    const anyStep = fc.constantFrom('audio', 'audio', 'audio', 'digit');
    const anyDigit = fc.record({
      events: fc.integer({ min: 3, max: 12 }),
      drift: fc.integer({ min: -2, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), anyDigit, (steps, { events, drift }) => {
        const numbers = new SequenceOffset();
        const left: number[] = [];
        let next = start;
        const audio = (): void => {
          const number = numbers.forward(SSRC, next);
          if (number >= 0) left.push(number);
          next = addSequence16(next, 1);
        };
        audio();
        for (const step of steps) {
          if (step === 'audio') audio();
          else {
            for (let index = 0; index < events; index++) left.push(numbers.next());
            for (let index = 0; index < events - drift; index++) {
              numbers.swallow(SSRC, next);
              next = addSequence16(next, 1);
            }
            while (numbers.deficit > 0) left.push(numbers.next());
            // Three audio packets bring it back; the gap between two digits lasts about as long.
            for (let index = 0; index < 3; index++) audio();
          }
        }
        audio();
        expect(numbers.isTransparent).toBe(true);
        for (const [index, number] of left.slice(1).entries()) {
          expect(sequenceDistance16(left[index] ?? 0, number)).toBe(1);
        }
      }),
    );
  });
});

describe('a stream of our own', () => {
  test('counts on, also with the input that comes with the number behind its last', () => {
    const numbers = new SequenceOffset();
    expect(numbers.ssrc).toBeUndefined();
    numbers.begin(OWN_SSRC, 65_534);
    expect([1, 2, 3].map(() => numbers.next())).toEqual([65_535, 0, 1]);
    expect([numbers.ssrc, numbers.ahead, numbers.deficit]).toEqual([OWN_SSRC, 3, 0]);
    numbers.carryOn();
    expect([2, 3, 1].map((number) => numbers.forward(OWN_SSRC, number))).toEqual([2, 3, LATE]);
    expect(numbers.isTransparent).toBe(true);
    expect(numbers.next()).toBe(4);
  });

  test.each([
    ['after a digit', '0 ! !', 3],
    ['after absorbed packets', '0 -1 -2', 1],
    ['while it catches up', '0 ! ! ! ! ! 1 2', 8],
  ])('carries on another input %s', (_name, script, next) => {
    const numbers = new SequenceOffset();
    play(0, script, numbers);
    numbers.carryOn();
    expect(numbers.ahead).toBe(0);
    expect(numbers.forward(SSRC, next)).toBe(next);
    expect(numbers.isTransparent).toBe(true);
  });
});

describe('a sender that starts again', () => {
  test.each([
    ['with a new SSRC', 8, 1000],
    ['far ahead', SSRC, 4000],
    ['far behind', SSRC, 65_000],
  ])('%s leaves as it came', (_name, ssrc, sequenceNumber) => {
    const numbers = new SequenceOffset();
    play(0, '0 -1 -2 3', numbers);
    expect(numbers.forward(ssrc, sequenceNumber)).toBe(sequenceNumber);
    expect(numbers.isTransparent).toBe(true);
  });

  test('during a digit is taken over behind it', () => {
    const numbers = new SequenceOffset();
    play(0, '0 ! !', numbers);
    numbers.swallow(8, 777);
    numbers.swallow(SSRC, 9000);
    expect(numbers.next()).toBe(3);
    expect(numbers.forward(8, 778)).toBe(778);
  });
});

test('an absorbed packet may be the first of all', () => {
  expect(play(10, '-0 1 2')).toBe('0 1');
});

test('thousands of absorbed packets do not turn the offset around', () => {
  const numbers = new SequenceOffset();
  let sequenceNumber = 0;
  numbers.forward(SSRC, sequenceNumber);
  for (let index = 0; index < 70_000; index++) {
    sequenceNumber = addSequence16(sequenceNumber, 1);
    numbers.absorb(SSRC, sequenceNumber);
  }
  sequenceNumber = addSequence16(sequenceNumber, 1);
  expect(numbers.forward(SSRC, sequenceNumber)).toBe(1);
  expect(numbers.ahead).toBe(-70_000);
});

test('numbers dropped late by a digit are forgotten behind a hundred packets', () => {
  const numbers = new SequenceOffset();
  play(0, '0 ! ~1 2', numbers);
  const script = Array.from({ length: 105 }, (_, index) => index + 3).join(' ');
  play(0, script, numbers);
  expect(play(0, '60', numbers)).toBe('60');
});
