/**
 * Runs keys through the expressions of a document, all of them at once.
 *
 * Each expression is a chain of n steps, hence n + 1 places; a thread is an attempt that stands at a place
 * and knows at which key it began. Example `x{1,2}#` typed "12#":
 *
 *   place     0    1    2    3 = end      steps: [x once] [x optional] [# once]
 *   begin     0    .    .    .
 *   "1"       .    0    0    .            place 2 too, since the optional step may be passed over
 *   "12"      .    .    0    .
 *   "12#"     .    .    .    0            match that began at key 0
 *
 * One key costs one pass over all places, whatever was typed before.
 */

import { KPML_KEYS } from '../wire/kpml.ts';
import type { KpmlKey } from '../wire/kpml.ts';
import type { DigitPattern, PatternStep } from './digit-pattern.ts';

export interface PatternMatch {
  /** Index of the expression in its document. */
  readonly regexIndex: number;
  /** Number of keys before the match began, counted since the last reset. */
  readonly start: number;
  /** Number of keys when it was complete. */
  readonly end: number;
}

/** What the expressions could still become after the last key. */
export type PatternOutlook =
  | 'nothing'
  /** No other expression than the one that matched can grow. */
  | 'same-regex'
  | 'other-regex';

/** Marks a place where no thread stands; larger than any count of keys. */
const NONE = 0x7fff_ffff;

/** One expression with the threads at its places: the number of keys before each began. */
interface Run {
  readonly steps: readonly PatternStep[];
  readonly threads: Int32Array;
}

export class PatternMatcher {
  readonly #runs: readonly Run[];
  readonly #isRolling: boolean;
  #position = 0;
  #match: PatternMatch | undefined;

  /** `isRolling`: an attempt may begin at every key, not only at the first one (`nopartial`). */
  constructor(pattern: DigitPattern, isRolling: boolean) {
    this.#isRolling = isRolling;
    this.#runs = pattern.regexes.map(({ steps }) => ({
      steps,
      threads: new Int32Array(steps.length + 1),
    }));
    this.reset();
  }

  /** Longest match so far, the first in document order among equals. */
  get match(): PatternMatch | undefined {
    return this.#match;
  }

  /** Number of keys since the last reset. */
  get position(): number {
    return this.#position;
  }

  /** The first expression that is content without any key. */
  get emptyRegexIndex(): number | undefined {
    const index = this.#runs.findIndex(({ steps }) =>
      steps.every((step) => step.repeat !== 'once'),
    );
    return index < 0 ? undefined : index;
  }

  /** Forgets all keys. */
  reset(): void {
    this.#position = 0;
    this.#match = undefined;
    for (const { threads } of this.#runs) threads.fill(NONE);
    this.#begin();
  }

  /** Takes one key. */
  step(key: KpmlKey, isLong: boolean): void {
    if (this.#isRolling && this.#match === undefined) this.#begin();
    const keyBit = 1 << KPML_KEYS.indexOf(key);
    this.#position += 1;
    let found: PatternMatch | undefined;
    for (const [regexIndex, run] of this.#runs.entries()) {
      advance(run, keyBit, isLong);
      const start = threadAt(run, run.steps.length);
      if (start < (found?.start ?? NONE)) found = { regexIndex, start, end: this.#position };
    }
    if (found === undefined) return;
    this.#match = found;
    // From now on only what may become a longer match from the same beginning is of interest.
    for (const { threads } of this.#runs) dropLater(threads, found.start);
  }

  /** What may still come, seen from the current match. */
  get outlook(): PatternOutlook {
    let outlook: PatternOutlook = 'nothing';
    for (const [regexIndex, run] of this.#runs.entries()) {
      if (!canGrow(run)) continue;
      if (regexIndex !== this.#match?.regexIndex) return 'other-regex';
      outlook = 'same-regex';
    }
    return outlook;
  }

  /** Keys before this one belong to no attempt any more. */
  get earliestStart(): number {
    let earliest = this.#match?.start ?? this.#position;
    for (const { threads } of this.#runs) {
      for (const start of threads) earliest = Math.min(earliest, start);
    }
    return earliest;
  }

  #begin(): void {
    for (const run of this.#runs) {
      run.threads[0] = Math.min(threadAt(run, 0), this.#position);
      passOver(run);
    }
  }
}

/** Moves every thread over one key; backwards, so that each place is read before it is written. */
function advance(run: Run, keyBit: number, isLong: boolean): void {
  const { steps, threads } = run;
  let step: PatternStep | undefined;
  for (let place = steps.length; place >= 0; place -= 1) {
    let start = NONE;
    if (step?.repeat === 'any' && takes(step, keyBit, isLong)) start = threadAt(run, place);
    step = steps[place - 1];
    if (step !== undefined && step.repeat !== 'any' && takes(step, keyBit, isLong)) {
      start = Math.min(start, threadAt(run, place - 1));
    }
    threads[place] = start;
  }
  passOver(run);
}

function takes(step: PatternStep, keyBit: number, isLong: boolean): boolean {
  return ((isLong ? step.longKeys : step.shortKeys) & keyBit) !== 0;
}

/** Lets threads pass steps that need no key. */
function passOver(run: Run): void {
  const { steps, threads } = run;
  for (let place = 0; place < steps.length; place += 1) {
    if (steps[place]?.repeat === 'once') continue;
    threads[place + 1] = Math.min(threadAt(run, place + 1), threadAt(run, place));
  }
}

function canGrow(run: Run): boolean {
  return run.steps.some(
    (step, place) => (step.shortKeys | step.longKeys) !== 0 && threadAt(run, place) !== NONE,
  );
}

function dropLater(threads: Int32Array, start: number): void {
  for (let place = 0; place < threads.length; place += 1) {
    if (Number(threads[place]) > start) threads[place] = NONE;
  }
}

/** There is a thread, or {@link NONE}, at every place of the steps and behind the last one. */
function threadAt(run: Run, place: number): number {
  return Number(run.threads[place]);
}
