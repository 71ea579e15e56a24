/**
 * Values by prefix. A look-up costs one probe per length that occurs among the prefixes, however many there are:
 *
 *   prefixes  "+49" "+4930" "+4989" "+1"     lengths 5 3 2
 *   "+4930123" -> probes "+4930" (found), "+49" (found), "+4"
 */
export class PrefixMap<T> {
  readonly #values = new Map<string, T>();
  /** Longest first. */
  #lengths: readonly number[] = [];
  /** In the order of strings, once it is asked for. */
  #sorted: readonly string[] | undefined;

  /** The value of exactly this prefix, made if there is none yet. */
  take(prefix: string, make: () => T): T {
    const known = this.#values.get(prefix);
    if (known !== undefined) return known;
    const value = make();
    this.#values.set(prefix, value);
    this.#sorted = undefined;
    if (!this.#lengths.includes(prefix.length)) {
      this.#lengths = [...this.#lengths, prefix.length].toSorted((a, b) => b - a);
    }
    return value;
  }

  /** The values of all prefixes of `text`, that of the longest first. */
  matches(text: string): T[] {
    const found: T[] = [];
    for (const length of this.#lengths) {
      if (length > text.length) continue;
      const value = this.#values.get(text.slice(0, length));
      if (value !== undefined) found.push(value);
    }
    return found;
  }

  /** Whether a prefix begins with `text`. */
  hasBeginning(text: string): boolean {
    const sorted = this.#inOrder();
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle] ?? '') < text) low = middle + 1;
      else high = middle;
    }
    return sorted[low]?.startsWith(text) === true;
  }

  /**
   * Does in steps, each of which touches `stepItems` prefixes at most, what the first `hasBeginning` would have to do at
   * once. No prefix may be added meanwhile.
   */
  *sorting(stepItems: number): Generator<undefined, void> {
    const prefixes = [...this.#values.keys()];
    let runs: (readonly string[])[] = [];
    for (let start = 0; start < prefixes.length; start += stepItems) {
      runs.push(prefixes.slice(start, start + stepItems).toSorted());
      yield;
    }
    while (runs.length > 1) {
      const merged: (readonly string[])[] = [];
      for (let index = 0; index < runs.length; index += 2) {
        merged.push(yield* merging(runs[index] ?? [], runs[index + 1] ?? [], stepItems));
      }
      runs = merged;
    }
    this.#sorted = runs[0] ?? [];
  }

  #inOrder(): readonly string[] {
    this.#sorted ??= [...this.#values.keys()].toSorted();
    return this.#sorted;
  }
}

/** Two sorted lists as one. */
function* merging(
  one: readonly string[],
  other: readonly string[],
  stepItems: number,
): Generator<undefined, readonly string[]> {
  const merged: string[] = [];
  let [at, otherAt] = [0, 0];
  for (;;) {
    const [mine, its] = [one[at], other[otherAt]];
    if (mine === undefined && its === undefined) return merged;
    if (its === undefined || (mine !== undefined && mine <= its)) {
      merged.push(mine ?? '');
      at += 1;
    } else {
      merged.push(its);
      otherAt += 1;
    }
    if (merged.length % stepItems === 0) yield;
  }
}
