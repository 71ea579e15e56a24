/** The elements of a running configuration by name, each with its reader. */
import { ImportLedger } from './acme-ledger.ts';
import { NameMap } from './acme-names.ts';
import { ElementReader } from './acme-reader.ts';
import type { AcmeElement, AcmeTree } from './acme-tree.ts';
import { textOf } from './acme-value.ts';

/** Parameters that name an element, the first that is there. */
const LABELS = [
  'hostname',
  'identifier',
  'group-name',
  'id',
  'name',
  'realm-id',
  'to-address',
  'source-address',
  'dest-network',
];
const LABEL_LENGTH = 64;

export class AcmeSource {
  readonly ledger = new ImportLedger();
  readonly #byName = new Map<string, ElementReader[]>();

  constructor(tree: AcmeTree) {
    for (const element of tree.elements) {
      const reader = new ElementReader(element, this.ledger, labelOf(element));
      const known = this.#byName.get(element.name);
      if (known === undefined) this.#byName.set(element.name, [reader]);
      else known.push(reader);
    }
    for (const { line, text, kind, reason } of tree.strays) {
      const fate = kind === 'surroundings' ? 'ignored' : 'not-carried';
      this.ledger.stray(line, text, { fate, reason });
    }
  }

  all(name: string): readonly ElementReader[] {
    return this.#byName.get(name) ?? [];
  }

  names(): readonly string[] {
    return [...this.#byName.keys()];
  }
}

/** Elements that count only where another one names them; each is built when it is asked for first. */
export class NamedElements<T> {
  readonly #readers = new NameMap<ElementReader>();
  readonly #all: readonly ElementReader[];
  readonly #built = new Map<ElementReader, T>();
  readonly #build: (reader: ElementReader) => T;

  constructor(
    readers: readonly ElementReader[],
    nameOf: string,
    build: (reader: ElementReader) => T,
  ) {
    this.#all = readers;
    this.#build = build;
    for (const reader of readers) this.#readers.add(reader.text(nameOf), reader);
  }

  get(name: string): T | undefined {
    const reader = this.#readers.get(name);
    if (reader === undefined) return undefined;
    const known = this.#built.get(reader);
    if (known !== undefined) return known;
    const built = this.#build(reader);
    this.#built.set(reader, built);
    return built;
  }

  /** Those that nothing asked for are lost. */
  loseOthers(): void {
    for (const reader of this.#all) {
      if (this.#built.has(reader)) continue;
      reader.loseWhole('nothing that was carried uses it', 'nothing');
    }
  }
}

function labelOf(element: AcmeElement): string {
  for (const label of LABELS) {
    const found = element.parameters.find(({ name }) => name === label);
    if (found !== undefined) return textOf(found.raw).slice(0, LABEL_LENGTH);
  }
  return '';
}
