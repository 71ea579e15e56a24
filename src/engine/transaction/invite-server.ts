import { giveUpMs, unlessReliable } from './timer-values.ts';
import type { MachineOptions } from './timer-values.ts';

/** `sendLatest`: the response last accepted by `respond`. `deliverAck`: an ACK for the layer above. */
export type ServerOutput = { readonly type: 'sendLatest' } | { readonly type: 'deliverAck' };

type State =
  | { readonly type: 'proceeding'; readonly latest: 'none' | 'provisional' }
  | {
      readonly type: 'completed';
      readonly repeatAtMs: number;
      readonly intervalMs: number;
      readonly giveUpAtMs: number;
    }
  | { readonly type: 'confirmed'; readonly endsAtMs: number }
  | { readonly type: 'accepted'; readonly endsAtMs: number }
  | { readonly type: 'ended' };

/**
 * INVITE server transaction (RFC 3261 §17.2.1, RFC 6026 §7.1).
 *
 *   ┌────────────┐ 1xx: send; INVITE again: send the latest 1xx again
 *   │ proceeding ├──2xx: send──►┌──────────┐ INVITE again: absorbed; ACK: deliver;
 *   └──────┬─────┘              │ accepted │ 2xx again from above: send
 *          │ 300-699: send      └────┬─────┘──L: 64*T1 ─────────────► ended
 *          ▼
 *   ┌───────────┐ G: send again after T1, 2*T1 … at most T2 (UDP); INVITE again: send again
 *   │ completed ├──H: 64*T1, the ACK is lost ─────────────────────► ended
 *   └──────┬────┘
 *          │ ACK
 *          ▼
 *   ┌───────────┐ ACK again: absorbed
 *   │ confirmed ├──I: T4 (UDP), 0 (TCP) ──────────────────────────► ended
 *   └───────────┘
 */
export class InviteServer {
  readonly #options: MachineOptions;
  #state: State = { type: 'proceeding', latest: 'none' };

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  get isEnded(): boolean {
    return this.#state.type === 'ended';
  }

  get hasFinal(): boolean {
    return this.#state.type !== 'proceeding';
  }

  get expiresAtMs(): number | undefined {
    const state = this.#state;
    if (state.type === 'proceeding' || state.type === 'ended') return undefined;
    return state.type === 'completed'
      ? Math.min(state.repeatAtMs, state.giveUpAtMs)
      : state.endsAtMs;
  }

  /** @returns `undefined` when a response of this status may not be sent any more. */
  respond(status: number, nowMs: number): ServerOutput[] | undefined {
    const { timers } = this.#options;
    const state = this.#state;
    const isSuccess = status >= 200 && status < 300;
    if (state.type === 'accepted' && isSuccess) return [{ type: 'sendLatest' }];
    if (state.type !== 'proceeding') return undefined;
    if (status < 200) {
      this.#state = { type: 'proceeding', latest: 'provisional' };
    } else if (isSuccess) {
      this.#state = { type: 'accepted', endsAtMs: nowMs + giveUpMs(timers) };
    } else {
      this.#state = {
        type: 'completed',
        repeatAtMs: unlessReliable(this.#options, nowMs + timers.t1Ms),
        intervalMs: timers.t1Ms,
        giveUpAtMs: nowMs + giveUpMs(timers),
      };
    }
    return [{ type: 'sendLatest' }];
  }

  /** The INVITE came again. */
  receiveRequest(): ServerOutput[] {
    const state = this.#state;
    const hasLatest = state.type === 'proceeding' && state.latest === 'provisional';
    return hasLatest || state.type === 'completed' ? [{ type: 'sendLatest' }] : [];
  }

  /** An ACK that belongs to this transaction by its branch (or by RFC 2543 rules) came. */
  receiveAck(nowMs: number): ServerOutput[] {
    if (this.#state.type === 'accepted') return [{ type: 'deliverAck' }];
    if (this.#state.type === 'completed') {
      this.#state = this.#options.isReliable
        ? { type: 'ended' }
        : { type: 'confirmed', endsAtMs: nowMs + this.#options.timers.t4Ms };
    }
    return [];
  }

  expire(nowMs: number): ServerOutput[] {
    const state = this.#state;
    if ((this.expiresAtMs ?? Number.POSITIVE_INFINITY) > nowMs) return [];
    if (state.type === 'completed' && state.giveUpAtMs > nowMs) {
      const intervalMs = Math.min(state.intervalMs * 2, this.#options.timers.t2Ms);
      this.#state = { ...state, intervalMs, repeatAtMs: nowMs + intervalMs };
      return [{ type: 'sendLatest' }];
    }
    this.#state = { type: 'ended' };
    return [];
  }
}
