/** Names that the configuration takes: safe, and each used once. */

const MAX_LENGTH = 64;
/** Words that mean something else where a name may stand. */
const RESERVED = ['request-uri', 'reject', 'none', '*'];

/** One space of names; agents and groups share one. */
export class NameSpace {
  readonly #taken = new Set<string>(RESERVED);
  /** Where to go on counting, so that thousands of equal names take no longer than different ones. */
  readonly #next = new Map<string, number>();

  /** `wanted`, with other characters in place of those that a name cannot have, and a number where it is taken. */
  take(wanted: string): string {
    const base = safeName(wanted);
    let name = base;
    let count = this.#next.get(base) ?? 2;
    while (this.#taken.has(name)) {
      const suffix = `-${count}`;
      name = base.slice(0, MAX_LENGTH - suffix.length) + suffix;
      count += 1;
    }
    this.#next.set(base, count);
    this.#taken.add(name);
    return name;
  }
}

function safeName(wanted: string): string {
  const safe = wanted
    .slice(0, MAX_LENGTH * 2)
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, MAX_LENGTH);
  return safe === '' ? 'unnamed' : safe;
}

/** Values by name: the exact spelling first, then without regard to letter case. */
export class NameMap<T> {
  readonly #exact = new Map<string, T>();
  readonly #folded = new Map<string, T>();

  /** The first of a name stays. */
  add(name: string, value: T): void {
    if (!this.#exact.has(name)) this.#exact.set(name, value);
    const folded = name.toLowerCase();
    if (!this.#folded.has(folded)) this.#folded.set(folded, value);
  }

  get(name: string): T | undefined {
    return this.#exact.get(name) ?? this.#folded.get(name.toLowerCase());
  }
}
