/**
 * What the feature keys of the called account do to one call, from the INVITE to the answer.
 *
 *   consult --forward--> retarget --target is an account too--> consult
 *      | ring                '------- any other target -------> its hops, no features
 *      v
 *   the phone rings --timer--> its INVITE is cancelled --refused--> retarget
 *      |                              '--200, which wins---------> joined to the phone
 *      '--486, 600, 408, 480, nobody there----------------------> retarget, if that forward is on
 */
import type { CdrForwarding } from '../../observe/cdr.ts';
import type { ForwardResult } from '../../observe/forward-metrics.ts';
import type { Log } from '../../observe/log.ts';
import { listsExtension } from '../../sip/stray-requests.ts';
import type { Hop } from '../../trunk/policy.ts';
import type { SipRequest } from '../../wire/sip-message.ts';
import { uriScheme } from '../../wire/sip-uri.ts';
import type { RoutedBy } from '../call-history.ts';
import type { EndCause } from '../end-cause.ts';
import { privacyOf } from '../headers/identity-policy.ts';
import type { AttemptFailure } from '../setup/attempt-failure.ts';
import { accountUri } from './account-uri.ts';
import type { AccountTreatment, CallFeatures, Forward, ForwardSettings } from './call-features.ts';
import { forwardAfter, type Ringing } from './forward-after.ts';
import {
  arrivedChain,
  arrivedForwards,
  type CallForwards,
  extendedBy,
  type ForwardChain,
  obstacleTo,
  ownHistory,
  placesOf,
} from './forward-chain.ts';
import type { CallOrigin, ForwardRoutes } from './forward-routes.ts';
import type { ForwardsInSetUp } from './forwards-in-set-up.ts';
import { partyKey } from './party-key.ts';
import { RingTimer } from './ring-timer.ts';

/** A call to an account that features act on. */
export interface ForwardingPlan {
  readonly features: CallFeatures;
  readonly account: string;
  /** The account that calls, if it is one. */
  readonly caller: string | undefined;
  readonly routes: ForwardRoutes;
  /** Of all calls. */
  readonly inSetUp: ForwardsInSetUp;
}

/** Who hears what became of the call. */
export interface ForwardingHost {
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** A row of the ladder. */
  decided(summary: string): void;
  counted(feature: string, result: ForwardResult): void;
  /** What the record is to say, each time all of it. */
  recorded(forwarding: CdrForwarding): void;
  /** Where the call goes now, and by which policy. */
  routed(by: RoutedBy): void;
}

/** How the call goes on. */
export type ForwardStep =
  | { readonly type: 'try'; readonly hops: readonly Hop[] }
  | { readonly type: 'refuse'; readonly cause: EndCause; readonly phrase?: string | undefined };

/** Run before each forward, with the headers of the 181 if the caller is to have one. */
export type OnForward = (headers: Record<string, string> | undefined) => void;

export class CallForwarding {
  readonly settings: ForwardSettings;
  readonly #plan: ForwardingPlan;
  readonly #invite: SipRequest;
  readonly #host: ForwardingHost;
  readonly #timer = new RingTimer();
  readonly #steps: CdrForwarding['steps'][number][] = [];
  #chain: ForwardChain;
  /** Who is called now, and by whom. */
  #account: string;
  #uri: string;
  #origin: CallOrigin;
  #ringing: Ringing | undefined;
  #onForward: OnForward = () => undefined;
  /** Give back the places of our forwards. */
  #leave: (() => void)[] = [];
  #isOver = false;

  constructor(plan: ForwardingPlan, invite: SipRequest, host: ForwardingHost) {
    this.#plan = plan;
    this.#invite = invite;
    this.#host = host;
    this.settings = plan.features.settings;
    this.#chain = arrivedChain(invite);
    this.#account = plan.account;
    this.#uri = invite.uri;
    this.#origin = plan.routes.caller;
  }

  /** What a callee is told of forwards. */
  get told(): CallForwards {
    const { features } = this.#plan;
    return {
      retargets: this.#chain.retargets,
      usual: this.settings.diversionHeaders,
      arrived: arrivedForwards(this.#chain),
      accountUri: (uri) => {
        // A number without a host may be anybody's.
        const account = uriScheme(uri) === 'tel' ? undefined : features.accountAt(uri);
        return account === undefined ? undefined : accountUri(account);
      },
    };
  }

  /** The time of the rings is over. */
  get hasExpired(): boolean {
    return this.#timer.hasExpired;
  }

  /** Where the call goes first. */
  begin(onForward: OnForward): Promise<ForwardStep> {
    this.#onForward = onForward;
    return this.#consult();
  }

  /** An INVITE has left for the account's phone; `onExpired` runs once it has rung long enough. */
  sent(onExpired: () => void): void {
    const { noAnswer } = this.#ringing ?? {};
    if (noAnswer !== undefined) this.#timer.sent(noAnswer.afterMs, onExpired);
  }

  progressed(status: number): void {
    if (status === 180 || status === 183) this.#timer.rings();
  }

  /** Answered, or over: nothing more happens. */
  stop(): void {
    this.#isOver = true;
    this.#quiet();
    this.#release();
  }

  /** Where the call goes after the account's phone has failed; `undefined`: nowhere. */
  async failed(failure: AttemptFailure): Promise<ForwardStep | undefined> {
    const forward = forwardAfter(failure, this.#ringing, this.hasExpired);
    this.#quiet();
    return forward === undefined ? undefined : this.#retarget(forward);
  }

  /** What the caller is told of the forwards in a response, if it wants to know (RFC 7044 §5.2). */
  responseHeaders(): Record<string, string> {
    const { retargets } = this.#chain;
    const { diversionHeaders } = this.settings;
    const isTold = diversionHeaders === 'both' || diversionHeaders === 'history-info';
    if (retargets.length === 0 || !isTold || retargets.some(({ isPrivate }) => isPrivate))
      return {};
    if (!listsExtension(this.#invite, 'Supported', 'histinfo')) return {};
    return { 'History-Info': ownHistory(this.told) };
  }

  #quiet(): void {
    this.#timer.stop();
    this.#ringing = undefined;
  }

  #release(): void {
    for (const leave of this.#leave.splice(0)) leave();
  }

  async #consult(): Promise<ForwardStep> {
    const { features, caller } = this.#plan;
    const account = this.#account;
    const { treatment, withheld } = await features.decide(account, caller, this.#reachable());
    for (const { feature, reason } of withheld) {
      this.#host.counted(feature, 'withheld');
      this.#host.decided(`${feature} of ${account} is left out: ${reason}`);
      this.#host.log.warn({ account, feature, reason }, 'call not forwarded');
    }
    if (treatment.type === 'forward') return this.#retarget(treatment.forward);
    return treatment.type === 'refuse' ? this.#disturbed(treatment) : this.#ring(treatment);
  }

  /** Whether the account may call a URI, or that is an account which forwards the call further. */
  #reachable(): (uri: string) => Promise<boolean> {
    const { features, routes, caller } = this.#plan;
    const account = this.#account;
    const origin = routes.originOf(account, this.#uri, this.#origin);
    return async (uri) => {
      const routed = routes.to(uri, origin);
      if (routed.type === 'route' || routed.hasRoute) return true;
      const next = features.accountAt(uri);
      if (next === undefined || next === account || !features.actOn(next)) return false;
      const { treatment } = await features.decide(next, caller, () => Promise.resolve(true));
      return treatment.type === 'forward';
    };
  }

  #disturbed({ feature, status }: Extract<AccountTreatment, { type: 'refuse' }>): ForwardStep {
    this.#host.counted(feature, 'refused');
    this.#record(feature, undefined);
    this.#host.decided(`${feature} of ${this.#account}: refused with ${status}`);
    return { type: 'refuse', cause: { name: 'do-not-disturb', by: 'sbc', status } };
  }

  async #ring(treatment: Ringing): Promise<ForwardStep> {
    this.#timer.reset();
    this.#ringing = treatment;
    const routed = this.#plan.routes.to(this.#uri, this.#origin);
    const { noAnswer } = treatment;
    const isForwarded = noAnswer?.isForUnreachable === true;
    if (routed.type === 'refused' && routed.isUnreachable && isForwarded) {
      return this.#retarget(noAnswer.forward);
    }
    return this.#step(routed);
  }

  #step(routed: ReturnType<ForwardRoutes['to']>): ForwardStep {
    if (routed.type === 'route') {
      this.#host.routed(routed);
      return { type: 'try', hops: routed.hops };
    }
    const { cause, headers, phrase, policy, skipped } = routed.refusal;
    if (policy !== undefined) this.#host.routed({ policy, skipped });
    return { type: 'refuse', cause: { ...cause, refusalHeaders: headers }, phrase };
  }

  /** Sends the call on from the account to the target of `forward`. */
  async #retarget(forward: Forward): Promise<ForwardStep> {
    const { feature, reason, target: to } = forward;
    const { features, routes } = this.#plan;
    const from = accountUri(this.#account);
    const most = this.settings.maxDiversions;
    const identify = (uri: string): string => features.accountAt(uri) ?? partyKey(uri);
    const obstacle = obstacleTo(this.#chain, { from, to }, { identify, most });
    if (obstacle !== undefined) return this.#looping(forward, obstacle);
    if (!this.#enter(most)) return this.#looping(forward, 'too-many-at-once');
    const isPrivate = privacyOf(this.#invite.headers).has('history');
    this.#origin = routes.originOf(this.#account, this.#uri, this.#origin);
    this.#chain = extendedBy(this.#chain, { feature, reason, from, to, isPrivate });
    this.#uri = to;
    this.#timer.reset();
    this.#record(feature, to, from);
    this.#host.counted(feature, 'forwarded');
    this.#host.decided(`${feature} of ${this.#account}: forwarded to ${to} (${reason})`);
    this.#host.log.info({ feature, from, digits: to, reason }, 'call forwarded');
    this.#onForward(this.settings.send181 ? this.responseHeaders() : undefined);
    const next = features.accountAt(to);
    if (next !== undefined && features.actOn(next)) {
      this.#account = next;
      return this.#consult();
    }
    return this.#step(routes.to(to, this.#origin));
  }

  /** A place among the forwards of the account for this caller; false: all are taken. */
  #enter(most: number): boolean {
    const { inSetUp, routes } = this.#plan;
    if (this.#isOver) return true;
    const leave = inSetUp.enter(this.#account, routes.caller.callingNumber ?? '', most);
    if (leave !== undefined) this.#leave.push(leave);
    return leave !== undefined;
  }

  #looping({ feature, target }: Forward, obstacle: keyof typeof OBSTACLES): ForwardStep {
    this.#host.counted(feature, 'loop');
    this.#record(feature, undefined);
    this.#host.decided(`${feature} of ${this.#account}: not forwarded to ${target}, ${obstacle}`);
    const text = OBSTACLES[obstacle];
    const refusalHeaders = { Warning: `399 Tonebridge "${text}"` };
    return { type: 'refuse', cause: { name: 'forward-loop', by: 'sbc', text, refusalHeaders } };
  }

  #record(feature: string, to: string | undefined, from = accountUri(this.#account)): void {
    this.#steps.push({ feature, from, ...(to === undefined ? {} : { to }) });
    const chain = placesOf(this.#chain);
    this.#host.recorded({ steps: [...this.#steps], chain: chain.length === 0 ? [from] : chain });
  }
}

const OBSTACLES = {
  loop: 'forwarding loop',
  'too-many-forwards': 'too many forwards',
  'too-many-at-once': 'too many forwards at once',
};
