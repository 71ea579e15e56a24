import { NAMED_METHODS } from '../named-methods.ts';

/** How often requests of one method got one status, from the engine alone. */
export interface OwnAnswer {
  /** As the peer wrote it; `other` for those that no RFC names. */
  readonly method: string;
  readonly status: number;
  readonly count: number;
}

/** Counts the requests that the engine answers by itself: no application ever hears of them. */
export class OwnAnswers {
  readonly #counts = new Map<string, OwnAnswer>();

  add(requestMethod: string, status: number): void {
    const method = NAMED_METHODS.has(requestMethod) ? requestMethod : 'other';
    const key = `${method} ${status}`;
    const count = (this.#counts.get(key)?.count ?? 0) + 1;
    this.#counts.set(key, { method, status, count });
  }

  /** Those since the report before. */
  takeReport(): readonly OwnAnswer[] {
    const report = [...this.#counts.values()];
    this.#counts.clear();
    return report;
  }
}
