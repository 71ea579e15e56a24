/** The JSON that the page reads and writes. */
import type { FeatureKeysConfig } from '../config/feature-keys-config.ts';
import type { FeatureOutcome } from '../feature-keys/feature-service.ts';
import type {
  AccountState,
  FeatureFlags,
  HistoryValue,
  Presentity,
  RequestedFeature,
  StoredHistoryRow,
} from '../feature-keys/feature-state.ts';
import { FEATURES } from '../wire/feature-event.ts';
import type { Feature } from '../wire/feature-event.ts';
import type { FeatureSubscriptionView } from './feature-backend.ts';

export interface AccountView {
  /** `user@domain`. */
  readonly account: string;
  readonly features: readonly FeatureView[];
  readonly phones: readonly PhoneView[];
  /** Seconds that one ring lasts. */
  readonly ringSeconds: number;
  /** Rings where none are stored. */
  readonly defaultRings: number;
  /** Whether the visitor may change `assigned` and `locked`, which not every store keeps for us. */
  readonly isConfigurable: boolean;
}

export interface FeatureView extends HistoryValue {
  readonly feature: Feature;
  /** Always true for those who are no administrators: they are not shown others. */
  readonly assigned: boolean;
  readonly locked: boolean;
  readonly version: number;
  /** RFC 3339; empty: never changed. */
  readonly updatedAt: string;
}

/** A phone that is told of every change. */
export interface PhoneView {
  /** Stays the same while the subscription lasts. */
  readonly id: string;
  /** Empty: the phone does not say. */
  readonly userAgent: string;
  /** `address:port`. */
  readonly remote: string;
  readonly transport: string;
  /** Seconds until the subscription runs out unless the phone renews it. */
  readonly expiresInSeconds: number;
}

export interface HistoryRowView {
  readonly id: number;
  readonly at: string;
  readonly feature: Feature;
  readonly outcome: StoredHistoryRow['outcome'];
  readonly source: StoredHistoryRow['source'];
  readonly actor: string;
  readonly reason?: string;
  readonly old?: HistoryValue;
  readonly new?: HistoryValue;
  /** User agent of the phone that asked. */
  readonly device?: string;
}

const MOST_TARGET_CHARACTERS = 256;

export function accountView(parts: {
  readonly presentity: Presentity;
  readonly state: AccountState;
  readonly phones: readonly FeatureSubscriptionView[];
  readonly config: FeatureKeysConfig;
  readonly isAdministrator: boolean;
}): AccountView {
  const { presentity, state, phones, config, isAdministrator } = parts;
  return {
    account: presentity.slice('sip:'.length),
    features: FEATURES.filter((feature) => isAdministrator || state[feature].assigned).map(
      (feature) => {
        const { status, values, assigned, locked, version, updatedAt } = state[feature];
        return { feature, status, ...values, assigned, locked, version, updatedAt };
      },
    ),
    phones: phones.map(({ id, userAgent, remote, transport, expiresInSeconds }) => ({
      id,
      userAgent,
      remote,
      transport,
      expiresInSeconds,
    })),
    ringSeconds: config.calls.ringMs / 1000,
    defaultRings: config.defaultRings,
    isConfigurable: isAdministrator && keepsFlags(config),
  };
}

/** The stores with tables of our own do. */
function keepsFlags({ provider }: FeatureKeysConfig): boolean {
  if (provider.kind === 'postgres') return provider.setSql === undefined;
  return provider.kind === 'sqlite';
}

export function historyView(row: StoredHistoryRow): HistoryRowView {
  const { id, at, feature, outcome, source, actor, reason, old, new: value, origin } = row;
  const device = origin['userAgent'];
  return {
    id,
    at,
    feature,
    outcome,
    source,
    actor,
    ...(reason === undefined ? {} : { reason }),
    ...(old === undefined ? {} : { old }),
    ...(value === undefined ? {} : { new: value }),
    ...(typeof device === 'string' && device !== '' ? { device } : {}),
  };
}

/** The outcome under the key `outcome`, as the HTTP interface shows it. */
export function outcomeView(outcome: FeatureOutcome): Record<string, unknown> {
  const { type, ...rest } = outcome;
  return { outcome: type, ...rest };
}

/** Reads the body of a change; a text says what is wrong with it. */
export function readRequested(
  fields: Readonly<Record<string, unknown>>,
): RequestedFeature | string {
  const { status, forwardTo, ringCount } = fields;
  if (typeof status !== 'boolean') return 'status is neither true nor false';
  const target = readTarget(forwardTo);
  if (target === 'bad') return `forwardTo is no text of 1 to ${MOST_TARGET_CHARACTERS} characters`;
  if (ringCount !== undefined && ringCount !== null && !Number.isSafeInteger(ringCount)) {
    return 'ringCount is no whole number';
  }
  return {
    status,
    ...(target === undefined ? {} : { forwardTo: target.value }),
    ...(typeof ringCount === 'number' || ringCount === null ? { ringCount } : {}),
  };
}

function readTarget(value: unknown): { readonly value: string | null } | undefined | 'bad' {
  if (value === undefined) return undefined;
  if (value === null) return { value: null };
  if (typeof value !== 'string') return 'bad';
  const text = value.trim();
  const length = Array.from(text).length;
  if (length === 0 || length > MOST_TARGET_CHARACTERS || /[\p{Cc}\p{Cs}\u{fffd}]/u.test(text))
    return 'bad';
  return { value: text };
}

/** Reads the body of an administrator's change; a text says what is wrong with it. */
export function readFlags(fields: Readonly<Record<string, unknown>>): FeatureFlags | string {
  const { assigned, locked } = fields;
  if (assigned === undefined && locked === undefined) return 'neither assigned nor locked is there';
  if (assigned !== undefined && typeof assigned !== 'boolean')
    return 'assigned is not true or false';
  if (locked !== undefined && typeof locked !== 'boolean') return 'locked is not true or false';
  return {
    ...(assigned === undefined ? {} : { assigned }),
    ...(locked === undefined ? {} : { locked }),
  };
}
