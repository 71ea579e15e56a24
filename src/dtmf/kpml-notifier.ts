/**
 * The notifier side of KPML on one leg of a call: answers SUBSCRIBE, turns presses into NOTIFY.
 *
 *   one subscription, told apart by its Event id:
 *
 *            SUBSCRIBE, mode pending            mode active
 *    (none) ---------------------------> pending ------------> active --+ report, persist: goes on
 *      |  ^                                 |                  ^  |  ^  |
 *      |  |          mode refused, expiry,  |                  |  |  +--+
 *      |  +---------- Expires 0, bad -------+------------------|--+
 *      |              document, fatal answer,                  |
 *      |              end; one-shot report                     |
 *      +---------------- SUBSCRIBE, mode active ---------------+
 *
 *   peer                              notifier
 *    | SUBSCRIBE [x*#ABCD] persist      |
 *    |--------------------------------->|
 *    | 200, NOTIFY active, no body      |
 *    |<---------------------------------|
 *    | 200                              |
 *    |--------------------------------->|
 *    | NOTIFY active, digits="5"        |  press 5
 *    |<---------------------------------|
 *
 * Time is an argument; `expire` wants to be called at `expiresAtMs`.
 */

import { parseEvent, type DialogReference } from '../wire/event-headers.ts';
import { KPML_PACKAGE } from '../wire/kpml.ts';
import { attempt } from '../wire/wire-error.ts';
import type { KpmlKey } from '../wire/kpml.ts';
import { KPML_REQUEST_DEFAULTS } from '../wire/kpml-request.ts';
import type { KpmlPersist } from '../wire/kpml-request.ts';
import { admitSubscribe, badEvent, compileDocument } from './kpml-admission.ts';
import type {
  AdmittedBody,
  KpmlAdmission,
  KpmlAdmissionRules,
  KpmlSubscribeRequest,
} from './kpml-admission.ts';
import type { NotifierOutput } from './kpml-notifier-output.ts';
import { KpmlPress } from './kpml-press.ts';
import { KpmlSubscription } from './kpml-subscription.ts';
import type { KpmlOddity, SubscriptionOutput } from './kpml-subscription.ts';
import { KpmlSubscriptionBook } from './kpml-subscription-book.ts';

export type { KpmlSubscribeRequest } from './kpml-admission.ts';
export type { NotifierOutput } from './kpml-notifier-output.ts';

/**
 * `pending`: not known yet whether keys are translated toward this leg; `refused`: they are not; `relayed`: the other
 * leg reports its keys itself, to whoever subscribes anew.
 */
export type NotifierMode = 'pending' | 'active' | 'refused' | 'relayed';

/** Why a subscription ends in a mode without keys: `deactivated` asks to subscribe again (RFC 6665 §4.1.3). */
const END_REASONS: Readonly<Partial<Record<NotifierMode, string>>> = {
  refused: 'rejected',
  relayed: 'deactivated',
};

export interface KpmlNotifierOptions {
  /** Seconds; default 60. */
  readonly minExpires?: number;
  /** Seconds; longer requests are shortened. Default 86400. */
  readonly maxExpires?: number;
  /** Seconds, when the SUBSCRIBE names none; default 7200. */
  readonly defaultExpires?: number;
  /** What a SUBSCRIBE without body does to the running document; default `keep`. */
  readonly bodylessRefresh?: 'keep' | 'unload';
  /** A first SUBSCRIBE without body gets `[x*#ABCD]` persist; default false. */
  readonly defaultPattern?: boolean;
  /** The hook flash counts as key R; default false. */
  readonly flash?: boolean;
  /** The dialog, to judge Event parameters by; without it they are not judged. */
  readonly dialog?: Required<DialogReference>;
  /** How many subscriptions the dialog may hold; a further one is told 533. Default 8. */
  readonly maxSubscriptions?: number;
  /** Packages of this leg besides kpml, for Allow-Events in a 489. */
  readonly otherPackages?: readonly string[];
}

export interface KpmlSubscriptionView {
  readonly id: string;
  readonly state: 'pending' | 'active';
  readonly expiresAtMs: number;
  /** `undefined` while there is no document. */
  readonly persist: KpmlPersist | undefined;
  readonly isReverse: boolean;
  /** Reports that wait for their turn. */
  readonly waitingNotifies: number;
  readonly oddities: readonly KpmlOddity[];
}

/** A key as the media side tells it. */
export interface NotifierPress {
  readonly pressId: string;
  readonly digit: KpmlKey;
  /** The subscriber's own party pressed it: only `<reverse/>` subscriptions hear of it. */
  readonly isFromSubscriber?: boolean;
}

type Admitted = Extract<KpmlAdmission, { type: 'admitted' }>;

const MAX_SUBSCRIPTIONS = 8;

/** Answers to a NOTIFY that end its subscription (RFC 6665 §4.2.2), failed authentication and silence. */
const FATAL_ANSWERS: ReadonlySet<number> = new Set([
  401, 404, 405, 407, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
]);

export class KpmlNotifier {
  readonly #options: KpmlNotifierOptions;
  readonly #rules: KpmlAdmissionRules;
  readonly #book = new KpmlSubscriptionBook();
  #mode: NotifierMode | 'ended' = 'pending';

  constructor(options: KpmlNotifierOptions) {
    this.#options = options;
    this.#rules = {
      minExpiresSeconds: options.minExpires ?? 60,
      maxExpiresSeconds: options.maxExpires ?? 86_400,
      defaultExpiresSeconds: options.defaultExpires ?? 7200,
      dialog: options.dialog,
      allowEvents: [KPML_PACKAGE, ...(options.otherPackages ?? [])],
    };
  }

  get subscriptions(): readonly KpmlSubscriptionView[] {
    return this.#book.all.map((subscription) => ({
      id: subscription.id,
      state: subscription.state,
      expiresAtMs: subscription.expiresAtMs,
      persist: subscription.request?.persist,
      isReverse: subscription.isReverse,
      waitingNotifies: this.#book.waitingCount(subscription.id),
      oddities: subscription.oddities,
    }));
  }

  /** When {@link expire} wants to be called; `undefined` when nothing is pending. */
  get expiresAtMs(): number | undefined {
    return this.#book.expiresAtMs;
  }

  /** Whether no NOTIFY waits to be sent or answered. */
  get isIdle(): boolean {
    return this.#book.isIdle;
  }

  /** Whether a SUBSCRIBE with this Event header is for a subscription that is there already. */
  holds(event: string | undefined): boolean {
    const id = attempt<string | undefined>(
      () => (event === undefined ? undefined : (parseEvent(event).id ?? '')),
      () => undefined,
    );
    return id !== undefined && this.#book.get(id) !== undefined;
  }

  /** Tells what the offer/answer exchange decided for this leg; subscriptions follow. */
  setMode(mode: NotifierMode, nowMs: number): NotifierOutput[] {
    if (this.#mode === 'ended') return [];
    this.#mode = mode;
    const outputs: NotifierOutput[] = [];
    const reason = END_REASONS[mode];
    for (const subscription of this.#book.all) {
      if (reason !== undefined) {
        outputs.push(...this.#book.terminate(subscription, { reason }));
      } else if (mode === 'active' && subscription.state === 'pending') {
        subscription.state = 'active';
        this.#book.announce(subscription);
      }
    }
    return [...outputs, ...this.#book.send(nowMs)];
  }

  /** Answers a SUBSCRIBE; the first output is always the response to it. */
  subscribe(request: KpmlSubscribeRequest, nowMs: number): NotifierOutput[] {
    const mode = this.#mode;
    if (mode === 'ended') return [{ type: 'respond', status: 481, headers: {} }];
    const admission =
      mode === 'refused' || mode === 'relayed'
        ? badEvent(this.#options.otherPackages ?? [])
        : admitSubscribe(request, this.#rules);
    if (admission.type === 'refused') {
      return [{ type: 'respond', status: admission.status, headers: admission.headers }];
    }
    const headers = { Expires: String(admission.expiresSeconds) };
    const outputs = this.#admit(admission, mode, nowMs);
    return [{ type: 'respond', status: 200, headers }, ...outputs, ...this.#book.send(nowMs)];
  }

  /** A key goes down. */
  press(press: NotifierPress, nowMs: number): NotifierOutput[] {
    const { pressId, digit } = press;
    if (digit === 'R' && this.#options.flash !== true) {
      return [{ type: 'digitDropped', pressId, reason: 'no-match' }];
    }
    const isReverse = press.isFromSubscriber === true;
    const listeners = this.#book.all
      .filter((subscription) => subscription.state === 'active')
      .filter((subscription) => subscription.isReverse === isReverse);
    if (listeners.length === 0)
      return [{ type: 'digitDropped', pressId, reason: 'no-subscription' }];
    const shared = new KpmlPress(pressId, digit, listeners.length);
    const outputs = listeners.flatMap((listener) =>
      this.#book.settle(listener, listener.press(shared, nowMs)),
    );
    return [...outputs, ...this.#book.send(nowMs)];
  }

  /** A key comes up; matters to documents that tell long from short keys. */
  release(
    press: { readonly pressId: string; readonly digit: KpmlKey; readonly durationMs: number },
    nowMs: number,
  ): NotifierOutput[] {
    const outputs = this.#book.all.flatMap((subscription) =>
      this.#book.settle(subscription, subscription.release(press.pressId, press.durationMs, nowMs)),
    );
    return [...outputs, ...this.#book.send(nowMs)];
  }

  /** The NOTIFY sent last for a subscription got its final answer; 408 when it got none. */
  notifyAnswered(
    subscriptionId: string,
    status: number,
    retryAfterSeconds: number | undefined,
    nowMs: number,
  ): NotifierOutput[] {
    const answer = {
      isFatal: FATAL_ANSWERS.has(status),
      pauseMs: status < 300 ? 0 : (retryAfterSeconds ?? 0) * 1000,
    };
    const outputs = this.#book.answered(subscriptionId, answer, nowMs);
    return [...outputs, ...this.#book.send(nowMs)];
  }

  /** The dialog is over: subscribers are told, nothing else happens any more. */
  end(nowMs: number): NotifierOutput[] {
    this.#mode = 'ended';
    return this.#book.closeAll(nowMs);
  }

  /** To be called at {@link expiresAtMs}; earlier calls do nothing. */
  expire(nowMs: number): NotifierOutput[] {
    const outputs = this.#book.all.flatMap((subscription) => {
      const settled = this.#book.settle(subscription, subscription.expire(nowMs));
      const isOver = this.#book.get(subscription.id) !== subscription;
      if (isOver || nowMs < subscription.expiresAtMs) return settled;
      return [...settled, ...this.#book.timeOut(subscription, [])];
    });
    return [...outputs, ...this.#book.send(nowMs)];
  }

  #admit(admitted: Admitted, mode: NotifierMode, nowMs: number): NotifierOutput[] {
    const { id, expiresSeconds, oddities } = admitted;
    const expiresAtMs = nowMs + expiresSeconds * 1000;
    const running = this.#book.get(id);
    const fresh = new KpmlSubscription(id, mode === 'active' ? 'active' : 'pending', expiresAtMs);
    const subscription = running ?? fresh;
    const body = this.#bodyFor(subscription, admitted.body);
    if (body.type === 'refused') {
      const reason = body.code === 481 ? 'noresource' : 'rejected';
      return this.#book.terminate(subscription, { reason, report: { code: body.code } });
    }
    if (expiresSeconds === 0) return this.#unsubscribe(subscription, body, nowMs);
    const { maxSubscriptions = MAX_SUBSCRIPTIONS } = this.#options;
    if (running === undefined && this.#book.all.length >= maxSubscriptions) {
      return this.#book.terminate(fresh, { reason: 'rejected', report: { code: 533 } });
    }
    subscription.expiresAtMs = expiresAtMs;
    subscription.oddities = oddities;
    this.#book.add(subscription);
    const loaded = this.#load(subscription, body, nowMs);
    // The NOTIFY that must follow carries a body only when keys kept from before match already.
    if (!loaded.some((output) => output.type === 'report')) this.#book.announce(subscription);
    return this.#book.settle(subscription, loaded);
  }

  /** Gives a subscriber without a document the usual one, if that is configured. */
  #bodyFor(subscription: KpmlSubscription, body: AdmittedBody): AdmittedBody {
    const isMissing = body.type === 'none' && subscription.request === undefined;
    if (!isMissing || this.#options.defaultPattern !== true) return body;
    const text = this.#options.flash === true ? '[x*#ABCDR]' : '[x*#ABCD]';
    const regexes = [{ parts: [{ type: 'text' as const, text }] }];
    return compileDocument({ ...KPML_REQUEST_DEFAULTS, persist: 'persist', regexes });
  }

  /** Expires 0; of a subscription that is not in the book it is a mere look at the state. */
  #unsubscribe(
    subscription: KpmlSubscription,
    body: AdmittedBody,
    nowMs: number,
  ): NotifierOutput[] {
    if (this.#book.get(subscription.id) !== subscription) {
      return this.#book.terminate(subscription, { reason: 'timeout' });
    }
    const loaded = body.type === 'document' ? subscription.load(body.document, nowMs) : [];
    return this.#book.timeOut(subscription, loaded);
  }

  #load(subscription: KpmlSubscription, body: AdmittedBody, nowMs: number): SubscriptionOutput[] {
    if (body.type === 'document') return subscription.load(body.document, nowMs);
    return this.#options.bodylessRefresh === 'unload' ? subscription.unload(nowMs) : [];
  }
}
