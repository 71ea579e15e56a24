/**
 * The SIP server of as-feature-event: takes SUBSCRIBEs of phones, keeps their dialogs, ends them at shutdown.
 *
 *   stack -> PackageRequest -> ladder -> refusal
 *                                   '--> FeatureDialog -> FeatureService -> 200, NOTIFY
 *
 * Anybody may knock: the digest protects the accounts, not the admission of the sip-interface.
 */
import type { FeatureKeysConfig } from '../config/feature-keys-config.ts';
import type { Log } from '../observe/log.ts';
import type { PackageRequest } from '../sip/package-request.ts';
import type { ReceivedRequest } from '../sip/sip-connection.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import { eventTypeOf } from '../sip/event-type.ts';
import { type DialogHome, FeatureDialog } from './feature-dialog.ts';
import type { FeatureService } from './feature-service.ts';
import { type FeatureSettings, settingsOf } from './feature-settings.ts';
import type { Presentity } from './feature-state.ts';
import type { NotifyOutcome } from './notify-sender.ts';
import { NotifyTurns } from './notify-turns.ts';
import { RefusalLog } from './refusal-log.ts';
import {
  climb,
  FEATURE_PACKAGE,
  type KnownDialog,
  type LadderResult,
  type Refusal,
} from './subscribe-ladder.ts';
import { SubscriberCheck } from './subscriber-check.ts';
import { type SubscriptionView, viewOf } from './subscription-view.ts';

/** Whoever keeps the statistics. */
export interface SubscriptionCounters {
  subscribeAnswered(code: number): void;
  notifyAnswered(outcome: NotifyOutcome): void;
}

export interface FeatureSubscriptionsOptions {
  readonly config: FeatureKeysConfig;
  readonly service: FeatureService;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly counters?: SubscriptionCounters;
}

type State =
  | { readonly type: 'serving' }
  | { readonly type: 'closing'; readonly done: () => void }
  | { readonly type: 'closed' };

/** A phone that does not answer its last NOTIFY does not hold up the shutdown for longer. */
const CLOSE_PATIENCE_MS = 2000;
const RETRY_AFTER_SECONDS = { least: 5, most: 30 };
const NO_COUNTERS: SubscriptionCounters = {
  subscribeAnswered: () => undefined,
  notifyAnswered: () => undefined,
};

export class FeatureSubscriptions {
  readonly #options: FeatureSubscriptionsOptions;
  readonly #counters: SubscriptionCounters;
  readonly #turns: NotifyTurns;
  readonly #check: SubscriberCheck;
  readonly #refusals = new RefusalLog();
  /** Those without an answer yet included. */
  readonly #dialogs = new Map<string, FeatureDialog>();
  readonly #byAccount = new Map<Presentity, Set<FeatureDialog>>();
  readonly #home: DialogHome;
  #settings: FeatureSettings;
  #state: State = { type: 'serving' };
  #lastId = 0;

  constructor(options: FeatureSubscriptionsOptions) {
    const { config, service, nowMs, log } = options;
    this.#options = options;
    this.#counters = options.counters ?? NO_COUNTERS;
    this.#settings = settingsOf(config);
    this.#turns = new NotifyTurns(config.notify.perSecond, nowMs);
    this.#check = new SubscriberCheck(config, nowMs);
    this.#home = {
      service,
      turns: this.#turns,
      nowMs,
      settings: () => this.#settings,
      judge: (request, dialog) => this.#judge(request, dialog),
      answered: (status) => this.#counters.subscribeAnswered(status),
      notified: (outcome) => this.#counters.notifyAnswered(outcome),
      over: (dialog) => this.#over(dialog),
      bug: (error) => log.error({ err: error }, 'broken invariant'),
    };
  }

  /** Event packages it serves, for Allow-Events. */
  readonly packages: readonly string[] = [FEATURE_PACKAGE];

  /** Subscriptions that have been accepted and not ended. */
  get size(): number {
    let count = 0;
    for (const dialog of this.#dialogs.values()) if (dialog.isActive) count += 1;
    return count;
  }

  /** Dialogs that wait for their turn to be told something. */
  get waiting(): number {
    return this.#turns.waiting;
  }

  /** Those of one account, or all; oldest first. */
  list(presentity?: Presentity): readonly SubscriptionView[] {
    const dialogs =
      presentity === undefined ? this.#dialogs.values() : (this.#byAccount.get(presentity) ?? []);
    return [...dialogs].filter(({ isActive }) => isActive).map(viewOf);
  }

  /**
   * Takes a request outside every dialog; false when it is none of ours and has got no answer: a SUBSCRIBE or PUBLISH
   * for another package of a source that the sip-interface knows.
   */
  receive(request: PackageRequest): boolean {
    const { message } = request.received;
    const isOurs = eventTypeOf(message).toLowerCase() === FEATURE_PACKAGE;
    // Phones ask for all sorts of packages, and they are no session agents.
    const isOfPhone =
      !request.isAdmitted && message.method === 'SUBSCRIBE' && this.#isOwn(message.uri);
    if (!isOurs && !isOfPhone) return false;
    if (this.#state.type === 'serving') this.#serve(request);
    else this.#refuse(request.received, 503, { 'Retry-After': '10' });
    return true;
  }

  /** Nothing that was accepted is lost. */
  reconfigure(config: FeatureKeysConfig): void {
    this.#settings = settingsOf(config);
    this.#check.reconfigure(config);
    this.#turns.setRate(config.notify.perSecond);
    for (const dialog of this.#dialogs.values()) dialog.reconfigured();
  }

  /** Sends away the phones of sip-interfaces that do not serve any more: who answers them now is asked anew. */
  keepOnly(isServing: (interfaceName: string) => boolean): void {
    for (const dialog of this.#dialogs.values()) {
      if (!isServing(dialog.interfaceName)) this.#sendAway(dialog);
    }
  }

  /** Tells every phone to come back a little later; resolves when all have been told or had two seconds for it. */
  async close(): Promise<void> {
    if (this.#state.type !== 'serving') return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#closingMs());
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#state = { type: 'closing', done };
      if (this.#dialogs.size === 0) done();
      for (const dialog of this.#dialogs.values()) this.#sendAway(dialog);
    });
    this.#state = { type: 'closed' };
    for (const dialog of this.#dialogs.values()) dialog.close();
    this.#turns.close();
  }

  #serve(request: PackageRequest): void {
    const { received, interfaceName } = request;
    const judged = this.#judge(received, undefined);
    if (judged.type === 'refused') {
      this.#refuse(received, judged.status, judged.headers);
      return;
    }
    this.#lastId += 1;
    const parts = { link: request.openDialog(), home: this.#home, interfaceName };
    const dialog = new FeatureDialog(`fk-${this.#lastId}`, judged, received, parts);
    this.#enter(dialog);
    dialog.open(judged, received).catch((error: unknown) => {
      this.#home.bug(error);
      this.#refuse(received, 500, {});
      dialog.close();
    });
  }

  #judge(received: ReceivedRequest, dialog: KnownDialog | undefined): LadderResult {
    const settings = this.#settings;
    const judged = climb(received.message, dialog, {
      ...settings.ladder,
      identify: () => this.#check.identify(received, dialog?.account.domain, settings),
      dialogsOf: ({ presentity }) => this.#byAccount.get(presentity)?.size ?? 0,
    });
    if (judged.type === 'refused' && judged.status === 403) this.#logRefused(received, judged);
    return judged;
  }

  #refuse(
    received: ReceivedRequest,
    status: number,
    headers: Readonly<Record<string, string>>,
  ): void {
    this.#counters.subscribeAnswered(status);
    received.respond(status, { headers });
  }

  #logRefused({ message, source }: ReceivedRequest, { code }: Refusal): void {
    const { log, nowMs } = this.#options;
    const suppressed = this.#refusals.admit(source.address, nowMs());
    if (suppressed === undefined) return;
    const remote = formatHostPort(source.address, source.port);
    const fields = { remote, code, uri: message.uri.slice(0, 200), suppressed };
    log.warn(fields, 'feature subscription refused');
  }

  #isOwn(uri: string): boolean {
    const host = /^sips?:(?:[^@]*@)?(\[[^\]]*\]|[^:;?]*)/i.exec(uri)?.[1] ?? '';
    return this.#settings.domains.domainOf(host) !== undefined;
  }

  #enter(dialog: FeatureDialog): void {
    const { presentity } = dialog.account;
    const siblings = this.#byAccount.get(presentity) ?? new Set();
    this.#dialogs.set(dialog.id, dialog);
    this.#byAccount.set(presentity, siblings.add(dialog));
  }

  #over(dialog: FeatureDialog): void {
    const { presentity } = dialog.account;
    const siblings = this.#byAccount.get(presentity);
    siblings?.delete(dialog);
    if (siblings?.size === 0) this.#byAccount.delete(presentity);
    this.#dialogs.delete(dialog.id);
    if (this.#state.type === 'closing' && this.#dialogs.size === 0) this.#state.done();
  }

  #sendAway(dialog: FeatureDialog): void {
    if (!dialog.isActive) return;
    this.#turns.drop(dialog.id);
    this.#turns.ask(dialog.id, () => {
      const { least, most } = RETRY_AFTER_SECONDS;
      const retryAfterSeconds = least + Math.floor(Math.random() * (most - least + 1));
      dialog.terminate({ reason: 'probation', retryAfterSeconds, body: 'empty' });
    });
  }

  /** Time for everybody's turn, and then for the answers. */
  #closingMs(): number {
    const { perSecond } = this.#options.config.notify;
    return CLOSE_PATIENCE_MS + (this.#dialogs.size * 1000) / perSecond;
  }
}
