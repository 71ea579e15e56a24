/** What a requested change comes to: merged with what is stored, or refused. */

import { isForwardTarget } from '../wire/feature-documents.ts';
import type { Feature } from '../wire/feature-event.ts';
import type { FeatureState, FeatureValues, RequestedFeature, SetResult } from './feature-state.ts';
import { isSameValue } from './feature-view.ts';
import type { TargetVerdict } from './target-policy.ts';

export type Proposal =
  | {
      readonly type: 'change';
      readonly proposed: { readonly status: boolean; readonly values: FeatureValues };
    }
  | { readonly type: 'unchanged' }
  | {
      readonly type: 'refused';
      readonly code:
        | 'locked'
        | 'unassigned'
        | 'no-target'
        | 'target-forbidden'
        | 'target-self'
        | 'ring-count';
      /** Where the code says too little. */
      readonly reason?: string;
    };

type RefusalCode = Extract<Proposal, { type: 'refused' }>['code'];

export interface ProposalRules {
  /** Asks the target policy of the account. */
  readonly judge: (target: string) => TargetVerdict;
  /** True: whoever names values for a feature that is off wants them stored. A phone merely repeats what it shows. */
  readonly isStrict?: boolean;
}

const MIN_RINGS = 2;
const MAX_RINGS = 20;
const NO_ROUTE = 'the dial plan has no way to this target';

/** 0 forwards without ringing; 1 is no count that the field knows. */
export function isRingCount(count: number): boolean {
  return count === 0 || (Number.isInteger(count) && count >= MIN_RINGS && count <= MAX_RINGS);
}

/** Reads a count as a phone wrote it; not a number when it is none. */
export function parseRingCount(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * Merges what is asked with what is stored. Switching off never fails: what may not be stored is left out, unless the
 * rules are strict and the feature is off already.
 */
export function propose(
  feature: Feature,
  current: FeatureState,
  requested: RequestedFeature,
  rules: ProposalRules,
): Proposal {
  if (!current.assigned) return { type: 'refused', code: 'unassigned' };
  if (current.locked) return { type: 'refused', code: 'locked' };
  const merged = feature === 'DoNotDisturb' ? {} : merge(feature, current, requested, rules);
  if (merged === 'no-route') {
    return { type: 'refused', code: 'target-forbidden', reason: NO_ROUTE };
  }
  if (typeof merged === 'string') return { type: 'refused', code: merged };
  const proposed = { status: requested.status, values: merged };
  return isSameValue(current, proposed) ? { type: 'unchanged' } : { type: 'change', proposed };
}

function merge(
  feature: Feature,
  { status, values: stored }: FeatureState,
  requested: RequestedFeature,
  rules: ProposalRules,
): FeatureValues | RefusalCode | 'no-route' {
  const isStrict = rules.isStrict === true && !status;
  const target = mergeTarget(stored.forwardTo, requested, { ...rules, isStrict });
  if (target.type === 'refused') return target.code;
  const isCounting = feature === 'CallForwardingNoAnswer';
  const rings = isCounting ? mergeRings(stored.ringCount, requested, isStrict) : undefined;
  if (rings === 'ring-count') return rings;
  return {
    ...(target.forwardTo === undefined ? {} : { forwardTo: target.forwardTo }),
    ...(rings === undefined ? {} : { ringCount: rings }),
  };
}

type MergedTarget =
  | { readonly type: 'target'; readonly forwardTo: string | undefined }
  | {
      readonly type: 'refused';
      readonly code: 'no-target' | Exclude<TargetVerdict, 'allowed'>;
    };

function mergeTarget(
  stored: string | undefined,
  { status, forwardTo }: RequestedFeature,
  { judge, isStrict = false }: ProposalRules,
): MergedTarget {
  const isKept = forwardTo === undefined || forwardTo?.trim() === '';
  const wanted = isKept ? stored : (forwardTo ?? undefined);
  if (wanted === undefined) {
    return status ? { type: 'refused', code: 'no-target' } : { type: 'target', forwardTo: wanted };
  }
  // A stored number was judged when it was stored; switching on asks again, the lists may have changed.
  if (isKept && !status) return { type: 'target', forwardTo: stored };
  const verdict = isForwardTarget(wanted) ? judge(wanted) : 'target-forbidden';
  if (verdict === 'allowed') return { type: 'target', forwardTo: wanted };
  const isRefused = status || (isStrict && wanted !== stored);
  return isRefused ? { type: 'refused', code: verdict } : { type: 'target', forwardTo: stored };
}

function mergeRings(
  stored: number | undefined,
  { status, ringCount }: RequestedFeature,
  isStrict: boolean,
): number | undefined | 'ring-count' {
  if (ringCount === undefined) return stored;
  if (ringCount === null) return undefined;
  if (isRingCount(ringCount)) return ringCount;
  return status || isStrict ? 'ring-count' : stored;
}

/**
 * Holds what a store made of a change against the rules.
 *
 * @returns the values to be told; `undefined`: the store gave what it may not, which counts as its failure.
 */
export function checkResult(
  feature: Feature,
  result: Pick<SetResult, 'status' | 'values' | 'assigned' | 'notify' | 'version'>,
): { readonly status: boolean; readonly values: FeatureValues } | undefined {
  const { status, values, assigned, notify, version } = result;
  const flags: readonly unknown[] = [status, assigned, notify];
  if (flags.some((value) => typeof value !== 'boolean')) return undefined;
  if (version !== undefined && !Number.isSafeInteger(version)) return undefined;
  if (typeof values !== 'object' || values === null) return undefined;
  if (feature === 'DoNotDisturb') return { status, values: {} };
  const { ringCount } = values;
  const forwardTo = values.forwardTo === '' ? undefined : values.forwardTo;
  if (forwardTo !== undefined && !isTargetText(forwardTo)) return undefined;
  if (status && forwardTo === undefined) return undefined;
  const isCounting = feature === 'CallForwardingNoAnswer' && ringCount !== undefined;
  if (isCounting && !isRingCount(ringCount)) return undefined;
  return {
    status,
    values: {
      ...(forwardTo === undefined ? {} : { forwardTo }),
      ...(isCounting ? { ringCount } : {}),
    },
  };
}

/** A store of somebody else's making may hand over anything. */
function isTargetText(value: unknown): boolean {
  return typeof value === 'string' && isForwardTarget(value);
}
