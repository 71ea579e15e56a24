/**
 * The subscriber side of KPML on one leg of a call: asks the peer for its keys and keeps asking.
 *
 *             start                200             NOTIFY
 *    idle ------------> subscribing ---> confirming -----> active --75..90 %--> refreshing
 *                        |   ^              |timer N         ^  |                  |  |
 *                  error |   +-once---------+                |  +<-- 200 + NOTIFY -+  |
 *                        v                                   +------ 5xx, no answer --+
 *                      failed <--- rejected, 489 ...
 *                        ^         NOTIFY terminated ---> resting ---pause over---> subscribing
 *    stop: unsubscribing -> ended        abandon (BYE): ended, nothing is sent any more
 *
 * A NOTIFY may come before the 200; keys in any NOTIFY of ours are handed on. One SUBSCRIBE is out at a time.
 */

import { parseRetryAfter, parseSeconds } from '../wire/event-headers.ts';
import { attempt } from '../wire/wire-error.ts';
import { digitOutputs, readNotify } from './kpml-notify-reader.ts';
import type { KpmlNotify, ReadNotify } from './kpml-notify-reader.ts';
import { subscribeOutput, unsubscribeOutput } from './kpml-subscribe-output.ts';
import type { KpmlSubscriberOptions } from './kpml-subscribe-output.ts';
import type { SubscriberOutput } from './kpml-subscriber-output.ts';
import * as policy from './kpml-subscriber-policy.ts';
import { expiryOf } from './kpml-subscriber-state.ts';
import type { AskingState, SubscriberState, UnsubscribingState } from './kpml-subscriber-state.ts';

export type { KpmlNotify } from './kpml-notify-reader.ts';
export type { KpmlSubscriberOptions } from './kpml-subscribe-output.ts';
export type { SubscriberOutput } from './kpml-subscriber-output.ts';

/** The final answer to our SUBSCRIBE; 408 when there was none. Headers as received. */
export interface SubscribeResponse {
  readonly status: number;
  readonly expires?: string | undefined;
  readonly minExpires?: string | undefined;
  readonly retryAfter?: string | undefined;
}

/** Attempts to refresh are not made closer together than this. */
const MIN_REFRESH_PAUSE_MS = 1000;

/** A lifetime that a NOTIFY cuts by less than this is the same one, told with rounding. */
const LIFETIME_TOLERANCE_MS = 2000;

export class KpmlSubscriber {
  readonly #options: KpmlSubscriberOptions;
  readonly #allowance = new policy.NotifyAllowance();
  #state: SubscriberState = { type: 'idle' };
  #askedSeconds: number;
  #lastCSeq = -1;
  #serverFailures = 0;
  /** Subscriptions that ended in a row without a digit. */
  #barren = 0;
  /** The last SUBSCRIBE was accepted, but no NOTIFY came. */
  #isSilent = false;
  #isActiveTold = false;

  constructor(options: KpmlSubscriberOptions) {
    this.#options = options;
    this.#askedSeconds = options.expiresSeconds;
  }

  get state(): SubscriberState['type'] {
    return this.#state.type;
  }

  /** When the subscription ends unless it is refreshed; `undefined` when there is none. */
  get endsAtMs(): number | undefined {
    return 'expiresAtMs' in this.#state ? this.#state.expiresAtMs : undefined;
  }

  /** When {@link expire} wants to be called; `undefined` when nothing is pending. */
  get expiresAtMs(): number | undefined {
    return expiryOf(this.#state);
  }

  /** Subscribes, also again after failure or a stop; a subscription that lives stays as it is. */
  start(nowMs: number): SubscriberOutput[] {
    const state = this.#state;
    if (state.type === 'unsubscribing') this.#state = { ...state, isRestartWanted: true };
    const mayStart =
      state.type === 'idle' ||
      state.type === 'failed' ||
      (state.type === 'ended' && !state.isFinal);
    if (!mayStart) return [];
    this.#barren = 0;
    this.#isSilent = false;
    return this.#subscribe(nowMs);
  }

  /** The next SUBSCRIBE opens a dialog of its own, in which the peer counts its NOTIFYs anew. */
  dialogBegins(): void {
    this.#lastCSeq = -1;
  }

  /** The final answer to the SUBSCRIBE that is out; answers nobody waits for are ignored. */
  receiveResponse(response: SubscribeResponse, nowMs: number): SubscriberOutput[] {
    const state = this.#state;
    if (response.status < 200) return [];
    if (state.type === 'unsubscribing') {
      return this.#unsubscribeAnswered(response.status, state, nowMs);
    }
    const isAsking = state.type === 'subscribing' || state.type === 'refreshing';
    return isAsking ? this.#answered(response, state, nowMs) : [];
  }

  /** A NOTIFY of the dialog for the kpml package, or for none; the first output answers it. */
  receiveNotify(notify: KpmlNotify, nowMs: number): SubscriberOutput[] {
    const isNew = notify.cseq > this.#lastCSeq;
    this.#lastCSeq = Math.max(this.#lastCSeq, notify.cseq);
    if (!isNew) return [respond(500)];
    if (!this.#allowance.take(nowMs)) {
      const refusal = respond(500, { 'Retry-After': '1' });
      if (notify.body.length === 0) return [refusal];
      return [refusal, { type: 'ignoredDigits', characters: '', reason: 'rate-limited' }];
    }
    const read = readNotify(notify, this.#options);
    const state = this.#state;
    if (state.type === 'ended' && read.status === 200) return [respond(state.lateStatus)];
    const isOurs = state.type !== 'idle' && state.type !== 'failed' && state.type !== 'ended';
    if (!isOurs && read.status === 200) return [respond(481)];
    if (!isOurs) return [respond(read.status, read.headers)];
    return [
      respond(read.status, read.headers),
      ...this.#takeDigits(read, notify.cseq),
      ...this.#takeState(read, nowMs),
    ];
  }

  /** Ends the subscription (Expires 0); digits that still come are not handed on. */
  stop(nowMs: number): SubscriberOutput[] {
    const state = this.#state;
    if (state.type === 'subscribing' || state.type === 'refreshing') {
      const isLive = state.type === 'refreshing';
      this.#state = { type: 'unsubscribing', step: 'queued', isLive, isRestartWanted: false };
    } else if (state.type === 'unsubscribing') {
      this.#state = { ...state, isRestartWanted: false };
    }
    if (state.type === 'resting') return this.#end(nowMs);
    const isLive = state.type === 'confirming' || state.type === 'active';
    return isLive ? this.#sendUnsubscribe(false) : [];
  }

  /** The dialog is over: nothing is sent any more. */
  abandon(): SubscriberOutput[] {
    const { type } = this.#state;
    // Before the first answer there was no subscription that a NOTIFY could belong to.
    const lateStatus = type === 'idle' || type === 'subscribing' || type === 'failed' ? 481 : 200;
    const wasEnded = type === 'ended';
    this.#state = { type: 'ended', lateStatus, isFinal: true };
    return wasEnded ? [] : [{ type: 'state', state: 'ended', reason: 'dialog over' }];
  }

  /** To be called at {@link expiresAtMs}; earlier calls do nothing. */
  expire(nowMs: number): SubscriberOutput[] {
    const state = this.#state;
    if (nowMs < (expiryOf(state) ?? Infinity)) return [];
    if (state.type === 'unsubscribing') return this.#end(nowMs);
    if (state.type === 'confirming') {
      if (this.#isSilent) return this.#fail('no NOTIFY');
      this.#isSilent = true;
    } else if (state.type === 'active') {
      if (nowMs >= state.expiresAtMs) return this.#goOn({ type: 'at-once' }, nowMs);
      this.#state = { ...state, type: 'refreshing', sentAtMs: nowMs, isRaised: false };
      return [subscribeOutput(this.#options, this.#askedSeconds)];
    }
    return this.#subscribe(nowMs);
  }

  #answered(response: SubscribeResponse, asking: AskingState, nowMs: number): SubscriberOutput[] {
    const meaning = policy.meaningOfAnswer(response.status, asking.type === 'refreshing');
    if (meaning === 'accepted') {
      return this.#accepted(secondsIn(response.expires, parseSeconds), asking, nowMs);
    }
    if (meaning === 'failed') return this.#fail(`answered ${response.status}`);
    const minimum = secondsIn(response.minExpires, parseSeconds);
    if (meaning === 'too-brief' && !asking.isRaised && minimum !== undefined) {
      this.#askedSeconds = Math.max(this.#askedSeconds, minimum);
      this.#state = { ...asking, isRaised: true, sentAtMs: nowMs };
      return [subscribeOutput(this.#options, this.#askedSeconds)];
    }
    if (asking.early?.type === 'over') return this.#goOn(asking.early.succession, nowMs);
    if (meaning === 'gone') return this.#subscribe(nowMs);
    if (asking.type === 'refreshing') return this.#refreshFailed(asking.expiresAtMs, nowMs);
    if (meaning === 'too-brief') return this.#fail('answered 423');
    return this.#serverFailed(secondsIn(response.retryAfter, parseRetryAfter), nowMs);
  }

  #accepted(
    grantedSeconds: number | undefined,
    asking: AskingState,
    nowMs: number,
  ): SubscriberOutput[] {
    const { early, sentAtMs } = asking;
    if (early?.type === 'over') return this.#goOn(early.succession, nowMs);
    const expiresAtMs = this.#lifetimeEnd(grantedSeconds, nowMs);
    if (early === undefined) {
      const notifyByMs = sentAtMs + policy.NOTIFY_WAIT_MS;
      this.#state = { type: 'confirming', expiresAtMs, notifyByMs };
    } else {
      this.#live(Math.min(expiresAtMs, early.expiresAtMs), nowMs);
    }
    return [];
  }

  /** The running lifetime stays valid; the next attempt comes after half of what is left. */
  #refreshFailed(expiresAtMs: number, nowMs: number): SubscriberOutput[] {
    const pauseMs = Math.max((expiresAtMs - nowMs) / 2, MIN_REFRESH_PAUSE_MS);
    this.#state = { type: 'active', expiresAtMs, refreshAtMs: nowMs + pauseMs };
    return [];
  }

  #serverFailed(retryAfterSeconds: number | undefined, nowMs: number): SubscriberOutput[] {
    this.#serverFailures += 1;
    if (this.#serverFailures >= policy.MAX_SERVER_FAILURES) return this.#fail('server failures');
    return this.#goOn(policy.pauseOf(retryAfterSeconds), nowMs);
  }

  /** An ended subscription goes on as the peer and the tables say. */
  #goOn(succession: policy.Succession, nowMs: number): SubscriberOutput[] {
    if (succession.type === 'never') return this.#fail(succession.reason);
    if (succession.type === 'later') {
      this.#state = { type: 'resting', resumeAtMs: nowMs + succession.pauseMs };
      return [];
    }
    this.#barren += 1;
    if (this.#barren > policy.MAX_BARREN_SUBSCRIPTIONS) return this.#fail('ends without digits');
    return this.#subscribe(nowMs);
  }

  #takeDigits(read: ReadNotify, notifyCSeq: number): SubscriberOutput[] {
    if (read.response === undefined || this.#state.type === 'unsubscribing') return [];
    const outputs = digitOutputs(read.response, notifyCSeq, this.#options.flash);
    if (outputs.some((output) => output.type === 'digits')) this.#barren = 0;
    return outputs;
  }

  #takeState(read: ReadNotify, nowMs: number): SubscriberOutput[] {
    const { state: told, response } = read;
    if (told === undefined) return [];
    this.#isSilent = false;
    if (told.state === 'terminated')
      return this.#over(policy.successionOf(told, response?.code), nowMs);
    if (response?.code === 487) return this.#over({ type: 'at-once' }, nowMs);
    const expiresAtMs = this.#lifetimeEnd(told.expiresSeconds, nowMs);
    const state = this.#state;
    if (state.type === 'unsubscribing') return [];
    if (state.type === 'subscribing' || state.type === 'refreshing') {
      this.#state = { ...state, early: { type: 'alive', expiresAtMs } };
    } else if (state.type === 'confirming') {
      this.#live(Math.min(state.expiresAtMs, expiresAtMs), nowMs);
    } else if (state.type === 'active' && expiresAtMs < state.expiresAtMs - LIFETIME_TOLERANCE_MS) {
      this.#live(expiresAtMs, nowMs);
    }
    if (told.state === 'pending' || this.#isActiveTold) return [];
    this.#isActiveTold = true;
    return [{ type: 'state', state: 'active', reason: 'notified' }];
  }

  /** The peer ended the subscription. */
  #over(succession: policy.Succession, nowMs: number): SubscriberOutput[] {
    const state = this.#state;
    if (state.type === 'confirming' || state.type === 'active')
      return this.#goOn(succession, nowMs);
    if (state.type === 'subscribing' || state.type === 'refreshing') {
      this.#state = { ...state, early: { type: 'over', succession } };
    } else if (state.type === 'unsubscribing') {
      if (state.step === 'answered') return this.#end(nowMs);
      this.#state =
        state.step === 'queued' ? { ...state, isLive: false } : { ...state, step: 'notified' };
    }
    return [];
  }

  #unsubscribeAnswered(
    status: number,
    state: UnsubscribingState,
    nowMs: number,
  ): SubscriberOutput[] {
    if (state.step === 'queued' && (status < 300 || state.isLive)) {
      return this.#sendUnsubscribe(state.isRestartWanted);
    }
    if (state.step === 'answered') return [];
    if (state.step !== 'sent' || status >= 300) return this.#end(nowMs);
    this.#state = { ...state, step: 'answered', giveUpAtMs: nowMs + policy.NOTIFY_WAIT_MS };
    return [];
  }

  #live(expiresAtMs: number, nowMs: number): void {
    const pauseMs = policy.refreshAfterMs(expiresAtMs - nowMs, this.#options.random());
    this.#state = { type: 'active', expiresAtMs, refreshAtMs: nowMs + pauseMs };
  }

  #lifetimeEnd(grantedSeconds: number | undefined, nowMs: number): number {
    return nowMs + policy.lifetimeSeconds(grantedSeconds, this.#askedSeconds) * 1000;
  }

  #subscribe(nowMs: number): SubscriberOutput[] {
    this.#state = { type: 'subscribing', sentAtMs: nowMs, isRaised: false };
    return [subscribeOutput(this.#options, this.#askedSeconds)];
  }

  #sendUnsubscribe(isRestartWanted: boolean): SubscriberOutput[] {
    this.#state = { type: 'unsubscribing', step: 'sent', isLive: true, isRestartWanted };
    return [unsubscribeOutput(this.#options)];
  }

  #fail(reason: string): SubscriberOutput[] {
    this.#state = { type: 'failed' };
    this.#isActiveTold = false;
    return [{ type: 'state', state: 'failed', reason }];
  }

  /** The subscription was given up by us; a start that came meanwhile takes effect. */
  #end(nowMs: number): SubscriberOutput[] {
    const state = this.#state;
    if (state.type === 'unsubscribing' && state.isRestartWanted) return this.#subscribe(nowMs);
    this.#state = { type: 'ended', lateStatus: 200, isFinal: false };
    this.#isActiveTold = false;
    return [{ type: 'state', state: 'ended', reason: 'stopped' }];
  }
}

function respond(status: number, headers: Record<string, string> = {}): SubscriberOutput {
  return { type: 'respond', status, headers };
}

/** A number in a header of an answer; one that cannot be read is as good as none. */
function secondsIn(
  value: string | undefined,
  parse: (value: string) => number,
): number | undefined {
  if (value === undefined) return undefined;
  return attempt<number | undefined>(
    () => parse(value),
    () => undefined,
  );
}
