/**
 * Regular expression text -> program of linear-pattern.ts. The syntax is that of JavaScript without what needs going
 * back: no back-reference, no lookaround, no word boundary.
 */

export type Instruction =
  | { readonly type: 'character'; readonly accepts: (code: number) => boolean }
  | { readonly type: 'edge'; readonly edge: 'start' | 'end' }
  | { readonly type: 'save'; readonly place: number }
  | { readonly type: 'jump'; readonly to: number }
  | { readonly type: 'split'; readonly first: number; readonly second: number }
  | { readonly type: 'match' };

export interface Program {
  readonly instructions: readonly Instruction[];
  /** Number of capturing groups, at most 9. */
  readonly groups: number;
}

/** Why a text is no pattern. */
export class PatternError extends Error {}

const MAX_PATTERN_LENGTH = 256;
const MAX_INSTRUCTIONS = 512;
const MAX_REPEATS = 64;
const MAX_GROUPS = 9;
const MAX_DEPTH = 32;

type Node =
  | { readonly type: 'character'; readonly accepts: (code: number) => boolean }
  | { readonly type: 'edge'; readonly edge: 'start' | 'end' }
  | { readonly type: 'sequence'; readonly items: readonly Node[] }
  | { readonly type: 'choice'; readonly ways: readonly Node[] }
  | { readonly type: 'group'; readonly number: number; readonly inner: Node }
  | {
      readonly type: 'repeat';
      readonly inner: Node;
      readonly least: number;
      /** `undefined` for any number. */
      readonly most: number | undefined;
      readonly isLazy: boolean;
    };

/** @throws PatternError when the text is no pattern, or one that is too large. */
export function compilePattern(text: string): Program {
  if (text === '') throw new PatternError('it is empty');
  if (text.length > MAX_PATTERN_LENGTH) {
    throw new PatternError(`longer than ${MAX_PATTERN_LENGTH} characters`);
  }
  const parser = new Parser(text);
  const root = parser.parse();
  const instructions: Instruction[] = [];
  emit(root, instructions);
  instructions.push({ type: 'match' });
  return { instructions, groups: parser.groups };
}

class Parser {
  groups = 0;
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw new PatternError('a ")" too many');
    return node;
  }

  #choice(): Node {
    const ways = [this.#sequence()];
    while (this.#take('|')) ways.push(this.#sequence());
    return ways.length === 1 && ways[0] !== undefined ? ways[0] : { type: 'choice', ways };
  }

  #sequence(): Node {
    const items: Node[] = [];
    while (this.#at < this.#text.length && !'|)'.includes(this.#peek())) items.push(this.#repeat());
    return { type: 'sequence', items };
  }

  #repeat(): Node {
    const inner = this.#atom();
    const bounds = this.#bounds();
    if (bounds === undefined) return inner;
    if (inner.type === 'edge') throw new PatternError('nothing to repeat');
    const isLazy = this.#take('?');
    if ('*+?{'.includes(this.#peek() || ' ')) throw new PatternError('nothing to repeat');
    return { type: 'repeat', inner, isLazy, ...bounds };
  }

  #bounds(): { least: number; most: number | undefined } | undefined {
    if (this.#take('*')) return { least: 0, most: undefined };
    if (this.#take('+')) return { least: 1, most: undefined };
    if (this.#take('?')) return { least: 0, most: 1 };
    if (this.#peek() !== '{') return undefined;
    const match = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(this.#text.slice(this.#at));
    if (match === null) throw new PatternError('"{" without a number of repeats');
    this.#at += match[0].length;
    const least = Number(match[1]);
    const upper = match[3] ?? '';
    const open = match[2] === undefined ? least : undefined;
    const most = upper === '' ? open : Number(upper);
    if (least > MAX_REPEATS || (most ?? 0) > MAX_REPEATS || (most ?? least) < least) {
      throw new PatternError(`repeats must rise and be ${MAX_REPEATS} at most`);
    }
    return { least, most };
  }

  #atom(): Node {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return { type: 'character', accepts: this.#set() };
      case '.':
        return { type: 'character', accepts: () => true };
      case '^':
        return { type: 'edge', edge: 'start' };
      case '$':
        return { type: 'edge', edge: 'end' };
      case '\\':
        return { type: 'character', accepts: this.#escape() };
      case '*':
      case '+':
      case '?':
      case '{':
        throw new PatternError('nothing to repeat');
      default:
        return { type: 'character', accepts: exactly(character) };
    }
  }

  #group(): Node {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new PatternError(`more than ${MAX_DEPTH} groups in another`);
    const isCapturing = !this.#take('?:');
    if (isCapturing && this.#peek() === '?') {
      throw new PatternError('only (…) and (?:…) are supported');
    }
    if (isCapturing) this.groups += 1;
    const { groups: number } = this;
    if (number > MAX_GROUPS) throw new PatternError(`more than ${MAX_GROUPS} groups`);
    const inner = this.#choice();
    if (!this.#take(')')) throw new PatternError('a "(" without ")"');
    this.#depth -= 1;
    return isCapturing ? { type: 'group', number, inner } : inner;
  }

  #escape(): (code: number) => boolean {
    const character = this.#next();
    const named = CLASSES.get(character);
    if (named !== undefined) return named;
    if (/[A-Za-z0-9]/.test(character)) {
      throw new PatternError(`"\\${character}" is not supported`);
    }
    return exactly(character);
  }

  #set(): (code: number) => boolean {
    const isNegated = this.#take('^');
    const members: ((code: number) => boolean)[] = [];
    while (!this.#take(']')) {
      const first = this.#next();
      const isEscaped = first === '\\';
      const member = isEscaped ? this.#escape() : exactly(first);
      const isRange = !isEscaped && this.#peek() === '-' && this.#text[this.#at + 1] !== ']';
      if (!isRange) {
        members.push(member);
        continue;
      }
      this.#at += 1;
      const last = this.#next();
      if (last === '\\' || last < first) throw new PatternError('a range that does not rise');
      const [from, to] = [first.charCodeAt(0), last.charCodeAt(0)];
      members.push((code) => code >= from && code <= to);
    }
    return (code) => members.some((accepts) => accepts(code)) !== isNegated;
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #next(): string {
    const character = this.#peek();
    if (character === '') throw new PatternError('it ends too early');
    this.#at += 1;
    return character;
  }

  #take(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isWord = (code: number): boolean => /\w/.test(String.fromCharCode(code));
const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;

const CLASSES: ReadonlyMap<string, (code: number) => boolean> = new Map([
  ['d', isDigit],
  ['D', (code: number) => !isDigit(code)],
  ['w', isWord],
  ['W', (code: number) => !isWord(code)],
  ['s', isSpace],
  ['S', (code: number) => !isSpace(code)],
]);

function exactly(character: string): (code: number) => boolean {
  const wanted = character.charCodeAt(0);
  return (code) => code === wanted;
}

function emit(node: Node, out: Instruction[]): void {
  if (out.length > MAX_INSTRUCTIONS) throw new PatternError('too many repeats in each other');
  switch (node.type) {
    case 'character':
    case 'edge':
      out.push(node);
      return;
    case 'sequence':
      for (const item of node.items) emit(item, out);
      return;
    case 'group':
      out.push({ type: 'save', place: node.number * 2 });
      emit(node.inner, out);
      out.push({ type: 'save', place: node.number * 2 + 1 });
      return;
    case 'choice':
      emitChoice(node.ways, out);
      return;
    case 'repeat':
      emitTimes(node.inner, node.least, out);
      if (node.most === undefined) emitLoop(node.inner, node.isLazy, out);
      else emitOptional(node.inner, { ...node, times: node.most - node.least }, out);
  }
}

function emitChoice(ways: readonly Node[], out: Instruction[]): void {
  const ends: number[] = [];
  ways.forEach((way, index) => {
    if (index === ways.length - 1) {
      emit(way, out);
      return;
    }
    const split = out.push({ type: 'match' }) - 1;
    emit(way, out);
    ends.push(out.push({ type: 'match' }) - 1);
    out[split] = { type: 'split', first: split + 1, second: out.length };
  });
  for (const end of ends) out[end] = { type: 'jump', to: out.length };
}

function emitTimes(inner: Node, times: number, out: Instruction[]): void {
  for (let count = 0; count < times; count += 1) {
    const before = out.length;
    emit(inner, out);
    if (out.length === before) return;
  }
}

function emitLoop(inner: Node, isLazy: boolean, out: Instruction[]): void {
  const split = out.push({ type: 'match' }) - 1;
  emit(inner, out);
  out.push({ type: 'jump', to: split });
  out[split] = splitAt(split, out.length, isLazy);
}

function emitOptional(
  inner: Node,
  { times, isLazy }: { readonly times: number; readonly isLazy: boolean },
  out: Instruction[],
): void {
  const splits: number[] = [];
  for (let count = 0; count < times; count += 1) {
    splits.push(out.push({ type: 'match' }) - 1);
    emit(inner, out);
  }
  for (const split of splits) out[split] = splitAt(split, out.length, isLazy);
}

function splitAt(at: number, behind: number, isLazy: boolean): Instruction {
  return isLazy
    ? { type: 'split', first: behind, second: at + 1 }
    : { type: 'split', first: at + 1, second: behind };
}
