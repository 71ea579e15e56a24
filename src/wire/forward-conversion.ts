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
const MOVED = 302;

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

/** The diversions (newest first) among `entries`: whoever the call was for before it was forwarded to another entry. */
export function diversionsOf(entries: readonly HistoryEntry[]): Diversion[] {
  const diversions = forwardsIn(entries).flatMap(({ by, cause }): Diversion[] => {
    if (by === undefined) return [];
    const { displayName, uri, isPrivate } = by;
    const reason = REASONS[cause ?? UNKNOWN_CAUSE] ?? 'unknown';
    const named = displayName === undefined ? {} : { displayName };
    return [{ ...named, uri, reason, counter: 1, isPrivate, others: new Map() }];
  });
  return diversions.toReversed();
}

/** How many forwards `entries` tell of. */
export function forwardCountOf(entries: readonly HistoryEntry[]): number {
  return forwardsIn(entries).length;
}

interface ToldForward {
  /** Who forwarded; `undefined` where nobody is named. */
  readonly by: HistoryEntry | undefined;
  readonly cause: number | undefined;
}

/** The forwards that `entries` tell of: by a cause, by a mapping (`mp`), or by how the earlier target answered. */
function forwardsIn(entries: readonly HistoryEntry[]): ToldForward[] {
  const forwards: ToldForward[] = [];
  const left = new Set(entries.filter(({ answer }) => answer === MOVED));
  for (const [at, entry] of entries.entries()) {
    const origin = originOf(entry, entries);
    const by = origin ?? entries[at - 1];
    if (!isForwardedTo(entry, origin)) continue;
    if (by !== undefined) left.delete(by);
    forwards.push({ by, cause: entry.cause ?? origin?.answer });
  }
  // Redirected, and the next target does not say from where it was reached.
  return [...forwards, ...[...left].map((by) => ({ by, cause: MOVED }))];
}

/** An entry is reached from the one that it names, or from the one of which its index is a branch. */
function originOf(
  { index, from }: HistoryEntry,
  entries: readonly HistoryEntry[],
): HistoryEntry | undefined {
  const origin = from?.index ?? index.slice(0, Math.max(index.lastIndexOf('.'), 0));
  return origin === index ? undefined : entries.find((entry) => entry.index === origin);
}

function isForwardedTo({ cause, from }: HistoryEntry, origin: HistoryEntry | undefined): boolean {
  if (cause !== undefined || from?.type === 'mp') return true;
  const answer = origin?.answer;
  if (answer === undefined) return false;
  return answer === MOVED || (from === undefined && REASONS[answer] !== undefined);
}
