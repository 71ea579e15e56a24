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
import { parseSipUri } from '../../wire/sip-uri.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { RoutedBy } from '../call-history.ts';
import type { EndCause } from '../end-cause.ts';
import { privacyOf } from '../headers/identity-policy.ts';
import { type AttemptFailure, isUnreachable } from '../setup/attempt-failure.ts';
import { accountUri } from './account-uri.ts';
import type { AccountTreatment, CallFeatures, Forward, ForwardSettings } from './call-features.ts';
import {
  arrivedChain,
  extendedBy,
  type ForwardChain,
  obstacleTo,
  ownHistory,
  placesOf,
  type Retarget,
} from './forward-chain.ts';
import type { CallOrigin, ForwardRoutes } from './forward-routes.ts';
import { RingTimer } from './ring-timer.ts';

/** A call to an account that features act on. */
export interface ForwardingPlan {
  readonly features: CallFeatures;
  readonly account: string;
  /** The account that calls, if it is one. */
  readonly caller: string | undefined;
  readonly routes: ForwardRoutes;
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

type Ringing = Extract<AccountTreatment, { type: 'ring' }>;

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

  /** Forwards of this call so far, oldest first. */
  get retargets(): readonly Retarget[] {
    return this.#chain.retargets;
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
    this.#timer.stop();
    this.#ringing = undefined;
  }

  /** Where the call goes after the account's phone has failed; `undefined`: nowhere. */
  async failed(failure: AttemptFailure): Promise<ForwardStep | undefined> {
    const forward = forwardAfter(failure, this.#ringing, this.hasExpired);
    this.stop();
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
    return { 'History-Info': ownHistory(retargets) };
  }

  async #consult(): Promise<ForwardStep> {
    const { features, caller } = this.#plan;
    const account = this.#account;
    const { treatment, withheld } = await features.decide(account, caller);
    for (const { feature, reason } of withheld) {
      this.#host.counted(feature, 'withheld');
      this.#host.decided(`${feature} of ${account} is left out: ${reason}`);
      this.#host.log.warn({ account, feature, reason }, 'call not forwarded');
    }
    if (treatment.type === 'forward') return this.#retarget(treatment.forward);
    return treatment.type === 'refuse' ? this.#disturbed(treatment) : this.#ring(treatment);
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
    const identify = (uri: string): string => features.accountAt(uri) ?? plainPlace(uri);
    const obstacle = obstacleTo(this.#chain, { from, to }, { identify, most });
    if (obstacle !== undefined) return this.#looping(forward, obstacle);
    const isPrivate = privacyOf(this.#invite.headers).has('history');
    this.#origin = routes.originOf(this.#account, this.#uri, this.#origin);
    this.#chain = extendedBy(this.#chain, { feature, reason, from, to, isPrivate });
    this.#uri = to;
    this.#timer.reset();
    this.#record(feature, to, from);
    this.#host.counted(feature, 'forwarded');
    this.#host.decided(`${feature} of ${this.#account}: forwarded to ${to} (${reason})`);
    this.#host.log.info({ feature, from, to, reason }, 'call forwarded');
    this.#onForward(this.settings.send181 ? this.responseHeaders() : undefined);
    const next = features.accountAt(to);
    if (next !== undefined && features.actOn(next)) {
      this.#account = next;
      return this.#consult();
    }
    return this.#step(routes.to(to, this.#origin));
  }

  #looping({ feature, target }: Forward, obstacle: 'loop' | 'too-many-forwards'): ForwardStep {
    this.#host.counted(feature, 'loop');
    this.#record(feature, undefined);
    this.#host.decided(`${feature} of ${this.#account}: not forwarded to ${target}, ${obstacle}`);
    const text = obstacle === 'loop' ? 'forwarding loop' : 'too many forwards';
    const refusalHeaders = { Warning: `399 Tonebridge "${text}"` };
    return { type: 'refuse', cause: { name: 'forward-loop', by: 'sbc', text, refusalHeaders } };
  }

  #record(feature: string, to: string | undefined, from = accountUri(this.#account)): void {
    this.#steps.push({ feature, from, ...(to === undefined ? {} : { to }) });
    const chain = placesOf(this.#chain);
    this.#host.recorded({ steps: [...this.#steps], chain: chain.length === 0 ? [from] : chain });
  }
}

/** The forward that takes a call whose phone has failed. */
function forwardAfter(
  { status, reason, response }: AttemptFailure,
  ringing: Ringing | undefined,
  hasExpired: boolean,
): Forward | undefined {
  if (ringing === undefined) return undefined;
  const { busy, noAnswer } = ringing;
  const isAnswered = response !== undefined;
  if (isAnswered && (status === 486 || status === 600) && busy !== undefined) return busy;
  // Refused in the moment of our CANCEL: the user has said so.
  if (isAnswered && status === 603) return undefined;
  if (noAnswer === undefined) return undefined;
  if (hasExpired) return noAnswer.forward;
  const isNobody = status === 408 || status === 480 || isUnreachable({ status, reason, response });
  return isNobody && noAnswer.isForUnreachable ? noAnswer.forward : undefined;
}

/** The same for URIs that mean the same user of the same host. */
function plainPlace(uri: string): string {
  try {
    const { user = '', host } = parseSipUri(uri);
    return `${user}@${host}`;
  } catch (error) {
    if (error instanceof WireError) return uri.toLowerCase();
    throw error;
  }
}
