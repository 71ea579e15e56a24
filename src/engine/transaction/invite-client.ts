import type { SipResponse } from '../../wire/sip-message.ts';
import { giveUpMs, patienceOf, unlessReliable } from './timer-values.ts';
import type { MachineOptions } from './timer-values.ts';

/** What a client machine asks its shell to do, in this order. */
export type ClientOutput =
  | { readonly type: 'sendRequest' }
  | { readonly type: 'sendAck'; readonly response: SipResponse }
  | { readonly type: 'sendCancel' }
  | { readonly type: 'deliver'; readonly response: SipResponse }
  | { readonly type: 'timeout' }
  | { readonly type: 'failed'; readonly reason: string };

type State =
  | {
      readonly type: 'calling';
      readonly repeatAtMs: number;
      readonly intervalMs: number;
      readonly giveUpAtMs: number;
      /** Until then an answer may still come, also after it was given up. */
      readonly lateUntilMs: number;
      readonly cancel: 'none' | 'waiting';
    }
  | { readonly type: 'abandoned'; readonly endsAtMs: number; readonly isCancelled: boolean }
  | { readonly type: 'proceeding'; readonly cancel: 'none' }
  | { readonly type: 'proceeding'; readonly cancel: 'sent'; readonly giveUpAtMs: number }
  | { readonly type: 'completed'; readonly endsAtMs: number }
  | { readonly type: 'accepted'; readonly endsAtMs: number }
  | { readonly type: 'ended' };

/**
 * INVITE client transaction (RFC 3261 §17.1.1, RFC 6026 §7.2, CANCEL §9.1).
 *
 *             A: send again after T1, 2*T1, 4*T1 … (UDP)
 *   ┌─────────┐  B: 64*T1 → timeout ─────────────────────────────────► ended
 *   │ calling ├──2xx────────────────────────┐
 *   └─┬───┬───┘                             ▼
 *     │   │1xx                         ┌──────────┐  2xx again, or of
 *     │   ▼                            │ accepted │  another fork: deliver
 *     │  ┌────────────┐──2xx──────────►└────┬─────┘
 *     │  │ proceeding │  after CANCEL:      └──M: 64*T1──────────────► ended
 *     │  └──┬─────────┘  64*T1 → timeout ────────────────────────────► ended
 *     │     │ 300-699: ACK
 *     └─────┴──────►┌───────────┐  again: ACK, nothing delivered
 *                   │ completed ├──D: 64*T1 (UDP), 0 (TCP)──────────► ended
 *                   └───────────┘  2xx of another fork: deliver
 *
 * With less patience than B: timeout, then `abandoned` for the rest of 64*T1. A peer that wakes up after all is told
 * that nobody waits any more: 1xx is cancelled, 2xx delivered for ACK and BYE, the rest gets its ACK.
 *
 * A CANCEL asked for in `calling` goes out with the first 1xx: before it the callee may not know the INVITE yet.
 */
export class InviteClient {
  readonly #options: MachineOptions;
  #state: State = { type: 'ended' };

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  get isEnded(): boolean {
    return this.#state.type === 'ended';
  }

  get expiresAtMs(): number | undefined {
    const state = this.#state;
    if (state.type === 'calling') return Math.min(state.repeatAtMs, state.giveUpAtMs);
    if (state.type === 'proceeding') return state.cancel === 'sent' ? state.giveUpAtMs : undefined;
    return state.type === 'ended' ? undefined : state.endsAtMs;
  }

  start(nowMs: number): ClientOutput[] {
    const { timers } = this.#options;
    this.#state = {
      type: 'calling',
      repeatAtMs: unlessReliable(this.#options, nowMs + timers.t1Ms),
      intervalMs: timers.t1Ms,
      giveUpAtMs: nowMs + patienceOf(this.#options).silenceMs,
      lateUntilMs: nowMs + giveUpMs(timers),
      cancel: 'none',
    };
    return [{ type: 'sendRequest' }];
  }

  receive(response: SipResponse, nowMs: number): ClientOutput[] {
    const { type } = this.#state;
    if (type === 'accepted') return isSuccess(response) ? [{ type: 'deliver', response }] : [];
    if (type === 'completed') {
      // Another fork has answered all the same (RFC 3261 §13.2.2.4).
      if (isSuccess(response)) return [{ type: 'deliver', response }];
      return response.status >= 300 ? [{ type: 'sendAck', response }] : [];
    }
    if (type === 'ended') return [];
    if (type === 'abandoned') return this.#receiveLate(response, nowMs);
    if (response.status < 200) return this.#receiveProvisional(response, nowMs);
    return this.#receiveFinal(response, nowMs);
  }

  /** 'sent' comes with the output that sends it, or after an earlier one. */
  cancel(nowMs: number): { result: 'sent' | 'waiting' | 'too-late'; outputs: ClientOutput[] } {
    const state = this.#state;
    if (state.type === 'calling') {
      this.#state = { ...state, cancel: 'waiting' };
      return { result: 'waiting', outputs: [] };
    }
    if (state.type !== 'proceeding') return { result: 'too-late', outputs: [] };
    if (state.cancel === 'sent') return { result: 'sent', outputs: [] };
    return { result: 'sent', outputs: this.#sendCancel(nowMs) };
  }

  /** The request did not reach the peer. Once the peer has answered, a broken path is its problem. */
  fail(reason: string): ClientOutput[] {
    if (this.#state.type !== 'calling') return [];
    this.#state = { type: 'ended' };
    return [{ type: 'failed', reason }];
  }

  expire(nowMs: number): ClientOutput[] {
    const state = this.#state;
    if ((this.expiresAtMs ?? Number.POSITIVE_INFINITY) > nowMs) return [];
    if (state.type === 'calling' && state.giveUpAtMs > nowMs) {
      const intervalMs = state.intervalMs * 2;
      this.#state = { ...state, intervalMs, repeatAtMs: nowMs + intervalMs };
      return [{ type: 'sendRequest' }];
    }
    const isEarly = state.type === 'calling' && state.lateUntilMs > nowMs;
    this.#state = isEarly
      ? { type: 'abandoned', endsAtMs: state.lateUntilMs, isCancelled: false }
      : { type: 'ended' };
    const isUnanswered = state.type === 'calling' || state.type === 'proceeding';
    return isUnanswered ? [{ type: 'timeout' }] : [];
  }

  #receiveProvisional(response: SipResponse, nowMs: number): ClientOutput[] {
    const state = this.#state;
    if (state.type !== 'calling') return [{ type: 'deliver', response }];
    this.#state = { type: 'proceeding', cancel: 'none' };
    const cancelOutputs = state.cancel === 'waiting' ? this.#sendCancel(nowMs) : [];
    return [...cancelOutputs, { type: 'deliver', response }];
  }

  #receiveFinal(response: SipResponse, nowMs: number): ClientOutput[] {
    const lingerMs = giveUpMs(this.#options.timers);
    if (isSuccess(response)) {
      this.#state = { type: 'accepted', endsAtMs: nowMs + lingerMs };
      return [{ type: 'deliver', response }];
    }
    this.#state = this.#options.isReliable
      ? { type: 'ended' }
      : { type: 'completed', endsAtMs: nowMs + lingerMs };
    return [
      { type: 'sendAck', response },
      { type: 'deliver', response },
    ];
  }

  #receiveLate(response: SipResponse, nowMs: number): ClientOutput[] {
    const state = this.#state;
    if (response.status >= 200) {
      const outputs = this.#receiveFinal(response, nowMs);
      return isSuccess(response) ? outputs : outputs.filter(({ type }) => type === 'sendAck');
    }
    if (state.type !== 'abandoned' || state.isCancelled) return [];
    this.#state = { ...state, isCancelled: true };
    return [{ type: 'sendCancel' }];
  }

  #sendCancel(nowMs: number): ClientOutput[] {
    const giveUpAtMs = nowMs + giveUpMs(this.#options.timers);
    this.#state = { type: 'proceeding', cancel: 'sent', giveUpAtMs };
    return [{ type: 'sendCancel' }];
  }
}

function isSuccess(response: SipResponse): boolean {
  return response.status >= 200 && response.status < 300;
}
