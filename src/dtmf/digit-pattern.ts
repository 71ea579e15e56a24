/**
 * Digit regular expressions of KPML (DRegex, RFC 4730 §5.1 with EID 13), compiled for matching.
 *
 *   DRegex   = 1*( position [ repeat ] )            "x{3}[*#]."   three digits, then any number of * and #
 *   position = [ "L" ] char / "[" [ "^" ] 1*( char [ "-" char ] ) "]"
 *   char     = 0-9 / A-D / R / * / # / x            letters in either case; x is any of 0-9
 *   repeat   = "." / "{" n "}" / "{" n "," m "}" / "{" n "," "}" / "{" "," m "}"
 *
 * White space does not count. There are no groups, so an expression compiles to a chain of steps:
 *
 *   x{1,2}#.   ->   [x once] [x optional] [# any]
 */

import { KPML_KEYS, kpmlKeyOf } from '../wire/kpml.ts';
import type { KpmlRegex } from '../wire/kpml-request.ts';

/** How often a step takes a key: exactly once, at most once, or any number of times. */
export type StepRepeat = 'once' | 'optional' | 'any';

export interface PatternStep {
  /** Keys it takes when they were held shortly; bit n is the key at index n of `KPML_KEYS`. */
  readonly shortKeys: number;
  /** Keys it takes when they were held long. */
  readonly longKeys: number;
  readonly repeat: StepRepeat;
}

export interface CompiledRegex {
  readonly steps: readonly PatternStep[];
  readonly tag: string | undefined;
}

/** All expressions of one document. */
export interface DigitPattern {
  readonly regexes: readonly CompiledRegex[];
  /** An `L` occurs somewhere: how long a key is held matters. */
  readonly hasLongKeys: boolean;
  readonly stepCount: number;
}

export type CompileResult =
  | { readonly type: 'pattern'; readonly pattern: DigitPattern }
  | { readonly type: 'refused'; readonly detail: string };

const MAX_REPETITIONS = 1000;
const MAX_STEPS = 10_000;

const DIGITS = keySet('0123456789');
const LETTERS = 'ABCD';

/** One position as written, before it is known which keys are told apart by length. */
interface Position {
  readonly keys: number;
  readonly isLong: boolean;
  readonly atLeast: number;
  readonly atMost: number;
}

/** Compiles the expressions of a document; refused means KPML 501. */
export function compileDigitPattern(regexes: readonly KpmlRegex[]): CompileResult {
  const parsed: { positions: Position[]; tag: string | undefined }[] = [];
  let stepCount = 0;
  for (const regex of regexes) {
    const expression = regex.parts.map((part) => part.text).join('');
    const positions = new DRegexReader(expression).read();
    if (typeof positions === 'string') return { type: 'refused', detail: positions };
    stepCount += positions.reduce((sum, position) => sum + stepsOf(position), 0);
    if (stepCount > MAX_STEPS) return { type: 'refused', detail: 'pattern too complex' };
    parsed.push({ positions, tag: regex.tag });
  }
  const all = parsed.flatMap(({ positions }) => positions);
  const toldApart = keysIn(all, true) & keysIn(all, false);
  const pattern: DigitPattern = {
    regexes: parsed.map(({ positions, tag }) => ({
      steps: positions.flatMap((position) => expand(position, toldApart)),
      tag,
    })),
    hasLongKeys: all.some((position) => position.isLong),
    stepCount,
  };
  return { type: 'pattern', pattern };
}

/** The keys that some position names with `L`, or without. */
function keysIn(positions: readonly Position[], isLong: boolean): number {
  return positions
    .filter((position) => position.isLong === isLong)
    .reduce((keys, position) => keys | position.keys, 0);
}

function stepsOf(position: Position): number {
  return position.atMost === Infinity ? position.atLeast + 1 : position.atMost;
}

/** A key that is asked for in one form only matches however long it is held (RFC 4730 §3.6.2). */
function expand(position: Position, toldApart: number): PatternStep[] {
  const { keys, isLong, atLeast, atMost } = position;
  const shortKeys = isLong ? keys & ~toldApart : keys;
  const longKeys = isLong ? keys : keys & ~toldApart;
  const steps: PatternStep[] = [];
  const add = (count: number, repeat: StepRepeat): void => {
    const step = { shortKeys, longKeys, repeat };
    for (let i = 0; i < count; i += 1) steps.push(step);
  };
  add(atLeast, 'once');
  if (atMost === Infinity) add(1, 'any');
  else add(atMost - atLeast, 'optional');
  return steps;
}

/** Reads one expression from left to right; every method returns what is wrong as a string. */
class DRegexReader {
  readonly #text: string;
  #at = 0;

  constructor(expression: string) {
    this.#text = expression.replaceAll(/\s/g, '').toUpperCase();
  }

  read(): Position[] | string {
    const positions: Position[] = [];
    while (this.#at < this.#text.length) {
      const position = this.#position();
      if (typeof position === 'string') return position;
      const repeat = this.#repeat();
      if (typeof repeat === 'string') return repeat;
      positions.push({ ...position, ...repeat });
    }
    return positions.length > 0 ? positions : 'empty regex';
  }

  #position(): Pick<Position, 'keys' | 'isLong'> | string {
    if (this.#take('[')) {
      const keys = this.#set();
      return typeof keys === 'string' ? keys : { keys, isLong: false };
    }
    const isLong = this.#take('L');
    const keys = keysOf(this.#next());
    return keys === undefined ? `no key at ${this.#at} of ${this.#text}` : { keys, isLong };
  }

  /** The inside of brackets, up to and including the closing one. */
  #set(): number | string {
    const isNegated = this.#take('^');
    let keys = 0;
    do {
      const first = this.#next();
      const range = this.#take('-') ? keyRange(first, this.#next()) : keysOf(first);
      if (range === undefined) return `no key or range at ${this.#at} of ${this.#text}`;
      keys |= range;
    } while (!this.#take(']'));
    return isNegated ? DIGITS & ~keys : keys;
  }

  #repeat(): Pick<Position, 'atLeast' | 'atMost'> | string {
    if (this.#take('.')) return { atLeast: 0, atMost: Infinity };
    if (!this.#take('{')) return { atLeast: 1, atMost: 1 };
    const end = this.#text.indexOf('}', this.#at);
    const range = /^(?:(\d+)|(\d*),(\d*))$/.exec(this.#text.slice(this.#at, Math.max(end, 0)));
    if (range === null || range[0] === ',') return `no repetition at ${this.#at} of ${this.#text}`;
    this.#at = end + 1;
    const [, exactly, from = '', to = ''] = range;
    const atLeast = Number(exactly ?? from);
    const atMost = Number(exactly ?? (to === '' ? Infinity : to));
    const isSmall = atLeast <= MAX_REPETITIONS && (atMost <= MAX_REPETITIONS || to === '');
    return isSmall && atLeast <= atMost ? { atLeast, atMost } : 'repetition out of bounds';
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #next(): string {
    const character = this.#text[this.#at] ?? '';
    this.#at += 1;
    return character;
  }
}

/** The keys one character stands for; `undefined` when it stands for none. */
function keysOf(character: string): number | undefined {
  if (character === 'X') return DIGITS;
  return kpmlKeyOf(character) === undefined ? undefined : keySet(character);
}

/** Digits and letters are separate alphabets; neither range runs backwards. */
function keyRange(first: string, last: string): number | undefined {
  const alphabet = LETTERS.includes(first) ? LETTERS : '0123456789';
  const from = alphabet.indexOf(first);
  const to = last === '' ? -1 : alphabet.indexOf(last);
  return from < 0 || to < from ? undefined : keySet(alphabet.slice(from, to + 1));
}

/** The keys in `characters` as a set of bits. */
export function keySet(characters: string): number {
  return characters.split('').reduce((keys, key) => keys | (1 << KPML_KEYS.indexOf(key)), 0);
}
