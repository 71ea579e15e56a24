import type { NotifierMode } from '../../dtmf/kpml-notifier.ts';
import type { SipDialog } from '../../sip/dialog.ts';
import type { EventDialog, SubscriptionHandler } from '../../sip/event-dialog.ts';
import type { IncomingSubscription } from '../../sip/incoming-subscription.ts';
import { DialogNotifier, type NotifierListener } from '../../sip/notifier.ts';
import type { OutgoingSubscription } from '../../sip/outgoing-subscription.ts';
import { DialogSubscriber, type SubscriberListener } from '../../sip/subscriber.ts';
import type { Side } from '../../wire/side.ts';
import type { CallLeg } from '../call-leg.ts';
import type { DigitJournal } from './digit-journal.ts';
import { notifierListener, subscriberListener } from './kpml-listeners.ts';
import { notifierMachine, subscriberMachine } from './kpml-machines.ts';
import { LegNotifiers } from './leg-notifiers.ts';
import type { PressShares } from './press-shares.ts';
import { mayOpenSeparate, serveSeparate } from './separate-notifiers.ts';
import type { SubscriptionBudget } from './subscription-budget.ts';

/** Opens a dialog of its own for our subscription to a leg whose dialog is `dialog`. */
export type OpenSubscription = (
  side: Side,
  dialog: SipDialog,
  handler: SubscriptionHandler,
) => OutgoingSubscription;

export interface LegKpmlOptions {
  readonly leg: Pick<CallLeg, 'settings'>;
  readonly journal: DigitJournal;
  readonly shares: PressShares;
  readonly budget: SubscriptionBudget;
  readonly openSubscription: OpenSubscription;
  readonly nowMs: () => number;
  readonly onDigits: SubscriberListener['digits'];
  /** Our subscription lives. */
  readonly onActive: () => void;
  readonly onBug: (error: unknown) => void;
}

/** What is subscribed to on one leg, for views. */
export interface LegSubscriptions {
  /** Held by the peer, in dialogs of the leg. */
  readonly notifier: DialogNotifier['subscriptions'];
  /** Held by the peer, in dialogs of their own. */
  readonly separate: DialogNotifier['subscriptions'];
  /** Held by us. */
  readonly subscriber: DialogSubscriber['state'] | undefined;
  /** When ours ends unless it is refreshed. */
  readonly subscriberEndsAtMs: number | undefined;
  readonly isSubscriberSeparate: boolean;
}

/** Both roles of KPML on one leg: the notifiers of what the peer subscribed to, and our subscription to the peer. */
export class LegKpml {
  readonly notifiers = new LegNotifiers();
  readonly #side: Side;
  readonly #options: LegKpmlOptions;
  #subscriber: DialogSubscriber | undefined;
  /** The dialog of its own that the subscriber has. */
  #separate: OutgoingSubscription | undefined;

  constructor(side: Side, options: LegKpmlOptions) {
    this.#side = side;
    this.#options = options;
  }

  /** Our subscription, if it is one inside the dialog of the leg. */
  get inDialog(): DialogSubscriber | undefined {
    return this.#separate === undefined ? this.#subscriber : undefined;
  }

  get subscriptions(): LegSubscriptions {
    return {
      notifier: this.notifiers.inDialog.flatMap(({ subscriptions }) => subscriptions),
      separate: this.notifiers.separate.flatMap(({ subscriptions }) => subscriptions),
      subscriber: this.#subscriber?.state,
      subscriberEndsAtMs: this.#subscriber?.endsAtMs,
      isSubscriberSeparate: this.#separate !== undefined,
    };
  }

  /** The notifier of a dialog of the leg, a new one if there is none. */
  notifierOf(dialog: SipDialog, mode: NotifierMode): DialogNotifier {
    const known = this.notifiers.of(dialog);
    if (known !== undefined) return known;
    const notifier = this.#createNotifier(dialog, mode);
    this.notifiers.add(dialog, notifier);
    return notifier;
  }

  /** Answers a SUBSCRIBE that opens a dialog of its own for the keys of `monitored`. */
  receiveSeparate(monitored: SipDialog, mode: NotifierMode, subscribe: IncomingSubscription): void {
    const { notifiers } = this;
    if (!mayOpenSeparate(notifiers, subscribe)) return;
    const notifier = this.#createNotifier(monitored, mode, subscribe);
    const { onBug } = this.#options;
    serveSeparate({ notifiers, notifier, monitored, subscribe, onBug });
  }

  /** Subscribes, or tries again where that failed; a subscription that lives stays as it is. */
  subscribe(dialog: SipDialog): void {
    this.#subscriber ??= this.#createSubscriber(dialog);
    this.#subscriber.start();
  }

  /** Gives our subscription up; with `isKept` only one that does not end inside the dialog of the leg. */
  unsubscribe(isKept: boolean): void {
    if (!isKept || this.#separate !== undefined) this.#subscriber?.stop();
  }

  /** Takes in what the peer subscribed to while its leg was in another call. */
  inherit(former: LegKpml, mode: NotifierMode): void {
    this.notifiers.inherit(former.notifiers);
    const listener = this.#listener(() => undefined);
    for (const notifier of this.notifiers.all) notifier.handOver(listener);
    this.notifiers.setMode(mode);
  }

  /** The call is over; `isKept`: the leg goes to another call, and what the peer subscribed to with it. */
  end(isKept = false): void {
    if (!isKept) this.notifiers.end();
    this.#subscriber?.abandon();
    this.#separate?.release();
  }

  /** For the keys of `monitored`, told in that dialog or in one of their own. */
  #createNotifier(
    monitored: SipDialog,
    mode: NotifierMode,
    separate?: EventDialog,
  ): DialogNotifier {
    const { leg, budget, nowMs } = this.#options;
    const limit = separate === undefined ? undefined : 1;
    const notifier = new DialogNotifier({
      machine: notifierMachine(leg.settings, monitored.identity, limit),
      dialog: separate ?? monitored,
      listener: this.#listener(budget.share()),
      nowMs,
      mayGrow: budget.mayGrow,
    });
    notifier.setMode(mode);
    return notifier;
  }

  #listener(changed: NotifierListener['changed']): NotifierListener {
    const { journal, shares, onBug } = this.#options;
    return notifierListener(this.#side, journal, { shares, changed, bug: onBug });
  }

  #createSubscriber(dialog: SipDialog): DialogSubscriber {
    const { leg, journal, nowMs, onDigits, onActive, onBug, openSubscription } = this.#options;
    const { settings } = leg;
    if (settings.kpmlSubscription.value === 'separate') {
      this.#separate = openSubscription(this.#side, dialog, {
        onRequest: (request) => {
          try {
            this.#subscriber?.receiveNotify(request);
          } catch (error) {
            onBug(error);
          }
        },
        onEnd: () => undefined,
        onTrace: dialog.trace,
        digest: dialog.digest,
      });
    }
    const events = { digits: onDigits, active: onActive, bug: onBug };
    return new DialogSubscriber({
      machine: subscriberMachine(settings, dialog.identity),
      dialog: this.#separate ?? dialog,
      listener: subscriberListener(this.#side, journal, events),
      nowMs,
    });
  }
}
