/**
 * Regular expressions that run in linear time on whatever peers send: an automaton that follows all alternatives at once
 * and never goes back (Thompson 1968, with captures after Pike). The leftmost match counts, then the first alternative.
 */
import { type Instruction, type Program, compilePattern, PatternError } from './linear-program.ts';

export type { Program } from './linear-program.ts';

/** A match: the whole text of it, then the groups; a group that took no part is empty. */
export interface PatternMatch {
  readonly start: number;
  readonly end: number;
  readonly groups: readonly string[];
}

/** How many more steps may be taken, by all matches together that share it. */
export interface StepBudget {
  steps: number;
}

interface Thread {
  readonly at: number;
  /** Start and end of the match and of each group; -1 for none. */
  readonly places: readonly number[];
}

/** The program of `text`, or why it has none. */
export function readPattern(text: string): Program | { readonly problem: string } {
  try {
    return compilePattern(text);
  } catch (error) {
    if (error instanceof PatternError) return { problem: error.message };
    throw error;
  }
}

/** The first match in `text`; `exhausted` when the budget ends before that is known. */
export function matchPattern(
  program: Program,
  text: string,
  budget: StepBudget,
): PatternMatch | 'none' | 'exhausted' {
  const places: number[] = Array.from({ length: program.groups * 2 + 2 }, () => -1);
  const visited = new Int32Array(program.instructions.length).fill(-1);
  let threads: Thread[] = [];
  let found: readonly number[] | undefined;
  for (let index = 0; index <= text.length; index += 1) {
    // Behind all others, so that a match that began earlier wins.
    const run = new Step(program.instructions, { text, index, budget, visited });
    for (const thread of threads) run.add(thread.at, thread.places);
    if (found === undefined) run.add(0, places);
    if (run.isExhausted) return 'exhausted';
    found = run.found ?? found;
    threads = run.advanced;
    if (threads.length === 0 && found !== undefined) break;
  }
  return found === undefined ? 'none' : toMatch(found, text);
}

interface Place {
  readonly text: string;
  readonly index: number;
  readonly budget: StepBudget;
  /** Per instruction the place at which a thread was there last. */
  readonly visited: Int32Array;
}

/** All threads at one place of the text: where they stand after everything that takes no character. */
class Step {
  readonly advanced: Thread[] = [];
  found: readonly number[] | undefined;
  isExhausted = false;
  readonly #instructions: readonly Instruction[];
  readonly #input: Place;

  constructor(instructions: readonly Instruction[], input: Place) {
    this.#instructions = instructions;
    this.#input = input;
  }

  /** Threads added after one that has matched have a lower priority: they are cut off. */
  add(start: number, startPlaces: readonly number[]): void {
    const { index, visited } = this.#input;
    const stack: Thread[] = [{ at: start, places: startPlaces }];
    for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
      if (this.found !== undefined || this.isExhausted) return;
      if (visited[thread.at] === index) continue;
      visited[thread.at] = index;
      this.#input.budget.steps -= 1;
      if (this.#input.budget.steps < 0) this.isExhausted = true;
      else this.#follow(thread, stack);
    }
  }

  #follow({ at, places }: Thread, stack: Thread[]): void {
    const { text, index } = this.#input;
    const instruction = this.#instructions[at];
    if (instruction === undefined) return;
    switch (instruction.type) {
      case 'match':
        this.found = places.with(1, index);
        return;
      case 'character':
        if (index < text.length && instruction.accepts(text.charCodeAt(index))) {
          const begun = places[0] === -1 ? places.with(0, index) : places;
          this.advanced.push({ at: at + 1, places: begun });
        }
        return;
      case 'edge':
        if (index === (instruction.edge === 'start' ? 0 : text.length)) {
          stack.push({ at: at + 1, places });
        }
        return;
      case 'save':
        stack.push({ at: at + 1, places: places.with(instruction.place, index) });
        return;
      case 'jump':
        stack.push({ at: instruction.to, places });
        return;
      case 'split':
        // Taken from the end: the preferred way is pushed last.
        stack.push({ at: instruction.second, places }, { at: instruction.first, places });
    }
  }
}

function toMatch(places: readonly number[], text: string): PatternMatch {
  const end = places[1] ?? 0;
  const start = places[0] === undefined || places[0] < 0 ? end : places[0];
  const groups = [text.slice(start, end)];
  for (let place = 2; place < places.length; place += 2) {
    const from = places[place] ?? -1;
    const to = places[place + 1] ?? -1;
    groups.push(from < 0 || to < from ? '' : text.slice(from, to));
  }
  return { start, end, groups };
}
