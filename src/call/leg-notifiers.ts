import type { KpmlNotifier } from '../dtmf/kpml-notifier.ts';
import type { SipDialog } from '../sip/dialog.ts';
import type { DialogNotifier } from '../sip/notifier.ts';

/**
 * The KPML notifiers of one leg: one per early dialog, and the one of the answered dialog.
 *
 *   SUBSCRIBE in an early dialog -> early      2xx -> that of its dialog stays, the others end
 */
export class LegNotifiers {
  readonly #early = new Map<SipDialog, DialogNotifier>();
  #answered: DialogNotifier | undefined;

  /** That of the answered dialog. */
  get answered(): DialogNotifier | undefined {
    return this.#answered;
  }

  get all(): readonly DialogNotifier[] {
    const early = [...this.#early.values()];
    return this.#answered === undefined ? early : [this.#answered, ...early];
  }

  of(dialog: SipDialog): DialogNotifier | undefined {
    return dialog.isEarly ? this.#early.get(dialog) : this.#answered;
  }

  add(dialog: SipDialog, notifier: DialogNotifier): void {
    if (dialog.isEarly) this.#early.set(dialog, notifier);
    else this.#answered = notifier;
  }

  /** The leg is answered in `dialog`: what was subscribed to in other early dialogs ends. */
  answer(dialog: SipDialog): void {
    this.#answered = this.#early.get(dialog) ?? this.#answered;
    this.#early.delete(dialog);
    for (const notifier of this.#early.values()) notifier.end();
    this.#early.clear();
  }

  /** Takes over the early ones of `other`; nothing is known yet of what they will hear. */
  takeOver(other: LegNotifiers): void {
    for (const [dialog, notifier] of other.#early) {
      this.#early.set(dialog, notifier);
      notifier.setMode('pending');
    }
    other.#early.clear();
  }

  setMode(mode: Parameters<KpmlNotifier['setMode']>[0]): void {
    for (const notifier of this.all) notifier.setMode(mode);
  }

  /** The call is over: each subscription gets its last NOTIFY. */
  end(): void {
    for (const notifier of this.all) notifier.end();
    this.#early.clear();
  }
}
