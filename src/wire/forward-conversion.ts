/**
 * The forwards of a call told in the form of the other header (RFC 7544).
 *
 *   Diversion (newest first)                      History-Info (oldest first)
 *   <B>;reason=no-answer, <A>;reason=user-busy    <A>;index=1, <B;cause=486>;index=1.1;mp=1, <C;cause=408>;index=1.1.1;mp=1.1
 */
import type { Diversion } from './diversion.ts';
import { type HistoryEntry, nextIndex } from './history-info.ts';

/** RFC 7544 §7.1; other reasons are unknown to it. */
const CAUSES: ReadonlyMap<string, number> = new Map([
  ['unconditional', 302],
  ['user-busy', 486],
  ['no-answer', 408],
  ['deflection', 480],
  ['unavailable', 503],
]);
const UNKNOWN_CAUSE = 404;

/** RFC 7544 §7.2. */
const REASONS: Readonly<Record<number, string>> = {
  302: 'unconditional',
  486: 'user-busy',
  408: 'no-answer',
  480: 'deflection',
  487: 'deflection',
  503: 'unavailable',
};

/** Stands for parties that a counter counts and nobody names. */
const UNKNOWN_PARTY = 'sip:unknown@unknown.invalid';
const MAX_UNKNOWN = 10;

/** The cause of a forward for `reason`. */
export function causeOfReason(reason: string): number {
  return CAUSES.get(reason) ?? UNKNOWN_CAUSE;
}

/** The entries that `diversions` (newest first) stand for; `target` is who is called now. */
export function historyOf(diversions: readonly Diversion[], target: string): HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  let cause: number | undefined;
  const add = (entry: Pick<HistoryEntry, 'uri' | 'isPrivate'>): void => {
    const last = entries.at(-1);
    const place: Pick<HistoryEntry, 'index' | 'from'> =
      last === undefined
        ? { index: '1' }
        : { index: nextIndex(last.index), from: { type: 'mp', index: last.index } };
    entries.push({ ...entry, ...(cause === undefined ? {} : { cause }), ...place });
  };
  for (const { uri, reason, counter, isPrivate } of diversions.toReversed()) {
    for (let unnamed = 1; unnamed < Math.min(counter, MAX_UNKNOWN); unnamed += 1) {
      add({ uri: UNKNOWN_PARTY, isPrivate: false });
      cause = UNKNOWN_CAUSE;
    }
    add({ uri, isPrivate });
    cause = causeOfReason(reason);
  }
  if (entries.length > 0) add({ uri: target, isPrivate: false });
  return entries;
}

/** The diversions (newest first) among `entries`: each entry with a cause was forwarded to by the one that it names. */
export function diversionsOf(entries: readonly HistoryEntry[]): Diversion[] {
  const diversions = entries.flatMap((entry, at): Diversion[] => {
    const { cause, from } = entry;
    if (cause === undefined) return [];
    const by = entries.find(({ index }) => index === from?.index) ?? entries[at - 1];
    if (by === undefined || by === entry) return [];
    const { displayName, uri, isPrivate } = by;
    const reason = REASONS[cause] ?? 'unknown';
    const named = displayName === undefined ? {} : { displayName };
    return [{ ...named, uri, reason, counter: 1, isPrivate, others: new Map() }];
  });
  return diversions.toReversed();
}
