/** Collects what has changed and hands it over at most once per interval; costs nothing while nobody wants it. */
export class Coalescer {
  readonly #intervalMs: number;
  readonly #limit: number;
  readonly #flush: (keys: readonly string[], isPartial: boolean) => void;
  readonly #keys = new Set<string>();
  #isPartial = false;
  #timer: NodeJS.Timeout | undefined;

  /** `flush` gets at most `limit` keys, in order of their first change; `isPartial`: there were more. */
  constructor(
    { intervalMs, limit }: { readonly intervalMs: number; readonly limit: number },
    flush: (keys: readonly string[], isPartial: boolean) => void,
  ) {
    this.#intervalMs = intervalMs;
    this.#limit = limit;
    this.#flush = flush;
  }

  add(key: string): void {
    this.#timer ??= setTimeout(() => this.#run(), this.#intervalMs);
    if (this.#keys.size < this.#limit || this.#keys.has(key)) this.#keys.add(key);
    else this.#isPartial = true;
  }

  /** Forgets what was collected. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#keys.clear();
    this.#isPartial = false;
  }

  #run(): void {
    const keys = [...this.#keys];
    const isPartial = this.#isPartial;
    this.stop();
    this.#flush(keys, isPartial);
  }
}
