/**
 * One KPML subscription that a peer holds: its document, the keys typed against it and its lifetime.
 *
 *   no document --load--> collecting --report--> one-shot: over
 *        ^                  |    ^                single-notify: keeps keys for the next document
 *        +------unload------+    +--------------- persist: goes on
 *
 * If the document tells long from short keys, a key waits here for its release or for the threshold.
 */

import type { DigitPattern } from './digit-pattern.ts';
import { PatternCollector } from './digit-pattern-collector.ts';
import type { CollectorOutput } from './digit-pattern-collector.ts';
import type { KpmlPress, PressedKey } from './kpml-press.ts';
import { KPML_REQUEST_DEFAULTS } from '../wire/kpml-request.ts';
import type { KpmlRequest } from '../wire/kpml-request.ts';

export interface KpmlDocument {
  readonly request: KpmlRequest;
  readonly pattern: DigitPattern;
}

/** Something a subscriber does differently, worth a log line. */
export type KpmlOddity = 'swapped-tags' | 'unknown-persist';

export type SubscriptionOutput = CollectorOutput<PressedKey>;

/** A key that is down and waits for its length. */
interface HeldKey {
  readonly press: KpmlPress;
  readonly longAtMs: number;
}

/** Stands for no document: everything is kept for the first one. */
const NO_DOCUMENT: KpmlDocument = {
  request: { ...KPML_REQUEST_DEFAULTS, regexes: [] },
  pattern: { regexes: [], hasLongKeys: false, stepCount: 0 },
};

export class KpmlSubscription {
  /** Event id; empty when the SUBSCRIBE had none. */
  readonly id: string;
  /** `pending` until it is known whether keys are translated on this leg. */
  state: 'pending' | 'active';
  expiresAtMs: number;
  /** What the last SUBSCRIBE did differently. */
  oddities: readonly KpmlOddity[] = [];
  #document = NO_DOCUMENT;
  #collector = new PatternCollector<PressedKey>(NO_DOCUMENT.pattern, NO_DOCUMENT.request);
  #held: HeldKey | undefined;

  constructor(id: string, state: 'pending' | 'active', expiresAtMs: number) {
    this.id = id;
    this.state = state;
    this.expiresAtMs = expiresAtMs;
  }

  /** The running document; `undefined` when there is none. */
  get request(): KpmlRequest | undefined {
    return this.#document === NO_DOCUMENT ? undefined : this.#document.request;
  }

  /** It asks for the keys of the subscriber's own party. */
  get isReverse(): boolean {
    return this.#document.request.isReverse;
  }

  /** When {@link expire} wants to be called; the end of the lifetime is not included. */
  get keysExpireAtMs(): number | undefined {
    return earliest(this.#held?.longAtMs, this.#collector.expiresAtMs);
  }

  /** Keys neither reported nor discarded yet, oldest first. */
  get presses(): readonly KpmlPress[] {
    const held = this.#held === undefined ? [] : [this.#held.press];
    return [...this.#collector.keys.map((key) => key.press), ...held];
  }

  /** Runs a new document over the keys left from the one before. */
  load(document: KpmlDocument, nowMs: number): SubscriptionOutput[] {
    const outputs = this.#releaseHeld(nowMs);
    const before = this.#collector;
    this.#document = document;
    this.#collector = new PatternCollector(document.pattern, document.request);
    if (!document.request.isFlush) return [...outputs, ...this.#collector.inherit(before, nowMs)];
    return before.keys.length === 0
      ? outputs
      : [...outputs, { type: 'discarded', keys: before.keys, reason: 'no-match' }];
  }

  /** Takes the document away; keys are kept for the next one. */
  unload(nowMs: number): SubscriptionOutput[] {
    return this.load(NO_DOCUMENT, nowMs);
  }

  press(press: KpmlPress, nowMs: number): SubscriptionOutput[] {
    const outputs = this.#releaseHeld(nowMs);
    if (!this.#document.pattern.hasLongKeys)
      return [...outputs, ...this.#type(press, false, nowMs)];
    this.#collector.pause();
    this.#held = { press, longAtMs: nowMs + this.#document.request.longMs };
    return outputs;
  }

  release(pressId: string, durationMs: number, nowMs: number): SubscriptionOutput[] {
    const held = this.#held;
    if (held?.press.pressId !== pressId) return [];
    this.#held = undefined;
    return this.#type(held.press, durationMs > this.#document.request.longMs, nowMs);
  }

  /** To be called at {@link keysExpireAtMs}; earlier calls do nothing. */
  expire(nowMs: number): SubscriptionOutput[] {
    const outputs = this.#collector.expire(nowMs);
    const isLongNow = this.#held !== undefined && nowMs >= this.#held.longAtMs;
    return isLongNow ? [...outputs, ...this.#releaseHeld(nowMs)] : outputs;
  }

  /** A key that was not released before something else happened counts as short. */
  #releaseHeld(nowMs: number): SubscriptionOutput[] {
    const held = this.#held;
    if (held === undefined) return [];
    this.#held = undefined;
    return this.#type(held.press, nowMs >= held.longAtMs, nowMs);
  }

  #type(press: KpmlPress, isLong: boolean, nowMs: number): SubscriptionOutput[] {
    return this.#collector.type({ press, key: press.key, isLong }, nowMs);
  }
}

/** The earlier of two times, either of which may be never. */
export function earliest(aMs: number | undefined, bMs: number | undefined): number | undefined {
  if (aMs === undefined || bMs === undefined) return aMs ?? bMs;
  return Math.min(aMs, bMs);
}
