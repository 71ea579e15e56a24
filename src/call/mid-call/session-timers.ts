/** The session timers of a call on the wall clock: a machine and at most one timer per leg. */
import { nowMs } from '../../observe/clock.ts';
import type { DialogRefresh } from '../../sip/dialog-refresh.ts';
import type { DialogResponse } from '../../sip/dialog.ts';
import { ALLOWED_METHODS } from '../../sip/stray-requests.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { type Side, SIDES } from '../../wire/side.ts';
import type { CallLeg } from '../call-leg.ts';
import type { EndCause } from '../end-cause.ts';
import { SessionTimer, type SessionTimerOutput } from './session-timer.ts';
import { sessionTimerSettings, type TimerHeaders } from './session-timer-negotiation.ts';

/** A real drachtio-server refreshes by itself at half time; whoever is a little earlier restarts its clock. */
const SHARE_BEFORE_THE_SERVER = 0.4;
/** Timers of Node keep no longer time than 2^31 ms. */
const LONGEST_DELAY_MS = 0x7fff_ffff;

/** What the timers ask of their call. */
export interface SessionTimersHost {
  /** The SIP engine runs session timers of its own. */
  readonly isServerRefreshing: boolean;
  /** Repeats our last description to `side`; `undefined` when that cannot be done now. */
  reinvite(side: Side): Promise<DialogResponse | undefined>;
  end(cause: EndCause): void;
  guarded(action: () => void | Promise<void>): void;
}

/** What a session timer has to know of its leg, and what it says there. */
export type TimedLeg = Pick<CallLeg, 'side' | 'settings' | 'dialog' | 'sessionAgreement'>;

/** The session timer of one leg. */
export class LegSessionTimer implements DialogRefresh {
  readonly #leg: TimedLeg;
  readonly #host: SessionTimersHost;
  readonly #machine: SessionTimer;
  #timer: NodeJS.Timeout | undefined;

  constructor(leg: TimedLeg, host: SessionTimersHost) {
    this.#leg = leg;
    this.#host = host;
    this.#machine = new SessionTimer({
      settings: sessionTimerSettings(leg.settings),
      isCallIdOurs: leg.side === 'callee',
      random: Math.random,
      ...(host.isServerRefreshing ? { refreshShare: SHARE_BEFORE_THE_SERVER } : {}),
    });
  }

  requestHeaders(): TimerHeaders {
    return this.#machine.requestHeaders();
  }

  refusal(request: SipRequest): TimerHeaders | undefined {
    return this.#machine.refusal(request);
  }

  accept(request: SipRequest): { readonly headers: TimerHeaders; sent(): void } {
    const { headers, sent } = this.#machine.accept(request);
    return {
      headers,
      sent: () => {
        sent(nowMs());
        this.#rearm();
      },
    };
  }

  accepted(response: SipResponse): void {
    this.#machine.accepted(response, nowMs());
    this.#rearm();
  }

  tooShort(response: SipResponse | undefined): boolean {
    return this.#machine.tooShort(response);
  }

  end(): void {
    this.#machine.end();
    clearTimeout(this.#timer);
  }

  #rearm(): void {
    clearTimeout(this.#timer);
    this.#leg.sessionAgreement = this.#machine.agreement;
    const atMs = this.#machine.expiresAtMs;
    if (atMs === undefined) return;
    // A timer may ring a fraction of a millisecond early; the machine would then see nothing due.
    const delayMs = Math.max(1, Math.ceil(atMs - nowMs()));
    this.#timer = setTimeout(() => this.#ring(), Math.min(delayMs, LONGEST_DELAY_MS));
    this.#timer.unref();
  }

  #ring(): void {
    this.#host.guarded(() => this.#perform(this.#machine.expire(nowMs())));
    this.#rearm();
  }

  async #perform(outputs: readonly SessionTimerOutput[]): Promise<void> {
    for (const output of outputs) {
      if (output.type === 'end') {
        this.#host.end({ name: output.cause, by: this.#leg.side });
        continue;
      }
      const next = await (output.type === 'ping' ? this.#ping() : this.#refresh(output.method));
      this.#rearm();
      await this.#perform(next);
    }
  }

  async #refresh(method: 'UPDATE' | 'INVITE'): Promise<readonly SessionTimerOutput[]> {
    const response = await (method === 'UPDATE'
      ? this.#inDialog('UPDATE', { Allow: ALLOWED_METHODS })
      : this.#host.reinvite(this.#leg.side));
    return this.#machine.refreshed(response?.status, method, nowMs());
  }

  async #ping(): Promise<readonly SessionTimerOutput[]> {
    const response = await this.#inDialog('OPTIONS', { Accept: 'application/sdp' });
    return this.#machine.pinged(response?.status ?? 500, nowMs());
  }

  /** `undefined` while the peer has not acknowledged the dialog. */
  #inDialog(method: string, headers: TimerHeaders): Promise<DialogResponse | undefined> {
    const { dialog } = this.#leg;
    if (dialog?.isConfirmed !== true) return Promise.resolve(undefined);
    return dialog.request(method, { headers });
  }
}

/** The session timers of both legs. */
export class SessionTimers {
  readonly #host: SessionTimersHost;
  readonly #timers: Partial<Record<Side, LegSessionTimer>> = {};

  constructor(host: SessionTimersHost) {
    this.#host = host;
  }

  /** Takes charge of `leg` in place of an earlier attempt at that side. */
  watch(leg: TimedLeg): LegSessionTimer {
    this.#timers[leg.side]?.end();
    const timer = new LegSessionTimer(leg, this.#host);
    this.#timers[leg.side] = timer;
    return timer;
  }

  of(side: Side): LegSessionTimer | undefined {
    return this.#timers[side];
  }

  end(): void {
    for (const side of SIDES) this.#timers[side]?.end();
  }
}
