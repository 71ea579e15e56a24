/** State of the feature keys of an account, and the interface to whatever stores it. */

import type { Feature } from '../wire/feature-event.ts';

/** `sip:user@domain`: no port, no parameters, host in lower case. */
export type Presentity = string;

export interface FeatureValues {
  /** Number or URI as it was typed. */
  readonly forwardTo?: string;
  /** 0 or 2 to 20 rings; for CallForwardingNoAnswer alone. */
  readonly ringCount?: number;
}

export interface FeatureState {
  readonly status: boolean;
  readonly values: FeatureValues;
  /** False: the account does not have the feature; it is never named to a phone. */
  readonly assigned: boolean;
  /** False: left out of this NOTIFY only. */
  readonly notify: boolean;
  /** True: sets are refused. */
  readonly locked: boolean;
  /** Grows by one with every effective change; 0: never changed. */
  readonly version: number;
  /** RFC 3339 in UTC; empty: never changed. */
  readonly updatedAt: string;
}

/** All four features of one account. */
export type AccountState = Readonly<Record<Feature, FeatureState>>;

/** What a phone or an operator asks for; `null` clears (never from a phone), absent keeps. */
export interface RequestedFeature {
  readonly status: boolean;
  readonly forwardTo?: string | null;
  readonly ringCount?: number | null;
}

export interface FeatureChange {
  readonly requested: RequestedFeature;
  readonly current: FeatureState;
  /** Merged and validated. */
  readonly proposed: { readonly status: boolean; readonly values: FeatureValues };
}

/** What a provider made of a change. */
export interface SetResult {
  /**
   * `stale`: nothing was done, since `current` of the change is not what is stored any more; it has to be read and merged
   * anew. `unknown-account`: nothing was done, since there is no such account.
   */
  readonly outcome: 'applied' | 'unchanged' | 'refused' | 'stale' | 'unknown-account';
  /** What every phone will be told. */
  readonly status: boolean;
  readonly values: FeatureValues;
  readonly assigned: boolean;
  /** False: the other phones are not told. */
  readonly notify: boolean;
  readonly reason?: string;
  readonly version?: number;
}

export type FeatureSource = 'phone' | 'api' | 'cli' | 'portal' | 'provider' | 'call';

/** The SUBSCRIBE of a phone. */
export interface PhoneRequest {
  readonly callId: string;
  readonly cseq: number;
  readonly userAgent: string;
  /** `address:port`. */
  readonly remote: string;
  readonly transport: string;
  readonly device: string;
}

export interface ProviderContext {
  readonly source: FeatureSource;
  /** Digest user, token name, portal login, operating-system user. */
  readonly actor: string;
  /** The API's argument `param`; null for phones. */
  readonly param: string | null;
  readonly requestId: string;
  /** Milliseconds from the start of the operation to its abort. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly sip?: PhoneRequest;
  /** Written with the change into the history: phone, request id and address, as far as known. */
  readonly origin: HistoryOrigin;
  /** Dialogs that are told if the change is applied; for the row of a store that writes history. Absent: 0. */
  readonly dialogs?: number;
}

/** Where a request came from, by field name. */
export type HistoryOrigin = Readonly<Record<string, string | number>>;

/** What an administrator decides about a feature of an account. */
export interface FeatureFlags {
  readonly assigned?: boolean;
  readonly locked?: boolean;
}

/** Where the state lives. A rejected promise is a failure of the store. */
export interface FeatureProvider {
  /** @returns `undefined`: there is no such account. */
  getAll(presentity: Presentity, context: ProviderContext): Promise<AccountState | undefined>;
  set(
    presentity: Presentity,
    feature: Feature,
    change: FeatureChange,
    context: ProviderContext,
  ): Promise<SetResult>;
  /** Absent where the store alone decides them. */
  configure?(
    presentity: Presentity,
    feature: Feature,
    flags: FeatureFlags,
    context: ProviderContext,
  ): Promise<FeatureState>;
  /** Hears of changes that others made, of account `*` where any may have changed; gives what ends it. */
  watch?(changed: (presentity: Presentity, feature?: Feature) => void): () => void;
  /** True: `set` wrote the row of the history in the same transaction. */
  readonly writesHistory: boolean;
  close(): Promise<void>;
}

export interface HistoryValue extends FeatureValues {
  readonly status: boolean;
}

/** One row per effective change and per refusal. */
export interface HistoryRow {
  /** RFC 3339 in UTC, with milliseconds. */
  readonly at: string;
  readonly presentity: Presentity;
  readonly feature: Feature;
  readonly outcome: 'applied' | 'refused' | 'failed';
  readonly reason?: string;
  readonly old?: HistoryValue;
  readonly new?: HistoryValue;
  readonly source: FeatureSource;
  readonly actor: string;
  readonly origin: HistoryOrigin;
  readonly param: string | null;
  readonly version?: number;
  /** How many dialogs were told. */
  readonly dialogs: number;
}

export interface StoredHistoryRow extends HistoryRow {
  readonly id: number;
}

export interface HistoryQuery {
  readonly feature?: Feature;
  /** RFC 3339. */
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  /** Rows older than the one with this id. */
  readonly before?: number;
}

/** Where the history lives. */
export interface FeatureHistory {
  add(row: HistoryRow): Promise<void>;
  /** Newest first. */
  list(presentity: Presentity, query: HistoryQuery): Promise<readonly StoredHistoryRow[]>;
  close(): Promise<void>;
}
