/** What calls ask about the feature keys of the account they are for; the composition root hands it in. */
import type { Feature } from '../../wire/feature-event.ts';

/** Why a call is forwarded, as Diversion says it (RFC 5806). */
export type ForwardReason = 'unconditional' | 'user-busy' | 'no-answer';

export interface Forward {
  readonly feature: Feature;
  readonly reason: ForwardReason;
  /** SIP URI. */
  readonly target: string;
}

/** What becomes of a call to an account. */
export type AccountTreatment =
  /** Nobody rings. */
  | { readonly type: 'forward'; readonly forward: Forward }
  | { readonly type: 'refuse'; readonly feature: Feature; readonly status: number }
  | {
      readonly type: 'ring';
      /** After 486 or 600. */
      readonly busy?: Forward;
      readonly noAnswer?: {
        readonly forward: Forward;
        /** Of ringing. */
        readonly afterMs: number;
        /** Also after 408 or 480, and where nobody can be reached. */
        readonly isForUnreachable: boolean;
      };
    };

export interface AccountDecision {
  readonly treatment: AccountTreatment;
  /** Forwards that are on and may not be carried out for this call; `reason` is for the log. */
  readonly withheld: readonly { readonly feature: Feature; readonly reason: string }[];
}

/** Which headers tell a callee of forwards. */
export type DiversionHeaders = 'both' | 'diversion' | 'history-info' | 'none';

export interface ForwardSettings {
  readonly send181: boolean;
  readonly diversionHeaders: DiversionHeaders;
  /** Forwards that a call may have seen, ours included. */
  readonly maxDiversions: number;
}

export interface CallFeatures {
  /** The settings for a call that begins now. */
  readonly settings: ForwardSettings;
  /** `sip:user@domain` of the account that `uri` names; `undefined` for any other URI. */
  accountAt(uri: string): string | undefined;
  /** Whether the feature keys of `account` act on calls. */
  actOn(account: string): boolean;
  /**
   * Waits 500 ms at most for the state, and rejects only if `canReach` does.
   *
   * @param caller the account that calls, if it is one.
   * @param canReach whether a call of the account gets anywhere at a URI.
   */
  decide(
    account: string,
    caller: string | undefined,
    canReach: (uri: string) => Promise<boolean>,
  ): Promise<AccountDecision>;
}
