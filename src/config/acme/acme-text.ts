/**
 * Text of `show running-config` -> elements with their parameters.
 *
 *   sip-interface                         element: begins at the left
 *           state           enabled       parameter
 *           sip-port                      element inside: what follows is indented deeper
 *                   port    5060
 *           source-realm                  list of an older release: the values stand far to the right
 *                                  access
 *
 * Where indentation was lost on the way, names that are known tell the elements apart. One pass, whatever the input.
 */
import { type ContentLine, readLine, splitLines } from './acme-lines.ts';
import type { AcmeElement, AcmeParameter, AcmeStray, AcmeTree } from './acme-tree.ts';
import { INNER_ELEMENTS, LIST_PARAMETERS, TOP_ELEMENTS } from './acme-words.ts';

/** Values of older releases stand this far right of their name. */
const FAR_RIGHT = 12;
/** Deeper nesting than this is none of a configuration; its parameters count to the innermost element. */
const MAX_DEPTH = 8;
/** Lines that a quoted text or a list in parentheses may take. */
const MAX_CONTINUATION = 50;

interface Frame {
  readonly element: AcmeElement;
  readonly indent: number;
  /** Parameters that belong here although they are not indented deeper than the heading. */
  readonly own: ReadonlySet<string> | undefined;
  /** Something indented deeper than the heading has been read. */
  isIndented: boolean;
}

export function readAcme(text: string): AcmeTree {
  const strays: AcmeStray[] = [];
  const filledLines: number[] = [];
  const contents: ContentLine[] = [];
  for (const [index, line] of splitLines(text).entries()) {
    const read = readLine(line, index + 1);
    if (read.type === 'blank') continue;
    filledLines.push(index + 1);
    if (read.type === 'content') contents.push(read.content);
    else strays.push({ line: index + 1, text: read.text, kind: read.type, reason: read.reason });
  }
  const reader = new TreeReader(contents);
  reader.read();
  return { elements: reader.elements, strays: [...strays, ...reader.strays], filledLines };
}

class TreeReader {
  readonly elements: AcmeElement[] = [];
  readonly strays: AcmeStray[] = [];
  readonly #lines: readonly ContentLine[];
  /** Where elements begin: 0, or further right in a text that was indented as a whole. */
  readonly #margin: number;
  readonly #frames: Frame[] = [];
  readonly #closers: Readonly<Record<Closer, Int32Array>>;
  #last: { readonly parameter: AcmeParameter; readonly indent: number } | undefined;

  constructor(lines: readonly ContentLine[]) {
    this.#lines = lines;
    this.#margin = lines.find((line) => isTop(line))?.indent ?? 0;
    this.#closers = { ')': linesWith(lines, ')'), '"': linesWith(lines, '"') };
  }

  read(): void {
    let index = 0;
    while (index < this.#lines.length) index += this.#readAt(index);
  }

  /** @returns how many lines were taken. */
  #readAt(index: number): number {
    const line = this.#lines[index];
    if (line === undefined) return 1;
    const next = this.#lines[index + 1];
    if (line.indent <= this.#margin && this.#isHeading(line, next)) {
      this.#frames.length = 0;
      this.#open(line, undefined);
      return 1;
    }
    if (this.#last !== undefined && line.indent >= this.#last.indent + FAR_RIGHT) {
      append(this.#last.parameter, line);
      return 1;
    }
    this.#leave(line);
    const frame = this.#frames.at(-1);
    if (frame === undefined) {
      const reason = 'belongs to no element';
      const text = `${line.name} ${line.value}`.trim().slice(0, 80);
      this.strays.push({ line: line.number, text, kind: 'unreadable', reason });
      this.#last = undefined;
      return 1;
    }
    if (line.indent > frame.indent) frame.isIndented = true;
    if (isInner(line, next)) {
      this.#open(line, isDeeper(line, next) ? undefined : INNER_ELEMENTS.get(line.name));
      return 1;
    }
    return this.#parameter(index, line);
  }

  #isHeading(line: ContentLine, next: ContentLine | undefined): boolean {
    if (line.value !== '' || !isName(line.name)) return false;
    if (isTop(line)) return true;
    const isList = LIST_PARAMETERS.has(line.name) && this.#frames.length > 0;
    return !isList && !INNER_ELEMENTS.has(line.name) && isDeeper(line, next);
  }

  /** Closes the elements that end before `line`. */
  #leave(line: ContentLine): void {
    for (;;) {
      const frame = this.#frames.at(-1);
      if (frame === undefined || line.indent > frame.indent) return;
      if (frame.own?.has(line.name) === true && line.indent === frame.indent) return;
      // A text without any indentation: all of it belongs to the element above.
      const isLevel = this.#frames.length === 1 && line.indent === frame.indent;
      if (isLevel && !frame.isIndented && isName(line.name)) return;
      this.#frames.pop();
    }
  }

  #open(line: ContentLine, own: ReadonlySet<string> | undefined): void {
    this.#last = undefined;
    const element = { name: line.name, line: line.number, parameters: [], children: [] };
    const parent = this.#frames.at(-1);
    (parent?.element.children ?? this.elements).push(element);
    if (this.#frames.length < MAX_DEPTH) {
      this.#frames.push({ element, indent: line.indent, own, isIndented: false });
    }
  }

  #parameter(index: number, line: ContentLine): number {
    const parameter = { name: line.name, raw: line.value, lines: [line.number] };
    this.#frames.at(-1)?.element.parameters.push(parameter);
    this.#last = { parameter, indent: line.indent };
    const more = this.#continuation(index, line);
    for (const further of more) append(parameter, further);
    return 1 + more.length;
  }

  /** Lines up to the one that closes a quotation or a list which `line` opens. */
  #continuation(index: number, line: ContentLine): readonly ContentLine[] {
    const closer = closerOf(line.value);
    const end = closer === undefined ? -1 : (this.#closers[closer][index + 1] ?? -1);
    if (end === -1 || end - index > MAX_CONTINUATION) return [];
    const more = this.#lines.slice(index + 1, end + 1);
    // The next parameter: what was opened is a character like any other.
    const isBroken = more.some(({ indent, name }) => indent <= line.indent && isName(name));
    return isBroken ? [] : more;
  }
}

type Closer = ')' | '"';

/** For each line the index of the first one from there on that holds `character`; -1 for none. */
function linesWith(lines: readonly ContentLine[], character: Closer): Int32Array {
  const found = new Int32Array(lines.length).fill(-1);
  let nearest = -1;
  for (const [index, { name, value }] of [...lines.entries()].toReversed()) {
    if (name.includes(character) || value.includes(character)) nearest = index;
    found[index] = nearest;
  }
  return found;
}

/** What closes the value, `undefined` when nothing is open. */
function closerOf(value: string): Closer | undefined {
  if (value.startsWith('(') && !value.includes(')')) return ')';
  const quotes = value.split('"').length - 1;
  return quotes % 2 === 1 ? '"' : undefined;
}

function append(parameter: AcmeParameter, line: ContentLine): void {
  const value = line.value === '' ? line.name : `${line.name} ${line.value}`;
  parameter.raw = parameter.raw === '' ? value : `${parameter.raw} ${value}`;
  parameter.lines.push(line.number);
}

function isInner(line: ContentLine, next: ContentLine | undefined): boolean {
  if (line.value !== '' || !isName(line.name) || LIST_PARAMETERS.has(line.name)) return false;
  if (!isDeeper(line, next)) return INNER_ELEMENTS.has(line.name);
  return (
    next !== undefined && (next.indent < line.indent + FAR_RIGHT || INNER_ELEMENTS.has(line.name))
  );
}

function isDeeper(line: ContentLine, next: ContentLine | undefined): boolean {
  return next !== undefined && next.indent > line.indent;
}

function isTop(line: ContentLine): boolean {
  return line.value === '' && TOP_ELEMENTS.has(line.name);
}

function isName(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(text);
}
