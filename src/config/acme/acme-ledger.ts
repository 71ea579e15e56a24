/** What became of each line of the running configuration: exactly one fate for every line that holds anything. */
import type { AcmeElement } from './acme-tree.ts';

/**
 * carried: means the same here. changed: carried, with a difference that `reason` tells. not-carried: lost, `advice` says
 * what to do. ignored: nothing to carry, such as a default or a prompt.
 */
export type Fate = 'carried' | 'changed' | 'not-carried' | 'ignored';

export interface LineFate {
  /** 1-based. */
  readonly line: number;
  readonly fate: Fate;
  /** `session-agent sbc.example.com`; '' for a line outside of every element. */
  readonly element: string;
  /** Name of the parameter; '' for the heading of an element. */
  readonly parameter: string;
  /** As written; of secrets only that there is one. */
  readonly value: string;
  readonly reason: string;
  readonly advice: string;
}

export interface Verdict {
  readonly fate: Fate;
  readonly reason?: string;
  readonly advice?: string;
}

const SHOWN_LENGTH = 160;
const SECRET = /password|passwd|secret|community|private-key|shared-key|^key$/i;

export class ImportLedger {
  readonly #fates = new Map<number, LineFate>();

  /** A later verdict on the same line takes the place of the earlier one. */
  parameter(
    element: AcmeElement,
    where: string,
    {
      name,
      raw,
      lines,
    }: { readonly name: string; readonly raw: string; readonly lines: readonly number[] },
    verdict: Verdict,
  ): void {
    const value = SECRET.test(name) && raw !== '' ? '(secret)' : raw.slice(0, SHOWN_LENGTH);
    for (const line of lines)
      this.#set(line, { element: where || element.name, parameter: name, value }, verdict);
  }

  heading(element: AcmeElement, where: string, verdict: Verdict): void {
    this.#set(element.line, { element: where, parameter: '', value: '' }, verdict);
  }

  stray(line: number, text: string, verdict: Verdict): void {
    this.#set(line, { element: '', parameter: '', value: text }, verdict);
  }

  /** The same fate for an element and everything in it that has none yet. */
  whole(element: AcmeElement, where: string, verdict: Verdict): void {
    const open: AcmeElement[] = [element];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (!this.#fates.has(next.line) || next === element) this.heading(next, where, verdict);
      for (const parameter of next.parameters) {
        if (parameter.lines.some((line) => this.#fates.has(line))) continue;
        this.parameter(next, where, parameter, lineVerdict(parameter.name, verdict));
      }
      for (const child of next.children) open.push(child);
    }
  }

  has(line: number): boolean {
    return this.#fates.has(line);
  }

  /** In the order of the lines. */
  list(): readonly LineFate[] {
    return [...this.#fates.values()].toSorted((a, b) => a.line - b.line);
  }

  #set(
    line: number,
    what: Pick<LineFate, 'element' | 'parameter' | 'value'>,
    { fate, reason = '', advice = '' }: Verdict,
  ): void {
    this.#fates.set(line, { line, fate, ...what, reason, advice });
  }
}

/** Who changed an element and when says nothing about it. */
export function isBookkeeping(name: string): boolean {
  return name.startsWith('last-modified-');
}

function lineVerdict(name: string, verdict: Verdict): Verdict {
  return isBookkeeping(name) ? { fate: 'ignored', reason: 'who changed it and when' } : verdict;
}
