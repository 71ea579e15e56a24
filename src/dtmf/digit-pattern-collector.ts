/**
 * Collects keys against one KPML document and says what is to be reported (RFC 4730 §3.3, §3.5).
 *
 *   waiting --key--> fits nothing, nothing matched before ----------> keys discarded (rolling: window slides)
 *      |             matched, nothing can grow, no enter key -------> report 200 at once
 *      |             matched, another expression can grow ----------> critical timer -> 200
 *      |             matched, only this one can grow, or enter key -> extra timer    -> 200
 *      |             partly matched --------------------------------> inter-digit    -> 423
 *      +--enter key--> entry matches: 200, else 402
 *
 * A key that spoils a longer attempt after a match ends the wait: the match is reported and the keys behind
 * it are looked at anew. After a report a document for one report only (one-shot, single-notify) keeps all
 * further keys for its successor.
 */

import type { KpmlKey } from '../wire/kpml.ts';
import type { KpmlRequest } from '../wire/kpml-request.ts';
import type { DigitPattern } from './digit-pattern.ts';
import { PatternMatcher } from './digit-pattern-matcher.ts';
import type { PatternMatch } from './digit-pattern-matcher.ts';

/** One press as it reaches the document. */
export interface CollectedKey {
  readonly key: KpmlKey;
  readonly isLong: boolean;
}

export type CollectorOutput<K extends CollectedKey> =
  | {
      readonly type: 'report';
      readonly code: 200 | 402 | 423;
      /** What `digits` holds. */
      readonly digits: readonly K[];
      /** All keys that led to the report, the enter key included. */
      readonly keys: readonly K[];
      readonly tag: string | undefined;
      readonly isForcedFlush: boolean;
    }
  | {
      readonly type: 'discarded';
      readonly keys: readonly K[];
      readonly reason: 'no-match' | 'buffer-overflow';
    };

/** Keys that are kept for a document at most; the oldest give way. */
export const KEY_BUFFER_SIZE = 64;

/** Steps of an expression that one call may look at, so that no pattern holds the process up. */
const STEP_BUDGET = 50_000;

type Timer =
  | { readonly type: 'idle' }
  /** `backlog`: more keys were there than one call may look at. */
  | { readonly type: 'backlog' | 'match' | 'interDigit'; readonly atMs: number };

export class PatternCollector<K extends CollectedKey> {
  readonly #pattern: DigitPattern;
  readonly #request: KpmlRequest;
  readonly #matcher: PatternMatcher;
  /** Keys of the running attempt; the matcher has seen `#dropped` more before them. */
  #typed: K[] = [];
  #dropped = 0;
  /** Keys that may be the beginning of the enter key. */
  #enterHold: K[] = [];
  /** Keys not looked at yet. */
  #backlog: K[] = [];
  #isStopped: boolean;
  #isForcedFlush = false;
  #timer: Timer = { type: 'idle' };

  /** A pattern without expressions stands for no document: all keys are kept for the next one. */
  constructor(pattern: DigitPattern, request: KpmlRequest) {
    this.#pattern = pattern;
    this.#request = request;
    this.#isStopped = pattern.regexes.length === 0;
    this.#matcher = new PatternMatcher(pattern, request.isNoPartial);
  }

  /** All keys that were neither reported nor discarded, oldest first. */
  get keys(): readonly K[] {
    return [...this.#typed, ...this.#enterHold, ...this.#backlog];
  }

  /** Keys were lost that no report has told of yet. */
  get isForcedFlush(): boolean {
    return this.#isForcedFlush;
  }

  /** When {@link expire} wants to be called. */
  get expiresAtMs(): number | undefined {
    return this.#timer.type === 'idle' ? undefined : this.#timer.atMs;
  }

  /** Takes over what the document before this one left behind. */
  inherit(
    before: { keys: readonly K[]; isForcedFlush: boolean },
    nowMs: number,
  ): CollectorOutput<K>[] {
    this.#backlog.push(...before.keys);
    this.#isForcedFlush = before.isForcedFlush;
    return this.#work(nowMs);
  }

  /** Takes one key. */
  type(key: K, nowMs: number): CollectorOutput<K>[] {
    const outputs = this.#makeRoom();
    this.#backlog.push(key);
    return [...outputs, ...this.#work(nowMs)];
  }

  /** A key is down whose length must be awaited: no timer runs until it is typed. */
  pause(): void {
    if (this.#timer.type !== 'backlog') this.#timer = { type: 'idle' };
  }

  /** To be called at {@link expiresAtMs}; earlier calls do nothing. */
  expire(nowMs: number): CollectorOutput<K>[] {
    const timer = this.#timer;
    if (timer.type === 'backlog') return this.#work(nowMs);
    if (timer.type === 'idle' || nowMs < timer.atMs) return [];
    this.#timer = { type: 'idle' };
    const match = this.#matcher.match;
    const outputs = match === undefined ? this.#giveUp() : this.#reportMatch(match);
    return [...outputs, ...this.#work(nowMs)];
  }

  #work(nowMs: number): CollectorOutput<K>[] {
    const outputs: CollectorOutput<K>[] = [];
    let budget = STEP_BUDGET;
    while (!this.#isStopped && budget > 0) {
      const key = this.#backlog.shift();
      if (key === undefined) break;
      budget -= this.#pattern.stepCount;
      outputs.push(...this.#feed(key));
    }
    this.#timer = this.#nextTimer(nowMs);
    return outputs;
  }

  #feed(key: K): CollectorOutput<K>[] {
    const { enterKey } = this.#request;
    if (enterKey.length === 0) return this.#match(key);
    this.#enterHold.push(key);
    if (this.#enterHold.length === enterKey.length && this.#holdsEnterPrefix())
      return this.#enter();
    const outputs: CollectorOutput<K>[] = [];
    while (!this.#isStopped && this.#enterHold.length > 0 && !this.#holdsEnterPrefix()) {
      outputs.push(...this.#enterHold.splice(0, 1).flatMap((first) => this.#match(first)));
    }
    return outputs;
  }

  #holdsEnterPrefix(): boolean {
    return this.#enterHold.every(({ key }, index) => key === this.#request.enterKey[index]);
  }

  /** Gives one key to the expressions. */
  #match(key: K): CollectorOutput<K>[] {
    this.#typed.push(key);
    this.#matcher.step(key.key, key.isLong);
    const { match, outlook } = this.#matcher;
    if (outlook !== 'nothing') return this.#slide();
    if (match === undefined) return this.#discardTyped();
    const mayEnter = this.#request.enterKey.length > 0 && match.end === this.#matcher.position;
    return mayEnter ? this.#slide() : this.#reportMatch(match);
  }

  /** In a rolling window: lets go of keys that no attempt needs. */
  #slide(): CollectorOutput<K>[] {
    if (!this.#request.isNoPartial) return [];
    const count = this.#matcher.earliestStart - this.#dropped;
    this.#dropped += count;
    return discarded(this.#typed.splice(0, count));
  }

  #discardTyped(): CollectorOutput<K>[] {
    const keys = this.#typed;
    this.#restart([]);
    return discarded(keys);
  }

  /** Reports the match; what was typed behind it is looked at again. */
  #reportMatch(match: PatternMatch): CollectorOutput<K>[] {
    const before = this.#typed.slice(0, match.start - this.#dropped);
    const digits = this.#typed.slice(match.start - this.#dropped, match.end - this.#dropped);
    const behind = this.#typed.slice(match.end - this.#dropped);
    const tag = this.#pattern.regexes[match.regexIndex]?.tag;
    this.#restart([...behind, ...this.#enterHold]);
    return [...discarded(before), this.#report({ code: 200, digits, keys: digits, tag })];
  }

  /** The inter-digit timer ran out on a partial match. */
  #giveUp(): CollectorOutput<K>[] {
    const digits = [...this.#typed, ...this.#enterHold];
    this.#restart([]);
    return [this.#report({ code: 423, digits, keys: digits, tag: undefined })];
  }

  /** The enter key is complete: what was typed must match as a whole. */
  #enter(): CollectorOutput<K>[] {
    const { match, position, emptyRegexIndex } = this.#matcher;
    const isWhole = match?.end === position;
    const regexIndex = isWhole ? match.regexIndex : position === 0 ? emptyRegexIndex : undefined;
    const matched = isWhole ? match.start - this.#dropped : 0;
    const before = this.#typed.slice(0, matched);
    const digits = this.#typed.slice(matched);
    const keys = [...digits, ...this.#enterHold];
    this.#restart([]);
    const code = regexIndex === undefined ? 402 : 200;
    const tag = this.#pattern.regexes[regexIndex ?? -1]?.tag;
    return [...discarded(before), this.#report({ code, digits, keys, tag })];
  }

  #report(
    report: Omit<Extract<CollectorOutput<K>, { type: 'report' }>, 'type' | 'isForcedFlush'>,
  ): CollectorOutput<K> {
    const isForcedFlush = this.#isForcedFlush;
    this.#isForcedFlush = false;
    this.#isStopped = this.#request.persist !== 'persist';
    return { type: 'report', ...report, isForcedFlush };
  }

  /** Begins a new attempt with the keys of `again`, before those that wait already. */
  #restart(again: readonly K[]): void {
    this.#backlog.unshift(...again);
    this.#typed = [];
    this.#enterHold = [];
    this.#dropped = 0;
    this.#matcher.reset();
  }

  /** Makes room in a full buffer: a match that waits for more is complete, else the oldest key gives way. */
  #makeRoom(): CollectorOutput<K>[] {
    const keys = [...this.keys];
    if (keys.length < KEY_BUFFER_SIZE) return [];
    const { match } = this.#matcher;
    if (match !== undefined) return this.#reportMatch(match);
    const oldest = keys.splice(0, 1);
    this.#backlog = [];
    this.#restart(keys);
    this.#isForcedFlush = true;
    return [{ type: 'discarded', keys: oldest, reason: 'buffer-overflow' }];
  }

  #nextTimer(nowMs: number): Timer {
    if (this.#isStopped) return { type: 'idle' };
    if (this.#backlog.length > 0) return { type: 'backlog', atMs: nowMs };
    const { interDigitTimerMs, criticalDigitTimerMs, extraDigitTimerMs } = this.#request;
    const { match, outlook, position } = this.#matcher;
    if (match === undefined) {
      const isPartial = this.#typed.length + this.#enterHold.length > 0;
      return isPartial ? { type: 'interDigit', atMs: nowMs + interDigitTimerMs } : { type: 'idle' };
    }
    const isCritical = outlook === 'other-regex' || match.end < position;
    return { type: 'match', atMs: nowMs + (isCritical ? criticalDigitTimerMs : extraDigitTimerMs) };
  }
}

function discarded<K extends CollectedKey>(keys: readonly K[]): CollectorOutput<K>[] {
  return keys.length === 0 ? [] : [{ type: 'discarded', keys, reason: 'no-match' }];
}
