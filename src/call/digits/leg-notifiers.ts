import type { KpmlNotifier } from '../../dtmf/kpml-notifier.ts';
import type { SipDialog } from '../../sip/dialog.ts';
import type { DialogNotifier } from '../../sip/notifier.ts';

/** Stands in for a map that nothing has been entered in: most legs have none of either kind. */
const NONE = new Map<never, never>();

/**
 * The KPML notifiers of one leg: one per early dialog, the one of the answered dialog, and one for each subscription
 * that has a dialog of its own.
 *
 *   SUBSCRIBE in an early dialog -> early      2xx -> that of its dialog stays, the others end
 *   a reliable 18x has settled offer and answer -> that of its dialog is told of keys before the 2xx
 */
export class LegNotifiers {
  #early: Map<SipDialog, DialogNotifier> = NONE;
  #answered: DialogNotifier | undefined;
  /** With the dialog whose keys they report. */
  #separate: Map<DialogNotifier, SipDialog> = NONE;
  #settled: SipDialog | undefined;
  /** Has taken over the rest. */
  #successor: LegNotifiers | undefined;

  /** That of the answered dialog. */
  get answered(): DialogNotifier | undefined {
    return this.#answered;
  }

  /** Who is told of keys: that of the answered dialog, before that the one of the branch that has settled the exchange. */
  get heard(): DialogNotifier | undefined {
    const settled = this.#settled;
    return this.#answered ?? (settled === undefined ? undefined : this.#early.get(settled));
  }

  /** Those of the dialogs of the leg itself. */
  get inDialog(): readonly DialogNotifier[] {
    const early = [...this.#early.values()];
    return this.#answered === undefined ? early : [this.#answered, ...early];
  }

  get separate(): readonly DialogNotifier[] {
    return [...this.#separate.keys()];
  }

  get all(): readonly DialogNotifier[] {
    return [...this.inDialog, ...this.separate];
  }

  /** Those who want to hear of keys now, of the other party's or (`isReverse`) of the subscriber's own. */
  listening(isReverse: boolean): readonly DialogNotifier[] {
    const { heard } = this;
    const separate = [...this.#separate]
      .filter(([, monitored]) => !monitored.isEarly || monitored === this.#settled)
      .map(([notifier]) => notifier);
    return [...(heard === undefined ? [] : [heard]), ...separate].filter(({ subscriptions }) =>
      subscriptions.some((each) => each.state === 'active' && each.isReverse === isReverse),
    );
  }

  of(dialog: SipDialog): DialogNotifier | undefined {
    return dialog.isEarly ? this.#early.get(dialog) : this.#answered;
  }

  add(dialog: SipDialog, notifier: DialogNotifier): void {
    if (dialog.isEarly) this.#enterEarly(dialog, notifier);
    else this.#answered = notifier;
  }

  /** Offer and answer are complete in an early dialog. */
  settle(dialog: SipDialog): void {
    this.#settled = dialog;
  }

  /** Takes in one that has a dialog of its own and reports the keys of `monitored`; gives what takes it out again. */
  addSeparate(monitored: SipDialog, notifier: DialogNotifier): () => void {
    this.#enterSeparate(notifier, monitored);
    return () => this.#forget(notifier);
  }

  /** The leg is answered in `dialog`: what was subscribed to in other early dialogs ends. */
  answer(dialog: SipDialog): void {
    this.#answered = this.#early.get(dialog) ?? this.#answered;
    this.#early.delete(dialog);
    for (const notifier of this.#early.values()) notifier.end();
    this.#early.clear();
    for (const [notifier, monitored] of this.#separate) {
      if (monitored !== dialog) notifier.end();
    }
  }

  /** Takes over the early ones of `other`; nothing is known yet of what they will hear. */
  takeOver(other: LegNotifiers): void {
    for (const [dialog, notifier] of other.#early) {
      this.#enterEarly(dialog, notifier);
      notifier.setMode('pending');
    }
    other.#early.clear();
    for (const [notifier, monitored] of other.#separate) {
      this.#enterSeparate(notifier, monitored);
      notifier.setMode('pending');
    }
    other.#separate.clear();
    other.#successor = this;
  }

  /** Takes in those of the answered dialog of `other`, whose leg has come to another call. */
  inherit(other: LegNotifiers): void {
    this.#answered = other.#answered ?? this.#answered;
    other.#answered = undefined;
    for (const [notifier, monitored] of other.#separate) this.#enterSeparate(notifier, monitored);
    other.#separate.clear();
    other.#successor = this;
  }

  setMode(mode: Parameters<KpmlNotifier['setMode']>[0]): void {
    for (const notifier of this.all) notifier.setMode(mode);
  }

  /** The call is over: each subscription gets its last NOTIFY. */
  end(): void {
    for (const notifier of this.all) notifier.end();
    this.#early.clear();
  }

  #enterEarly(dialog: SipDialog, notifier: DialogNotifier): void {
    if (this.#early === NONE) this.#early = new Map();
    this.#early.set(dialog, notifier);
  }

  #enterSeparate(notifier: DialogNotifier, monitored: SipDialog): void {
    if (this.#separate === NONE) this.#separate = new Map();
    this.#separate.set(notifier, monitored);
  }

  #forget(notifier: DialogNotifier): void {
    this.#separate.delete(notifier);
    if (this.#successor !== undefined) this.#successor.#forget(notifier);
  }
}
