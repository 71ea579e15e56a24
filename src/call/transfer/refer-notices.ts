import type { SipDialog } from '../../sip/dialog.ts';
import { formatEvent, formatSubscriptionState } from '../../wire/event-headers.ts';
import { formatSipfrag, type SipFragment, SIPFRAG_TYPE } from '../../wire/refer.ts';

/** How long the subscription of a REFER lives, seconds: as long as anything may ring. */
const EXPIRES_SECONDS = 240;

/**
 * Tells the sender of a REFER how it goes (RFC 3515 §2.4.4): one NOTIFY at a time, of what happens meanwhile the last. The
 * last of all says `terminated`.
 */
export class ReferNotices {
  readonly #dialog: SipDialog;
  readonly #eventId: string | undefined;
  #waiting: SipFragment | undefined;
  #last: SipFragment | undefined;
  #state: 'idle' | 'sending' | 'over';

  /** @param isWanted false: the sender wants no subscription (RFC 4488) */
  constructor(dialog: SipDialog, eventId: string | undefined, isWanted: boolean) {
    this.#dialog = dialog;
    this.#eventId = eventId;
    this.#state = isWanted ? 'idle' : 'over';
  }

  /** Something has happened on the way to the target. */
  tell(fragment: SipFragment): void {
    if (this.#state === 'over' || this.#last !== undefined) return;
    if (this.#state === 'sending') this.#waiting = fragment;
    else void this.#send(fragment, false);
  }

  /** The outcome; sent at once, as the dialog may end with it. */
  conclude(fragment: SipFragment): void {
    if (this.#state === 'over' || this.#last !== undefined) return;
    this.#last = fragment;
    this.#waiting = undefined;
    void this.#send(fragment, true);
  }

  async #send({ status, reason }: SipFragment, isLast: boolean): Promise<void> {
    // Whoever has hung up does not wait for the outcome.
    if (!this.#dialog.isConfirmed) {
      this.#state = 'over';
      return;
    }
    this.#state = 'sending';
    const id = this.#eventId === undefined ? {} : { id: this.#eventId };
    const state = isLast
      ? { state: 'terminated', reason: 'noresource' }
      : { state: 'active', expiresSeconds: EXPIRES_SECONDS };
    const response = await this.#dialog.request('NOTIFY', {
      headers: {
        Event: formatEvent({ eventType: 'refer', ...id }),
        'Subscription-State': formatSubscriptionState(state),
        'Content-Type': SIPFRAG_TYPE,
      },
      body: formatSipfrag({ status, reason }),
    });
    if (isLast) {
      this.#state = 'over';
      return;
    }
    // Whoever refuses a NOTIFY has no subscription any more (RFC 6665 §4.2.2).
    this.#state = response.status >= 300 ? 'over' : 'idle';
    const next = this.#waiting;
    this.#waiting = undefined;
    if (next !== undefined && this.#last === undefined) this.tell(next);
  }
}
