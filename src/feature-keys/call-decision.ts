/**
 * What the feature keys of an account make of a call to it.
 *
 *   order  on                          what becomes of the call
 *   1      CallForwardingAlways        forwarded, nobody rings
 *   2      DoNotDisturb                as if the phone had answered `dnd-response`; with 486 or 600 the busy forward takes it
 *   3      CallForwardingNoAnswer      forwarded after the rings; with 0 rings at once
 *   4      CallForwardingBusy          forwarded after 486 or 600
 *
 * A forward whose target is not allowed counts as switched off for this call.
 */
import type { FeatureCalls } from '../config/feature-keys-config.ts';
import type { Feature } from '../wire/feature-event.ts';
import type { AccountState } from './feature-state.ts';

export type ForwardReason = 'unconditional' | 'user-busy' | 'no-answer';

export interface CallForward {
  readonly feature: Feature;
  readonly reason: ForwardReason;
  /** SIP URI. */
  readonly target: string;
}

export type CallTreatment =
  | { readonly type: 'forward'; readonly forward: CallForward }
  | { readonly type: 'refuse'; readonly feature: Feature; readonly status: number }
  | {
      readonly type: 'ring';
      readonly busy?: CallForward;
      readonly noAnswer?: {
        readonly forward: CallForward;
        readonly afterMs: number;
        /** Also after 408 or 480, and where nobody can be reached. */
        readonly isForUnreachable: boolean;
      };
    };

export interface CallDecision {
  readonly treatment: CallTreatment;
  /** Forwards that are on and may not be carried out. */
  readonly withheld: readonly Withheld[];
}

export interface Withheld {
  readonly feature: Feature;
  readonly reason: string;
}

/** Nothing is known of the account, or nothing is on. */
export const RINGS: CallDecision = { treatment: { type: 'ring' }, withheld: [] };

/** What a target comes to: where the call goes, or why it may not go there. */
export type TargetVerdict =
  | { readonly type: 'allowed'; readonly uri: string }
  | { readonly type: 'withheld'; readonly reason: string };

export interface CallRules {
  readonly calls: FeatureCalls;
  readonly defaultRings: number;
  readonly judge: (target: string) => TargetVerdict;
  /** Whether a call gets anywhere at the URI of `dnd-response`, where that is one; true where it is none. */
  readonly isDndReachable: boolean;
}

const BUSY_HERE = '486';
const BUSY_CODES: ReadonlySet<string> = new Set(['486', '600']);

export function decideCall(state: AccountState, rules: CallRules): CallDecision {
  const withheld: Withheld[] = [];
  const forwardOf = (feature: Feature, reason: ForwardReason): CallForward | undefined => {
    if (!isOn(state, feature)) return undefined;
    const verdict = judged(state[feature].values.forwardTo, rules);
    if (verdict.type === 'allowed') return { feature, reason, target: verdict.uri };
    withheld.push({ feature, reason: verdict.reason });
    return undefined;
  };
  const always = forwardOf('CallForwardingAlways', 'unconditional');
  const treatment: CallTreatment =
    always === undefined
      ? (undisturbed(state, rules, { forwardOf, withheld }) ?? ringing(state, rules, forwardOf))
      : { type: 'forward', forward: always };
  return { treatment, withheld };
}

type ForwardOf = (feature: Feature, reason: ForwardReason) => CallForward | undefined;

function undisturbed(
  state: AccountState,
  { calls, isDndReachable }: CallRules,
  { forwardOf, withheld }: { readonly forwardOf: ForwardOf; readonly withheld: Withheld[] },
): CallTreatment | undefined {
  const feature = 'DoNotDisturb';
  if (!isOn(state, feature)) return undefined;
  const { dndTriggersBusyForward } = calls;
  if (isUri(calls.dndResponse)) {
    const target = calls.dndResponse;
    if (isDndReachable)
      return { type: 'forward', forward: { feature, reason: 'user-busy', target } };
    withheld.push({ feature, reason: 'the dial plan has no way to dnd-response' });
  }
  const dndResponse = isUri(calls.dndResponse) ? BUSY_HERE : calls.dndResponse;
  const isBusy = BUSY_CODES.has(dndResponse) && dndTriggersBusyForward;
  const busy = isBusy ? forwardOf('CallForwardingBusy', 'user-busy') : undefined;
  if (busy !== undefined) return { type: 'forward', forward: busy };
  return { type: 'refuse', feature, status: Number(dndResponse) };
}

function ringing(state: AccountState, rules: CallRules, forwardOf: ForwardOf): CallTreatment {
  const { calls, defaultRings } = rules;
  const forward = forwardOf('CallForwardingNoAnswer', 'no-answer');
  const rings = state.CallForwardingNoAnswer.values.ringCount ?? defaultRings;
  if (forward !== undefined && rings === 0) return { type: 'forward', forward };
  const busy = forwardOf('CallForwardingBusy', 'user-busy');
  const afterMs = rings * calls.ringMs;
  const isForUnreachable = calls.unreachableAsNoAnswer;
  return {
    type: 'ring',
    ...(busy === undefined ? {} : { busy }),
    ...(forward === undefined ? {} : { noAnswer: { forward, afterMs, isForUnreachable } }),
  };
}

export function isUri(text: string): boolean {
  return /^sips?:/i.test(text);
}

export function isOn(state: AccountState, feature: Feature): boolean {
  return state[feature].assigned && state[feature].status;
}

function judged(target: string | undefined, { judge }: CallRules): TargetVerdict {
  if (target === undefined) return { type: 'withheld', reason: 'no target is stored' };
  return judge(target);
}
