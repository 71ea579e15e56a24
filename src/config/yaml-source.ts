/**
 * YAML text -> plain values with their places in the text.
 *
 * The failsafe schema leaves every scalar as the text that was written: `+49`, `0049` and `11e2` stay phone numbers.
 * A key with nothing behind it counts as not written at all.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLError,
} from 'yaml';
import { type ConfigProblem, type Finding, formatPath, type Path } from './problem.ts';

/** A value of the file: text, list or mapping; mappings have no prototype. */
export type RawValue = string | readonly RawValue[] | RawMap;
export interface RawMap {
  readonly [key: string]: RawValue;
}

interface Place {
  readonly key: number;
  readonly value: number;
}

/** Bytes enough for thousands of agents, small enough to read in one go. */
const MAX_TEXT_LENGTH = 4 * 1024 * 1024;

/** Deep enough for every key there is; a bound for the recursion below. */
const MAX_DEPTH = 32;

/** Integers, octal, hexadecimal, decimals and exponents of YAML 1.2 and 1.1. */
const BARE_NUMBER = /^[-+]?(?:0x[\da-f]+|0o[0-7]+|[\d_]+(?:\.\d*)?(?:e[-+]?\d+)?)$/i;

export class YamlSource {
  /** The file's content; an empty mapping when there is none or it cannot be read. */
  readonly value: RawMap;
  /** Errors of the text itself: syntax, duplicate keys, tags. */
  readonly problems: readonly ConfigProblem[];
  /** False when the text is no YAML at all, so that judging its content makes no sense. */
  readonly isReadable: boolean;
  /** Places of unquoted scalars that other YAML programs would read as numbers. */
  readonly bareNumbers: Path[] = [];
  readonly #lines = new LineCounter();
  readonly #places = new Map<string, Place>();
  readonly #problems: ConfigProblem[] = [];

  constructor(text: string) {
    this.problems = this.#problems;
    this.value = emptyMap();
    this.isReadable = true;
    if (text.length > MAX_TEXT_LENGTH) {
      this.#refuse(0, [], 'the file is larger than 4 MiB');
      this.isReadable = false;
      return;
    }
    const document = parseDocument(text, {
      schema: 'failsafe',
      lineCounter: this.#lines,
      prettyErrors: false,
      logLevel: 'error',
    });
    const errors: readonly YAMLError[] = [...document.errors, ...document.warnings];
    for (const error of errors) this.#refuse(error.pos[0], [], describe(error, text));
    this.isReadable = document.errors.every((error) => error.code === 'DUPLICATE_KEY');
    if (!this.isReadable || document.contents === null) return;
    this.value = this.#readRoot(document);
  }

  /** Turns a finding about a path into a problem with line and column. */
  locate(finding: Finding): ConfigProblem {
    const { line, column } = this.#position(finding);
    const { message, suggestion } = finding;
    const problem = { line, column, path: formatPath(finding.path), message };
    return suggestion === undefined ? problem : { ...problem, suggestion };
  }

  /** 1-based line of what stands at `path`, or of the nearest thing around it; `undefined` when nothing is written. */
  lineOf(path: Path): number | undefined {
    return this.placeOf(path)?.line;
  }

  /** The same with the column, 1-based as well. */
  placeOf(path: Path): { readonly line: number; readonly column: number } | undefined {
    const isWritten = path.length > 0 && this.#places.has(JSON.stringify(path.slice(0, 1)));
    return isWritten ? this.#position({ path, at: 'key' }) : undefined;
  }

  #position(finding: Pick<Finding, 'path' | 'at'>): { line: number; column: number } {
    for (let length = finding.path.length; length >= 0; length -= 1) {
      const place = this.#places.get(JSON.stringify(finding.path.slice(0, length)));
      if (place === undefined) continue;
      const isExact = length === finding.path.length;
      return this.#lineColumn(isExact && finding.at === 'value' ? place.value : place.key);
    }
    return { line: 1, column: 1 };
  }

  #lineColumn(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #refuse(offset: number, path: Path, message: string): void {
    this.#problems.push({ ...this.#lineColumn(offset), path: formatPath(path), message });
  }

  #readRoot(document: Document.Parsed): RawMap {
    const root = this.#read(document.contents, [], document);
    if (root === undefined || root === '') return emptyMap();
    if (typeof root === 'string' || isList(root)) {
      this.#refuse(0, [], 'expected a mapping of sections such as "realms:" and "sip-interfaces:"');
      return emptyMap();
    }
    return root;
  }

  /** `undefined` when nothing was written. */
  #read(node: unknown, path: Path, document: Document.Parsed): RawValue | undefined {
    if (path.length > MAX_DEPTH) return undefined;
    if (isAlias(node)) {
      // Aliases repeat a node and with it its size; nothing in this file needs them.
      this.#refuse(node.range?.[0] ?? 0, path, 'aliases (*name) are not supported');
      return undefined;
    }
    if (isMap(node)) return this.#readMap(node.items, path, document);
    if (isSeq(node)) {
      const list: RawValue[] = [];
      for (const [index, item] of node.items.entries()) {
        const itemPath = [...path, index];
        this.#remember(itemPath, item, item);
        list.push(this.#read(item, itemPath, document) ?? '');
      }
      return list;
    }
    if (!isScalar(node)) return undefined;
    const text = typeof node.value === 'string' ? node.value : '';
    if (node.type === 'PLAIN' && BARE_NUMBER.test(text)) this.bareNumbers.push(path);
    return text === '' && node.type === 'PLAIN' ? undefined : text;
  }

  #readMap(
    items: readonly { key: unknown; value: unknown }[],
    path: Path,
    document: Document.Parsed,
  ): RawMap {
    const map: Record<string, RawValue> = emptyMap();
    for (const { key, value } of items) {
      if (!isScalar(key) || typeof key.value !== 'string') {
        this.#refuse(startOf(key) ?? startOf(value) ?? 0, path, 'a key must be plain text');
        continue;
      }
      const childPath = [...path, key.value];
      this.#remember(childPath, key, value);
      const child = this.#read(value, childPath, document);
      if (child !== undefined) map[key.value] = child;
    }
    return map;
  }

  #remember(path: Path, key: unknown, value: unknown): void {
    const keyOffset = startOf(key) ?? 0;
    this.#places.set(JSON.stringify(path), { key: keyOffset, value: startOf(value) ?? keyOffset });
  }
}

/** A mapping without prototype, where "__proto__" is a key like any other. */
export function emptyMap(): Record<string, RawValue> {
  const map: Record<string, RawValue> = Object.create(null);
  return map;
}

/** Narrowing that Array.isArray does not do for readonly lists. */
export function isList(value: RawValue | undefined): value is readonly RawValue[] {
  return Array.isArray(value);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function describe(error: YAMLError, text: string): string {
  if (error.code === 'MULTIPLE_DOCS') return 'only one document (---) may stand in the file';
  if (error.code === 'TAG_RESOLVE_FAILED') {
    return 'tags (!name) are not supported; a value that begins with "!" stands in quotes';
  }
  // The parser quotes what it did not expect, which may be a secret.
  if (error.code === 'UNEXPECTED_TOKEN') return error.message.replace(/: [^]*$/, '');
  if (error.code !== 'DUPLICATE_KEY') return error.message;
  const [key = ''] = /^[^\s:,]*/.exec(text.slice(error.pos[0], error.pos[0] + 80)) ?? [];
  return `"${key}" is already set in the same mapping`;
}
