/**
 * The digits that go to one leg by SIP INFO: one request at a time, in the order of the presses.
 *
 *   idle ── send ──► sending ── 2xx ─────────────────────────► next digit, or idle
 *                       │  ▲
 *                       ├──┘ 491, or 5xx with Retry-After: after a pause; 415: in the other content type
 *                       ├── any other refusal ───────────────► digit dropped, next one
 *                       └── 408, 481, no answer ─────────────► dropped with all that wait, which would come too late
 *
 * Nothing is sent before the dialog is acknowledged. A failure never touches the call.
 */
import { isAcceptable } from '../../wire/event-headers.ts';
import {
  DTMF_RELAY_TYPE,
  DTMF_TYPE,
  formatDtmfInfo,
  type DtmfInfo,
  type DtmfInfoType,
} from '../../wire/dtmf-info.ts';
import { getHeader, type SipMessage } from '../../wire/sip-message.ts';
import type { Side } from '../../wire/side.ts';
import type { DialogResponse, SipDialog } from '../../sip/dialog.ts';
import type { DigitDropReason } from '../../observe/digit-ledger.ts';
import type { DigitJournal } from './digit-journal.ts';

/** Digits that may wait behind the one on its way; more than a person can dial ahead. */
export const MAX_WAITING_DIGITS = 32;

/** How often one digit is sent in all. */
const MAX_ATTEMPTS = 3;

/** Pause after 491, and the bounds of what Retry-After may ask for. */
const CONFLICT_PAUSE_MS = 500;
const MAX_PAUSE_MS = 4_000;

/** Bounds of the duration a body states. */
const MIN_DURATION_MS = 1;
const MAX_DURATION_MS = 0xffff;

export interface InfoDigit {
  readonly pressId: string;
  readonly key: DtmfInfo['key'];
  /** Fractions are rounded. */
  readonly durationMs: number;
}

export interface InfoSenderOptions {
  readonly side: Side;
  /** The answered dialog of the leg. */
  readonly dialog: () => SipDialog | undefined;
  readonly journal: DigitJournal;
  readonly onBug: (error: unknown) => void;
}

/** What follows from an answer. */
type Verdict =
  | { readonly type: 'delivered' }
  | { readonly type: 'again'; readonly pauseMs: number }
  | { readonly type: 'dropped'; readonly reason: DigitDropReason; readonly isLegGone: boolean };

export class InfoSender {
  readonly #options: InfoSenderOptions;
  #waiting: InfoDigit[] = [];
  #state: 'held' | 'idle' | 'sending' | 'ended' = 'held';
  #type: DtmfInfoType = DTMF_RELAY_TYPE;
  /** Ends the pause before the next attempt. */
  #endPause: () => void = () => undefined;

  constructor(options: InfoSenderOptions) {
    this.#options = options;
  }

  /** The dialog is acknowledged. */
  ready(): void {
    if (this.#state !== 'held') return;
    this.#state = 'idle';
    this.#next();
  }

  /** The leg has sent a digit of `type` itself: it is taken to read that too. */
  learn(type: DtmfInfoType): void {
    this.#type = type;
  }

  send(digit: InfoDigit): void {
    if (this.#state === 'ended') this.#drop(digit, 'call-ended');
    else if (this.#waiting.length >= MAX_WAITING_DIGITS) this.#drop(digit, 'queue-full');
    else this.#waiting.push(digit);
    this.#next();
  }

  /** The call is over: what waits is dropped, the answer to the digit on its way still counts. */
  end(): void {
    this.#state = 'ended';
    this.#endPause();
    this.#dropWaiting('call-ended');
  }

  #next(): void {
    if (this.#state !== 'idle') return;
    const digit = this.#waiting.shift();
    const dialog = this.#options.dialog();
    if (digit === undefined || dialog === undefined) return;
    this.#state = 'sending';
    this.#deliver(digit, dialog).catch((error: unknown) => this.#options.onBug(error));
  }

  async #deliver(digit: InfoDigit, dialog: SipDialog): Promise<void> {
    let verdict = await this.#attempt(digit, dialog);
    for (let sent = 1; verdict.type === 'again'; sent += 1) {
      if (sent === MAX_ATTEMPTS) {
        verdict = { type: 'dropped', reason: 'info-refused', isLegGone: false };
        break;
      }
      await this.#pause(verdict.pauseMs);
      verdict = this.#isEnded()
        ? { type: 'dropped', reason: 'call-ended', isLegGone: false }
        : await this.#attempt(digit, dialog);
    }
    if (verdict.type === 'dropped') {
      this.#drop(digit, verdict.reason);
      if (verdict.isLegGone) this.#dropWaiting(verdict.reason);
    }
    if (this.#isEnded()) return;
    this.#state = 'idle';
    this.#next();
  }

  async #attempt(digit: InfoDigit, dialog: SipDialog): Promise<Verdict> {
    const { journal, side } = this.#options;
    const type = this.#type;
    const sentAtMs = journal.nowMs();
    const durationMs = Math.min(
      Math.max(Math.round(digit.durationMs), MIN_DURATION_MS),
      MAX_DURATION_MS,
    );
    const response = await dialog.request('INFO', {
      headers: { 'Content-Type': type },
      body: formatDtmfInfo({ key: digit.key, durationMs }, type),
    });
    const { status, message } = response;
    const cseq = cseqOf(message);
    journal.sent(digit.pressId, { type: 'info', ...cseq, status, atMs: sentAtMs });
    journal.record('dtmf', side, `SIP INFO to ${side} answered ${status}`);
    return this.#judge(response, type);
  }

  #judge(response: DialogResponse, sent: DtmfInfoType): Verdict {
    const { status, message } = response;
    if (status < 300) return { type: 'delivered' };
    if (message === undefined || status === 408 || status === 481) {
      return { type: 'dropped', reason: 'info-unanswered', isLegGone: true };
    }
    const other = sent === DTMF_RELAY_TYPE ? DTMF_TYPE : DTMF_RELAY_TYPE;
    if (status === 415 && isAcceptable(getHeader(message, 'Accept'), other)) {
      this.#type = other;
      return { type: 'again', pauseMs: 0 };
    }
    if (status === 491) return { type: 'again', pauseMs: CONFLICT_PAUSE_MS };
    const retryAfter = Number.parseInt(getHeader(message, 'Retry-After') ?? '', 10);
    if (status >= 500 && status < 600 && retryAfter >= 0) {
      return { type: 'again', pauseMs: Math.min(retryAfter * 1000, MAX_PAUSE_MS) };
    }
    return { type: 'dropped', reason: 'info-refused', isLegGone: false };
  }

  async #pause(pauseMs: number): Promise<void> {
    if (pauseMs === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, pauseMs);
    this.#endPause = resolve;
    await promise;
    clearTimeout(timer);
  }

  #isEnded(): boolean {
    return this.#state === 'ended';
  }

  #drop({ pressId }: InfoDigit, reason: DigitDropReason): void {
    this.#options.journal.drop(pressId, reason);
  }

  #dropWaiting(reason: DigitDropReason): void {
    for (const digit of this.#waiting) this.#drop(digit, reason);
    this.#waiting = [];
  }
}

/** CSeq of an answer, which is that of the request. */
function cseqOf(message: SipMessage | undefined): { cseq?: number } {
  const value = message === undefined ? undefined : getHeader(message, 'CSeq');
  const cseq = Number.parseInt(value ?? '', 10);
  return Number.isNaN(cseq) ? {} : { cseq };
}
