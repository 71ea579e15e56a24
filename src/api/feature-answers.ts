/** What became of a request about feature keys, as HTTP answers. */
import type {
  FeatureOutcome,
  StoreFailure,
  UnknownAccount,
} from '../feature-keys/feature-service.ts';
import type {
  AccountState,
  FeatureState,
  StoredHistoryRow,
} from '../feature-keys/feature-state.ts';
import { FEATURES, type Feature } from '../wire/feature-event.ts';

export interface FeatureAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>> & {
    readonly error?: { readonly code: string; readonly message: string };
  };
}

type Extra = Readonly<Record<string, unknown>>;

/** Where a failure of the store may be tried again. */
const RETRY_AFTER_SECONDS = '5';

export function answerOf(outcome: FeatureOutcome, extra: Extra = {}): FeatureAnswer {
  if (outcome.type === 'applied') {
    const { type, ...rest } = outcome;
    return good({ outcome: type, ...rest, ...extra }, outcome.version);
  }
  if (outcome.type === 'unchanged') {
    const { state, version, subscribers } = outcome;
    const same = { old: state, new: state, version, subscribers, notified: 0 };
    return good({ outcome: 'unchanged', ...same, ...extra }, version);
  }
  if (outcome.type === 'refused') {
    const { code, reason, state, version } = outcome;
    return failed(409, code, reason, { outcome: 'refused', reason: code, state, version });
  }
  return outcome.type === 'conflict' ? conflictAt(outcome.version) : answerOfFailure(outcome);
}

function conflictAt(version: number): FeatureAnswer {
  const message = `the feature is at version ${version} by now`;
  const answer = failed(412, 'version-conflict', message, { version });
  return { ...answer, headers: { ETag: tagOf(version) } };
}

export function answerOfFailure(outcome: UnknownAccount | StoreFailure): FeatureAnswer {
  if (outcome.type === 'unknown-account') {
    return failed(404, 'unknown-account', 'there is no such account');
  }
  const isLate = outcome.cause === 'timeout';
  const message = isLate ? 'the store did not answer in time' : 'the store failed';
  const answer = failed(503, outcome.cause, message);
  return { ...answer, headers: { 'Retry-After': RETRY_AFTER_SECONDS } };
}

export function failed(
  status: number,
  code: string,
  message: string,
  extra: Extra = {},
): FeatureAnswer {
  return { status, headers: {}, body: { error: { code, message }, ...extra } };
}

export function good(body: Extra, version?: number): FeatureAnswer {
  const headers: Record<string, string> = version === undefined ? {} : { ETag: tagOf(version) };
  return { status: 200, headers, body };
}

/** The last change of each feature, as far as `rows` (newest first) reach back. */
export function lastChanges(rows: readonly StoredHistoryRow[]): ReadonlyMap<Feature, Extra> {
  const changes = new Map<Feature, Extra>();
  for (const { outcome, feature, at, source, actor } of rows) {
    if (outcome === 'applied' && !changes.has(feature)) changes.set(feature, { at, source, actor });
  }
  return changes;
}

export function accountView(
  account: string,
  state: AccountState,
  changes: ReadonlyMap<Feature, Extra>,
): Extra {
  const features: Record<string, Extra> = {};
  for (const feature of FEATURES) features[feature] = featureView(state, feature, changes);
  return { account, features };
}

export function featureView(
  state: AccountState,
  feature: Feature,
  changes: ReadonlyMap<Feature, Extra>,
): Extra {
  const { status, values, assigned, locked, version, updatedAt }: FeatureState = state[feature];
  const lastChange = changes.get(feature);
  return {
    status,
    ...values,
    assigned,
    locked,
    version,
    ...(updatedAt === '' ? {} : { updatedAt }),
    ...(lastChange === undefined ? {} : { lastChange }),
  };
}

function tagOf(version: number): string {
  return `"${version}"`;
}
