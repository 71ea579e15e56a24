/** Remembers which series carry a configured name, and takes away those whose name is configured no more. */
export class NamedSeries {
  /** By name, then by whatever else tells the series apart. */
  readonly #removals = new Map<string, Map<string, () => void>>();

  /** A series of `name` has come to be; `remove` takes it away. */
  note(name: string, series: string, remove: () => void): void {
    let removals = this.#removals.get(name);
    if (removals === undefined) {
      removals = new Map();
      this.#removals.set(name, removals);
    }
    if (!removals.has(series)) removals.set(series, remove);
  }

  /** Only series of `names` stay. */
  keep(names: ReadonlySet<string>): void {
    for (const [name, removals] of this.#removals) {
      if (names.has(name)) continue;
      this.#removals.delete(name);
      for (const remove of removals.values()) remove();
    }
  }
}
