import { sourceKey } from './source-key.ts';

/** Why something from the network got no answer; also the label of its metric. */
export const DROP_REASONS = [
  'agent-rate',
  'connections',
  'overload',
  'scanner',
  'source-rate',
  'strangers-rate',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** One source that lost messages; `count` is what it lost since it was named last. */
export interface DroppedSource {
  readonly source: string;
  readonly reason: DropReason;
  readonly count: number;
}

/** What was dropped since the report before. */
export interface DropReport {
  readonly counts: Readonly<Partial<Record<DropReason, number>>>;
  /** Each source at most once in a minute. */
  readonly sources: readonly DroppedSource[];
}

interface Entry {
  readonly reason: DropReason;
  count: number;
  namedAtMs: number;
}

const NAME_AGAIN_MS = 60_000;
/** So many sources are told apart in a minute: a flood of spoofed ones must not become a flood of log lines. */
const MAX_SOURCES = 64;

/** Counts what is dropped, by reason and, for the loudest few, by source. Time is an argument. */
export class DropJournal {
  #counts: Partial<Record<DropReason, number>> = {};
  readonly #sources = new Map<string, Entry>();

  add(reason: DropReason, address: string): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
    const source = sourceKey(address);
    const known = this.#sources.get(source);
    if (known !== undefined) known.count += 1;
    else if (this.#sources.size < MAX_SOURCES) {
      this.#sources.set(source, { reason, count: 1, namedAtMs: Number.NEGATIVE_INFINITY });
    }
  }

  /** @returns `undefined` when nothing was dropped since the report before and no source is to be named. */
  takeReport(nowMs: number): DropReport | undefined {
    const counts = this.#counts;
    this.#counts = {};
    const sources: DroppedSource[] = [];
    for (const [source, entry] of this.#sources) {
      if (nowMs - entry.namedAtMs < NAME_AGAIN_MS) continue;
      if (entry.count === 0) {
        this.#sources.delete(source);
        continue;
      }
      sources.push({ source, reason: entry.reason, count: entry.count });
      entry.count = 0;
      entry.namedAtMs = nowMs;
    }
    return sources.length > 0 || Object.keys(counts).length > 0 ? { counts, sources } : undefined;
  }
}
