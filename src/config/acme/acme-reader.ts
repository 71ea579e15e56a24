/** Reads the parameters of one element and sees to it that each gets its verdict. */
import type { AcmeElement, AcmeParameter } from './acme-tree.ts';
import { isUsual, lossOf } from './acme-defaults.ts';
import { type ImportLedger, isBookkeeping, type Verdict } from './acme-ledger.ts';
import { listOf, numberOf, optionsOf, textOf } from './acme-value.ts';
import { LIST_PARAMETERS } from './acme-words.ts';

export class ElementReader {
  readonly element: AcmeElement;
  /** For the report: the element with its name. */
  readonly where: string;
  readonly #ledger: ImportLedger;
  /** Several of one name only where the values are added up. */
  readonly #parameters = new Map<string, AcmeParameter[]>();
  readonly #judged = new Set<string>();
  #isFinished = false;

  constructor(element: AcmeElement, ledger: ImportLedger, label: string) {
    this.element = element;
    this.#ledger = ledger;
    this.where = label === '' ? element.name : `${element.name} ${label}`;
    for (const parameter of element.parameters) this.#add(parameter);
  }

  /** The element as a whole has its verdict. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  get line(): number {
    return this.element.line;
  }

  has(name: string): boolean {
    return this.#parameters.has(name);
  }

  /** '' where the parameter is absent or empty. */
  text(name: string): string {
    return textOf(this.#parameters.get(name)?.at(-1)?.raw ?? '');
  }

  number(name: string): number | undefined {
    return numberOf(this.text(name));
  }

  list(name: string): readonly string[] {
    return (this.#parameters.get(name) ?? []).flatMap(({ raw }) => listOf(raw));
  }

  options(name: string): ReadonlyMap<string, string> {
    return optionsOf(this.list(name));
  }

  children(...names: readonly string[]): readonly AcmeElement[] {
    return this.element.children.filter((child) => names.includes(child.name));
  }

  /** `difference`: what is not quite the same here. */
  carry(name: string, difference?: string): void {
    this.#judge(
      name,
      difference === undefined ? { fate: 'carried' } : { fate: 'changed', reason: difference },
    );
  }

  lose(name: string, reason: string, advice = ''): void {
    this.#judge(name, { fate: 'not-carried', reason, advice });
  }

  ignore(name: string, reason: string): void {
    this.#judge(name, { fate: 'ignored', reason });
  }

  /** A verdict on the heading; what has none yet is a default, or lost. */
  finish(verdict: Verdict = { fate: 'carried' }): void {
    this.#isFinished = true;
    this.#ledger.heading(this.element, this.where, verdict);
    for (const name of this.#parameters.keys()) {
      if (!this.#judged.has(name)) this.#judge(name, this.#remaining(name, this.text(name)));
    }
    for (const child of this.element.children) {
      if (this.#ledger.has(child.line)) continue;
      const loss = { fate: 'not-carried', ...lossOf(child.name, '') } as const;
      this.#ledger.whole(child, `${this.where}, ${child.name}`, loss);
    }
  }

  /** The element and all in it that has no verdict yet. */
  loseWhole(reason: string, advice = ''): void {
    this.#isFinished = true;
    this.#ledger.whole(this.element, this.where, { fate: 'not-carried', reason, advice });
  }

  /** Nothing stands below the heading. */
  get isEmpty(): boolean {
    return this.element.parameters.length === 0 && this.element.children.length === 0;
  }

  /** A reader for an element inside of this one. */
  inner(child: AcmeElement, label = ''): ElementReader {
    return new ElementReader(
      child,
      this.#ledger,
      `in ${this.where}${label === '' ? '' : ` (${label})`}`,
    );
  }

  #remaining(name: string, value: string): Verdict {
    if (isBookkeeping(name)) return { fate: 'ignored', reason: 'who changed it and when' };
    if (isUsual(this.element.name, name, value)) return { fate: 'ignored', reason: 'the default' };
    return { fate: 'not-carried', ...lossOf(this.element.name, name) };
  }

  #add(parameter: AcmeParameter): void {
    const { name } = parameter;
    const earlier = this.#parameters.get(name);
    if (earlier === undefined) {
      this.#parameters.set(name, [parameter]);
    } else if (LIST_PARAMETERS.has(name)) {
      earlier.push(parameter);
    } else {
      const reason = `written again in line ${parameter.lines[0] ?? 0}, which counts`;
      for (const old of earlier) {
        this.#ledger.parameter(this.element, this.where, old, { fate: 'not-carried', reason });
      }
      this.#parameters.set(name, [parameter]);
    }
  }

  #judge(name: string, verdict: Verdict): void {
    const parameters = this.#parameters.get(name);
    if (parameters === undefined) return;
    this.#judged.add(name);
    for (const parameter of parameters) {
      this.#ledger.parameter(this.element, this.where, parameter, verdict);
    }
  }
}
