import { sourceKey } from './source-key.ts';

/** How many of something each source has now. */
export class SourceTally {
  readonly #counts = new Map<string, number>();

  of(address: string): number {
    return this.#counts.get(sourceKey(address)) ?? 0;
  }

  add(address: string): void {
    this.#counts.set(sourceKey(address), this.of(address) + 1);
  }

  remove(address: string): void {
    const rest = this.of(address) - 1;
    if (rest > 0) this.#counts.set(sourceKey(address), rest);
    else this.#counts.delete(sourceKey(address));
  }
}
