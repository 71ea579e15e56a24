/**
 * The session timer of one leg (RFC 4028), or in its absence the question whether the peer still has the call.
 *
 *   state      what is due                     what comes of it
 *   idle       nothing: not answered yet
 *   peer       a refresh of the peer           without one the session has expired: end
 *   us         our refresh at half time        asking
 *   asking     the answer to our refresh       2xx: agreed anew · 491: a random pause · 422: a longer interval
 *                                              481, 408, silence: the dialog is lost · others: again, until it expires
 *   unwatched  OPTIONS at long intervals       pinging (no session timer on this leg)
 *   pinging    the answer to OPTIONS           481, 408, silence: the dialog is lost · others: the peer is there
 *   ended      nothing
 *
 * Every 2xx to INVITE or UPDATE, of either end, agrees anew. No timers inside: `nowMs` comes in, and {@link expire} wants
 * to be called at {@link expiresAtMs}.
 */
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import {
  agreementAsClient,
  agreementAsServer,
  allowsUpdate,
  answerHeaders,
  intervalRefusal,
  minSeOf,
  requestHeaders,
  type SessionAgreement,
  type SessionTimerSettings,
  type TimerHeaders,
} from './session-timer-negotiation.ts';

/** What is to be done now. */
export type SessionTimerOutput =
  /** Send a request that changes nothing; its final answer goes to {@link SessionTimer.refreshed}. */
  | { readonly type: 'refresh'; readonly method: 'UPDATE' | 'INVITE' }
  /** Send OPTIONS in the dialog; its final answer goes to {@link SessionTimer.pinged}. */
  | { readonly type: 'ping' }
  | { readonly type: 'end'; readonly cause: 'session-expired' | 'dialog-lost' };

export interface SessionTimerOptions {
  readonly settings: SessionTimerSettings;
  /** We sent the INVITE and own the Call-ID, on which the pause after a 491 depends (RFC 3261 §14.1). */
  readonly isCallIdOurs: boolean;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Which part of the interval passes before we refresh, default a half. */
  readonly refreshShare?: number;
}

/** What our 2xx says, and how it comes into force. */
export interface Acceptance {
  readonly headers: TimerHeaders;
  readonly sent: (nowMs: number) => void;
}

interface Timed {
  readonly agreement: SessionAgreement;
  /** When the call ends unless somebody refreshes. */
  readonly endsAtMs: number;
}

type State =
  | { readonly type: 'idle' }
  | ({ readonly type: 'peer' } & Timed)
  | ({ readonly type: 'us'; readonly refreshAtMs: number } & Timed)
  | ({ readonly type: 'asking' } & Timed)
  | { readonly type: 'unwatched'; readonly pingAtMs: number | undefined }
  | { readonly type: 'pinging' }
  | { readonly type: 'ended' };

const MS_PER_SECOND = 1000;
/** The call ends so long before the interval does, or a third of it if that is less (RFC 4028 §10). */
const MARGIN_MS = 32_000;
/** After a refresh that failed for reasons of the moment, milliseconds. */
const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;
/** No peer waits longer for what it has agreed to; beyond this timers would not keep time, milliseconds. */
const LONGEST_INTERVAL_MS = 20 * 86_400 * MS_PER_SECOND;

export class SessionTimer {
  readonly #options: SessionTimerOptions;
  #state: State = { type: 'idle' };
  /** The largest Min-SE that the peer asked for with a 422. */
  #minSeSeconds: number;
  #takesUpdate = false;

  constructor(options: SessionTimerOptions) {
    this.#options = options;
    this.#minSeSeconds = options.settings.minSeSeconds;
  }

  /** What is agreed; `undefined` on a leg without session timer. */
  get agreement(): SessionAgreement | undefined {
    return 'agreement' in this.#state ? this.#state.agreement : undefined;
  }

  /** When {@link expire} wants to be called; `undefined` when nothing is due. */
  get expiresAtMs(): number | undefined {
    const state = this.#state;
    switch (state.type) {
      case 'us':
        return Math.min(state.refreshAtMs, state.endsAtMs);
      case 'peer':
      case 'asking':
        return state.endsAtMs;
      case 'unwatched':
        return state.pingAtMs;
      case 'idle':
      case 'pinging':
      case 'ended':
        break;
    }
    return undefined;
  }

  /** For a request of ours that sets up or refreshes the session. */
  requestHeaders(): TimerHeaders {
    const { settings } = this.#options;
    return requestHeaders(settings, { current: this.agreement, minSeSeconds: this.#minSeSeconds });
  }

  /** For a 422 to a request of the peer; `undefined` when it can be served. */
  refusal(request: SipRequest): TimerHeaders | undefined {
    return intervalRefusal(request, this.#options.settings, this.agreement);
  }

  /** For our 2xx to a request of the peer that sets up or refreshes the session; `sent` once it has left. */
  accept(request: SipRequest): Acceptance {
    const agreement = agreementAsServer(request, this.#options.settings, this.agreement);
    const isFirst = this.#state.type === 'idle';
    const sent = (nowMs: number): void => {
      // A first answer that takes its time may be overtaken by an exchange in the same dialog, which then counts.
      if (this.#state.type === 'ended' || (isFirst && this.#state.type !== 'idle')) return;
      this.#learn(request);
      this.#agree(agreement, nowMs);
    };
    return { headers: answerHeaders(request, agreement), sent };
  }

  /** A 2xx of the peer to a request of ours that sets up or refreshes the session. */
  accepted(response: SipResponse, nowMs: number): void {
    if (this.#state.type === 'ended') return;
    this.#learn(response);
    this.#agree(agreementAsClient(response, this.#options.settings, this.agreement), nowMs);
  }

  /** A refusal of the peer; true for a 422 after which asking again with the headers of now may help. */
  tooShort(response: SipResponse | undefined): boolean {
    if (response?.status !== 422) return false;
    const minSe = minSeOf(response);
    if (minSe === undefined || minSe <= this.#minSeSeconds) return false;
    this.#minSeSeconds = minSe;
    return true;
  }

  /** Does what is due at `nowMs`. */
  expire(nowMs: number): SessionTimerOutput[] {
    const state = this.#state;
    const dueMs = this.expiresAtMs;
    if (dueMs === undefined || nowMs < dueMs) return [];
    if (state.type === 'unwatched') {
      this.#state = { type: 'pinging' };
      return [{ type: 'ping' }];
    }
    if (state.type === 'us' && nowMs < state.endsAtMs) {
      const { agreement, endsAtMs } = state;
      this.#state = { type: 'asking', agreement, endsAtMs };
      return [{ type: 'refresh', method: this.#takesUpdate ? 'UPDATE' : 'INVITE' }];
    }
    return this.#over('session-expired');
  }

  /**
   * The final answer to our refresh: its 2xx has come to {@link accepted} before. `undefined`: it could not be sent, as
   * another exchange is under way.
   */
  refreshed(status: number | undefined, method: string, nowMs: number): SessionTimerOutput[] {
    const state = this.#state;
    // Meanwhile a refresh of the peer may have counted in place of ours.
    if (state.type !== 'asking' || isSuccess(status)) return [];
    if (status === 481 || status === 408) return this.#over('dialog-lost');
    if (method === 'UPDATE' && (status === 405 || status === 501)) this.#takesUpdate = false;
    const pauseMs = status === 491 ? this.#glarePauseMs() : pauseBefore(state.endsAtMs, nowMs);
    const { agreement, endsAtMs } = state;
    this.#state = { type: 'us', agreement, endsAtMs, refreshAtMs: nowMs + pauseMs };
    return [];
  }

  /** The final answer to our OPTIONS. */
  pinged(status: number, nowMs: number): SessionTimerOutput[] {
    if (this.#state.type !== 'pinging') return [];
    if (status === 481 || status === 408) return this.#over('dialog-lost');
    this.#agree(undefined, nowMs);
    return [];
  }

  /** The call is over; nothing is due any more. */
  end(): void {
    this.#state = { type: 'ended' };
  }

  #over(cause: 'session-expired' | 'dialog-lost'): SessionTimerOutput[] {
    this.#state = { type: 'ended' };
    return [{ type: 'end', cause }];
  }

  #learn(message: SipRequest | SipResponse): void {
    this.#takesUpdate = allowsUpdate(message) ?? this.#takesUpdate;
  }

  #agree(agreement: SessionAgreement | undefined, nowMs: number): void {
    if (agreement === undefined) {
      const { pingSeconds } = this.#options.settings;
      const pingAtMs = pingSeconds === 0 ? undefined : nowMs + pingSeconds * MS_PER_SECOND;
      this.#state = { type: 'unwatched', pingAtMs };
      return;
    }
    const intervalMs = Math.min(agreement.intervalSeconds * MS_PER_SECOND, LONGEST_INTERVAL_MS);
    const endsAtMs = nowMs + intervalMs - Math.min(MARGIN_MS, intervalMs / 3);
    const refreshAtMs = nowMs + intervalMs * (this.#options.refreshShare ?? 0.5);
    this.#state =
      agreement.refresher === 'peer'
        ? { type: 'peer', agreement, endsAtMs }
        : { type: 'us', agreement, endsAtMs, refreshAtMs };
  }

  /** RFC 3261 §14.1, in units of 10 ms. */
  #glarePauseMs(): number {
    const { isCallIdOurs, random } = this.#options;
    const [fromMs, toMs] = isCallIdOurs ? [2100, 4000] : [0, 2000];
    return fromMs + 10 * Math.floor((random() * (toMs - fromMs)) / 10);
  }
}

function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

/** Half of the time that is left, within bounds. */
function pauseBefore(endsAtMs: number, nowMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, (endsAtMs - nowMs) / 2));
}
