/**
 * The digit ledger: one record per key press with everything that became of it.
 *
 *   pressed ──► pending ──sent (taken by the peer or the socket)──► delivered
 *                  └─────────dropped(reason)──────────────────────► dropped
 *
 * A press may have several outputs (relayed and notified on a hairpin); it counts once. A NOTIFY or INFO that was refused
 * is an output, yet no delivery: the press stays pending until another output succeeds or it is dropped. A delivered
 * press never becomes a dropped one; a dropped press that is delivered after all counts as delivered.
 */
import assert from 'node:assert/strict';
import { maskDigits } from './mask.ts';

/** Every reason for which a digit is not passed on; also the label of `sbc_dtmf_dropped_total`. */
export const DIGIT_DROP_REASONS = [
  // media: the sender could not put it on the wire
  'queue-full',
  'event-not-negotiated',
  'media-inactive',
  'stream-closed',
  'relay-restart',
  // KPML: nobody asked for it, or it may not pass
  'no-subscription',
  'no-match',
  'buffer-overflow',
  'subscription-ended',
  'unknown-character',
  'flash-disabled',
  'rate-limited',
  // the plan runs no translator in this direction
  'no-translator',
  // the peer refused the NOTIFY or never answered it
  'notify-failed',
  // the same of an INFO
  'info-refused',
  'info-unanswered',
  // the digit came by INFO although the leg sends its digits in another way too
  'other-method',
  // the call ended before its turn came
  'call-ended',
] as const;
export type DigitDropReason = (typeof DIGIT_DROP_REASONS)[number];

/** Reasons that are as it should be: the key came twice, nobody asked for it, or the configuration keeps it back. */
export const DROPS_BY_DESIGN = [
  'other-method',
  'no-match',
  'flash-disabled',
] as const satisfies readonly DigitDropReason[];

export type DigitDirection = 'caller-to-callee' | 'callee-to-caller';

export type DigitSource =
  | { readonly type: 'rtp'; readonly ssrc: number; readonly rtpTimestamp: number }
  | { readonly type: 'notify'; readonly cseq: number }
  | { readonly type: 'info'; readonly cseq: number };

/** Where a digit went. `atMs` is when it was sent; `status` is the answer to the NOTIFY or INFO, 408 when none came. */
export type DigitOutput =
  | { readonly type: 'rtp'; readonly rtpTimestamp: number; readonly atMs: number }
  | {
      readonly type: 'notify' | 'info';
      readonly cseq?: number;
      readonly status: number;
      readonly atMs: number;
      /** When the answer came. */
      readonly answeredAtMs?: number;
    }
  | { readonly type: 'relay' };

/** Times are counted from the press: `latencyMs` until it was sent, `answerMs` until it was answered. */
export type DigitOutputRecord =
  | { readonly type: 'rtp'; readonly rtpTimestamp: number; readonly latencyMs: number }
  | {
      readonly type: 'notify' | 'info';
      readonly cseq?: number;
      readonly status: number;
      readonly latencyMs: number;
      readonly answerMs?: number;
    }
  | { readonly type: 'relay' };

export interface DigitPress {
  /** Unique among all calls of the process. */
  readonly pressId: string;
  readonly callId: string;
  readonly direction: DigitDirection;
  readonly digit: string;
  readonly source: DigitSource;
  /** Wall clock in ms since 1970; fractions allowed. */
  readonly atMs: number;
}

export interface DigitRecord extends DigitPress {
  /** In order of arrival. */
  readonly outputs: readonly DigitOutputRecord[];
  readonly dropped?: DigitDropReason;
}

/** Per call: `presses` = `delivered` + `dropped` + `pending`. */
export interface DigitSummary {
  readonly presses: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly pending: number;
}

/** What the metrics are told; latency is absent for relayed digits. */
export type DigitOutcome =
  | {
      readonly type: 'delivered';
      readonly from: DigitSource['type'];
      readonly to: DigitOutput['type'];
      readonly latencyMs?: number;
      readonly callId?: string;
    }
  | {
      readonly type: 'dropped';
      readonly from: DigitSource['type'];
      readonly reason: DigitDropReason;
    };

/** Hears the id of a press that is new or has changed. */
export type DigitWatcher = (pressId: string) => void;

export interface DigitLedgerOptions {
  /** Presses kept; the oldest leaves first. Default 10 000. */
  readonly capacity?: number;
  /** Stores digits as they were pressed; otherwise each is `*`. */
  readonly showDigits?: boolean;
  /** `record` gives the press as it stands now, masked. */
  readonly onOutcome?: (outcome: DigitOutcome, record: () => DigitRecord) => void;
}

export interface DigitListFilter {
  /** Only presses of this call. */
  readonly callId?: string | undefined;
  /** Only presses with a drop reason. */
  readonly isDropped?: boolean;
  /** At least 1. */
  readonly limit?: number | undefined;
}

type Outcome = 'pending' | 'delivered' | 'dropped';

interface Entry {
  readonly press: DigitPress;
  readonly outputs: DigitOutputRecord[];
  dropped: DigitDropReason | undefined;
  outcome: Outcome;
}

type Counters = Record<Outcome, number>;

const DEFAULT_CAPACITY = 10_000;

export class DigitLedger {
  readonly #capacity: number;
  readonly #showDigits: boolean;
  readonly #onOutcome: NonNullable<DigitLedgerOptions['onOutcome']>;
  /** By press id, oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #pressIdsOfCall = new Map<string, Set<string>>();
  readonly #watchers = new Set<DigitWatcher>();
  /** Kept longer than the records, so that the sums of a long call stay right. */
  readonly #counters = new Map<string, Counters>();

  constructor(options: DigitLedgerOptions = {}) {
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
    this.#showDigits = options.showDigits ?? false;
    this.#onOutcome = options.onOutcome ?? (() => undefined);
  }

  /** Opens the record of a press. */
  pressed(press: DigitPress): void {
    assert(!this.#entries.has(press.pressId), `press ${press.pressId} is already in the ledger`);
    const digit = this.#showDigits ? press.digit : maskDigits(press.digit);
    const entry: Entry = {
      press: { ...press, digit },
      outputs: [],
      dropped: undefined,
      outcome: 'pending',
    };
    this.#entries.set(press.pressId, entry);
    this.#indexOf(press.callId).add(press.pressId);
    this.#countersOf(press.callId).pending += 1;
    this.#evict();
    this.#changed(press.pressId);
  }

  /** Notes that the digit left us. A press that is no longer kept is ignored. */
  sent(pressId: string, output: DigitOutput): void {
    const entry = this.#entries.get(pressId);
    if (entry === undefined) return;
    const record = outputRecord(output, entry.press.atMs);
    entry.outputs.push(record);
    this.#changed(pressId);
    if (!isDelivery(output)) return;
    this.#settle(entry, 'delivered');
    const { callId, source } = entry.press;
    const latency = 'latencyMs' in record ? { latencyMs: record.latencyMs } : {};
    const outcome = { type: 'delivered', from: source.type, to: output.type, callId } as const;
    this.#onOutcome({ ...outcome, ...latency }, () => recordOf(entry));
  }

  /** Notes that the digit, or one of its outputs, will not arrive. The first reason is kept. */
  dropped(pressId: string, reason: DigitDropReason): void {
    const entry = this.#entries.get(pressId);
    if (entry === undefined || entry.dropped !== undefined) return;
    entry.dropped = reason;
    this.#changed(pressId);
    if (entry.outcome === 'pending') this.#settle(entry, 'dropped');
    const outcome = { type: 'dropped', from: entry.press.source.type, reason } as const;
    this.#onOutcome(outcome, () => recordOf(entry));
  }

  /** Calls `watcher` for every change from now on; gives what ends that. */
  watch(watcher: DigitWatcher): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** `undefined` for a press that is not kept any more. */
  get(pressId: string): DigitRecord | undefined {
    const entry = this.#entries.get(pressId);
    return entry && recordOf(entry);
  }

  /** The records kept, oldest first; only the newest when `limit` is given. */
  list({ callId, isDropped = false, limit }: DigitListFilter = {}): DigitRecord[] {
    const kept = callId === undefined ? [...this.#entries.values()] : this.#entriesOf(callId);
    const wanted = isDropped ? kept.filter(({ dropped }) => dropped !== undefined) : kept;
    // Records are made of those alone that are asked for: most readers want the last few of many.
    return (limit === undefined ? wanted : wanted.slice(-limit)).map(recordOf);
  }

  /** The sums of a call; all zero for a call without presses. */
  summary(callId: string): DigitSummary {
    const counters = this.#counters.get(callId) ?? { pending: 0, delivered: 0, dropped: 0 };
    const presses = counters.pending + counters.delivered + counters.dropped;
    return { presses, ...counters };
  }

  #changed(pressId: string): void {
    for (const watcher of this.#watchers) watcher(pressId);
  }

  #settle(entry: Entry, outcome: Outcome): void {
    const counters = this.#countersOf(entry.press.callId);
    counters[entry.outcome] -= 1;
    counters[outcome] += 1;
    entry.outcome = outcome;
  }

  #entriesOf(callId: string): Entry[] {
    const pressIds = this.#pressIdsOfCall.get(callId) ?? [];
    return [...pressIds].flatMap((pressId) => this.#entries.get(pressId) ?? []);
  }

  #indexOf(callId: string): Set<string> {
    let pressIds = this.#pressIdsOfCall.get(callId);
    if (pressIds === undefined) {
      pressIds = new Set();
      this.#pressIdsOfCall.set(callId, pressIds);
    }
    return pressIds;
  }

  #countersOf(callId: string): Counters {
    let counters = this.#counters.get(callId);
    if (counters === undefined) {
      counters = { pending: 0, delivered: 0, dropped: 0 };
      this.#counters.set(callId, counters);
    }
    return counters;
  }

  #evict(): void {
    for (const [pressId, entry] of this.#entries) {
      if (this.#entries.size <= this.#capacity) break;
      this.#entries.delete(pressId);
      const pressIds = this.#indexOf(entry.press.callId);
      pressIds.delete(pressId);
      if (pressIds.size === 0) this.#pressIdsOfCall.delete(entry.press.callId);
    }
    for (const callId of this.#counters.keys()) {
      if (this.#counters.size <= this.#capacity) break;
      // A call whose presses are still kept would otherwise count below zero when they settle.
      if (!this.#pressIdsOfCall.has(callId)) this.#counters.delete(callId);
    }
  }
}

function isDelivery(output: DigitOutput): boolean {
  return !('status' in output) || (output.status >= 200 && output.status < 300);
}

function outputRecord(output: DigitOutput, pressedAtMs: number): DigitOutputRecord {
  if (output.type === 'relay') return output;
  // The wall clock may have been set back in between.
  const sincePress = (atMs: number): number => Math.max(0, atMs - pressedAtMs);
  const { atMs, ...rest } = output;
  const latencyMs = sincePress(atMs);
  if (rest.type === 'rtp') return { ...rest, latencyMs };
  const { answeredAtMs, ...answered } = rest;
  if (answeredAtMs === undefined) return { ...answered, latencyMs };
  return { ...answered, latencyMs, answerMs: sincePress(answeredAtMs) };
}

function recordOf(entry: Entry): DigitRecord {
  return {
    ...entry.press,
    outputs: [...entry.outputs],
    ...(entry.dropped === undefined ? {} : { dropped: entry.dropped }),
  };
}
