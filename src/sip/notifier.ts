/**
 * The notifier side of KPML in one dialog: runs the pure machine of dtmf/kpml-notifier on the wall clock.
 *
 *   SUBSCRIBE -> machine -> 200 + NOTIFY        press -> machine -> NOTIFY -> answer -> machine
 */
import type {
  KpmlNotifier,
  KpmlSubscriptionView,
  NotifierOutput,
  NotifierPress,
} from '../dtmf/kpml-notifier.ts';
import type { Digit } from '../wire/telephone-event.ts';
import { getHeader, type SipResponse } from '../wire/sip-message.ts';
import type { EventDialog } from './event-dialog.ts';
import type { ReceivedRequest } from './sip-connection.ts';
import { WakeUp } from './wake-up.ts';

/** How a press fared that was given to the notifier. */
export interface NotifierListener {
  /** A NOTIFY that reported these presses got its final answer. */
  notified(report: {
    readonly pressIds: readonly string[];
    readonly status: number;
    readonly cseq: number;
    /** When the NOTIFY was handed to the SIP engine. */
    readonly sentAtMs: number;
  }): void;
  dropped(pressId: string, reason: NotifierDropReason): void;
  /** Subscriptions came, went or changed their state; so many there are now. */
  changed(count: number): void;
  /** A broken invariant showed while an answer was handled. */
  bug(error: unknown): void;
}

export type NotifierDropReason = Extract<NotifierOutput, { type: 'digitDropped' }>['reason'];

/** How long a subscriber should wait where there is no room for it. */
const CROWDED_SECONDS = '10';

export class DialogNotifier {
  readonly #machine: KpmlNotifier;
  readonly #dialog: EventDialog;
  #listener: NotifierListener;
  readonly #nowMs: () => number;
  readonly #mayGrow: () => boolean;
  readonly #wakeUp: WakeUp;

  constructor(options: {
    readonly machine: KpmlNotifier;
    readonly dialog: EventDialog;
    readonly listener: NotifierListener;
    readonly nowMs: () => number;
    /** Whether there is room for one more subscription; default always. */
    readonly mayGrow?: () => boolean;
  }) {
    this.#machine = options.machine;
    this.#dialog = options.dialog;
    this.#mayGrow = options.mayGrow ?? (() => true);
    this.#listener = options.listener;
    this.#nowMs = options.nowMs;
    this.#wakeUp = new WakeUp({
      expiresAtMs: () => this.#machine.expiresAtMs,
      nowMs: this.#nowMs,
      ring: () => this.#run(this.#machine.expire(this.#nowMs())),
    });
  }

  get subscriptions(): readonly KpmlSubscriptionView[] {
    return this.#machine.subscriptions;
  }

  /** Whether no NOTIFY waits to be sent or answered. */
  get isIdle(): boolean {
    return this.#machine.isIdle;
  }

  /** Whether a SUBSCRIBE with this Event header is for a subscription that is there already. */
  holds(event: string | undefined): boolean {
    return this.#machine.holds(event);
  }

  /** From now on another call hears of it; what its subscriptions count for stays. */
  handOver(listener: Omit<NotifierListener, 'changed'>): void {
    const before = this.#listener;
    this.#listener = { ...listener, changed: (count) => before.changed(count) };
  }

  setMode(mode: Parameters<KpmlNotifier['setMode']>[0]): void {
    this.#run(this.#machine.setMode(mode, this.#nowMs()));
  }

  /** Answers a SUBSCRIBE for kpml of this dialog. */
  receiveSubscribe(request: ReceivedRequest): void {
    const { message } = request;
    if (!this.#machine.holds(getHeader(message, 'Event')) && !this.#mayGrow()) {
      this.#dialog.respond(request, 503, { headers: { 'Retry-After': CROWDED_SECONDS } });
      return;
    }
    const outputs = this.#machine.subscribe(
      {
        event: getHeader(message, 'Event'),
        expires: getHeader(message, 'Expires'),
        accept: getHeader(message, 'Accept'),
        contentType: getHeader(message, 'Content-Type'),
        body: message.body,
      },
      this.#nowMs(),
    );
    this.#run(outputs, request);
  }

  press(press: NotifierPress): void {
    this.#run(this.#machine.press(press, this.#nowMs()));
  }

  release(press: {
    readonly pressId: string;
    readonly digit: Digit | 'R';
    readonly durationMs: number;
  }): void {
    this.#run(this.#machine.release(press, this.#nowMs()));
  }

  /** The call is over: subscriptions get their last NOTIFY, timers stop. */
  end(): void {
    this.#run(this.#machine.end(this.#nowMs()));
    this.#wakeUp.stop();
  }

  #run(outputs: readonly NotifierOutput[], request?: ReceivedRequest): void {
    for (const output of outputs) {
      switch (output.type) {
        case 'respond':
          if (request !== undefined) this.#respond(request, output);
          break;
        case 'notify':
          this.#notify(output).catch((error: unknown) => this.#listener.bug(error));
          break;
        case 'digitDropped':
          this.#listener.dropped(output.pressId, output.reason);
          break;
      }
    }
    this.#wakeUp.rearm();
    this.#listener.changed(this.#machine.subscriptions.length);
  }

  #respond(request: ReceivedRequest, output: Extract<NotifierOutput, { type: 'respond' }>): void {
    const reason = output.reason === undefined ? {} : { reason: output.reason };
    this.#dialog.respond(request, output.status, { ...reason, headers: output.headers });
  }

  async #notify(output: Extract<NotifierOutput, { type: 'notify' }>): Promise<void> {
    const sentAtMs = this.#nowMs();
    const body = output.body === '' ? {} : { body: output.body };
    const response = await this.#dialog.request('NOTIFY', { headers: output.headers, ...body });
    const { status, message } = response;
    if (output.pressIds.length > 0) {
      const cseq = cseqOf(message);
      this.#listener.notified({ pressIds: output.pressIds, status, cseq, sentAtMs });
    }
    const retryAfter = retryAfterOf(message);
    this.#run(
      this.#machine.notifyAnswered(output.subscriptionId, status, retryAfter, this.#nowMs()),
    );
  }
}

function cseqOf(message: SipResponse | undefined): number {
  const value = message === undefined ? undefined : getHeader(message, 'CSeq');
  return value === undefined ? 0 : Number.parseInt(value, 10);
}

function retryAfterOf(message: SipResponse | undefined): number | undefined {
  const value = message === undefined ? undefined : getHeader(message, 'Retry-After');
  const seconds = value === undefined ? Number.NaN : Number.parseInt(value, 10);
  return Number.isNaN(seconds) ? undefined : seconds;
}
