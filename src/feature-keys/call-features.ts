/** Answers for calls: which accounts the feature keys act on, and what becomes of a call to one of them. */
import type { FeatureKeysConfig } from '../config/feature-keys-config.ts';
import type { Log } from '../observe/log.ts';
import {
  type CallDecision,
  decideCall,
  isOn,
  isUri,
  RINGS,
  type TargetVerdict,
} from './call-decision.ts';
import { FEATURES } from '../wire/feature-event.ts';
import type { FeatureService } from './feature-service.ts';
import type { AccountState, Presentity } from './feature-state.ts';
import { forwardUri } from './forward-target.ts';
import { accountOf, calledAccountOf, DomainTable } from './presentity.ts';

export interface CallFeaturesOptions {
  /** Asked anew at every use, so that a reload reaches the next call. */
  readonly config: () => CallFeaturesConfig;
  /** Whether there is any state to act on now. */
  readonly isServed: () => boolean;
  readonly service: Pick<FeatureService, 'forCall'>;
  readonly log: Pick<Log, 'warn'>;
  /** Why an account may not forward to a target, as it was typed; `undefined`: it may. */
  readonly targetRefusal: (target: string, account: Presentity) => string | undefined;
}

export type CallFeaturesConfig = Pick<
  FeatureKeysConfig,
  'applyToCalls' | 'calls' | 'defaultRings' | 'domains'
>;

/** What is made of a configuration once, until another one is in force. */
interface Prepared {
  readonly config: CallFeaturesConfig;
  readonly domains: DomainTable;
  /** Domains and accounts (`sip:user@domain`) that are acted on; `undefined`: all. */
  readonly scope: ReadonlySet<string> | undefined;
}

export class AccountCallFeatures {
  readonly #options: CallFeaturesOptions;
  #prepared: Prepared | undefined;

  constructor(options: CallFeaturesOptions) {
    this.#options = options;
  }

  get settings(): Pick<
    FeatureKeysConfig['calls'],
    'send181' | 'diversionHeaders' | 'maxDiversions'
  > {
    return this.#options.config().calls;
  }

  /** `sip:user@domain` of the account that `uri` names; `undefined` for any other URI. */
  accountAt(uri: string): Presentity | undefined {
    return calledAccountOf(uri, this.#current().domains)?.presentity;
  }

  /** Whether the feature keys of `account` act on calls. */
  actOn(account: Presentity): boolean {
    const { config, scope } = this.#current();
    if (config.applyToCalls === false || !this.#options.isServed()) return false;
    return scope === undefined || scope.has(account) || scope.has(domainIn(account));
  }

  /** What becomes of a call of `caller`, if that is an account, to `account`. `canReach`: whether a call gets to a URI. */
  async decide(
    account: Presentity,
    caller: Presentity | undefined,
    canReach: (uri: string) => Promise<boolean>,
  ): Promise<CallDecision> {
    if (caller === account) return RINGS;
    const state = await this.#stateOf(account);
    if (state === undefined) return RINGS;
    const { calls, defaultRings } = this.#current().config;
    const verdicts = new Map<string, TargetVerdict>();
    for (const text of targetsOf(state)) {
      verdicts.set(text, await this.#judge(text, account, { caller, canReach }));
    }
    const { dndResponse } = calls;
    const isDndTarget = isOn(state, 'DoNotDisturb') && isUri(dndResponse);
    const isDndReachable = !isDndTarget || (await canReach(dndResponse));
    const judge = (target: string): TargetVerdict => verdicts.get(target) ?? UNREACHABLE;
    return decideCall(state, { calls, defaultRings, judge, isDndReachable });
  }

  /** A store that fails takes no phone off the air. */
  async #stateOf(account: Presentity): Promise<AccountState | undefined> {
    try {
      return await this.#options.service.forCall(account);
    } catch (error) {
      this.#options.log.warn({ err: error, account }, 'feature state not read for a call');
      return undefined;
    }
  }

  async #judge(
    text: string,
    account: Presentity,
    { caller, canReach }: CallParties,
  ): Promise<TargetVerdict> {
    const uri = forwardUri(text, domainIn(account));
    if (uri === undefined) return { type: 'withheld', reason: 'the target cannot be called' };
    if (caller !== undefined && this.accountAt(uri) === caller) {
      return { type: 'withheld', reason: 'the target is who calls' };
    }
    const refusal = this.#options.targetRefusal(text, account);
    if (refusal !== undefined) {
      return { type: 'withheld', reason: `the target is not allowed (${refusal})` };
    }
    return (await canReach(uri)) ? { type: 'allowed', uri } : UNREACHABLE;
  }

  #current(): Prepared {
    const config = this.#options.config();
    if (this.#prepared?.config === config) return this.#prepared;
    const domains = new DomainTable(config.domains);
    this.#prepared = { config, domains, scope: scopeOf(config, domains) };
    return this.#prepared;
  }
}

/** Who calls, and where a call of the account may go. */
interface CallParties {
  readonly caller: Presentity | undefined;
  readonly canReach: (uri: string) => Promise<boolean>;
}

const UNREACHABLE = { type: 'withheld', reason: 'the dial plan has no way to the target' } as const;

/** The targets of the forwards that are on. */
function targetsOf(state: AccountState): Set<string> {
  const on = FEATURES.filter((feature) => isOn(state, feature));
  return new Set(on.flatMap((feature) => state[feature].values.forwardTo ?? []));
}

function scopeOf({ applyToCalls }: CallFeaturesConfig, domains: DomainTable): Prepared['scope'] {
  if (typeof applyToCalls === 'boolean') return undefined;
  return new Set(
    applyToCalls.map((entry) => {
      const uri = /^sips?:/i.test(entry) ? entry : `sip:${entry}`;
      const result = entry.includes('@') ? accountOf(uri, undefined, domains) : undefined;
      if (result?.type === 'account') return result.account.presentity;
      return domains.domainOf(entry) ?? entry;
    }),
  );
}

function domainIn(account: Presentity): string {
  return account.slice(account.lastIndexOf('@') + 1);
}
