/** The one write path of feature state: phone, HTTP API, command line and portal all come here. */

import type { Feature } from '../wire/feature-event.ts';
import type {
  AccountState,
  FeatureFlags,
  FeatureSource,
  HistoryOrigin,
  HistoryQuery,
  HistoryValue,
  PhoneRequest,
  Presentity,
  RequestedFeature,
  StoredHistoryRow,
} from './feature-state.ts';

export type RefusalCode =
  | 'locked'
  | 'unassigned'
  | 'no-target'
  | 'target-forbidden'
  | 'target-self'
  | 'ring-count'
  | 'loop-guard'
  | 'provider';

export type StoreFailure = {
  readonly type: 'failed';
  readonly cause: 'storage' | 'timeout';
};

export type UnknownAccount = { readonly type: 'unknown-account' };

export type FeatureOutcome =
  | {
      readonly type: 'applied';
      readonly old: HistoryValue;
      readonly new: HistoryValue;
      readonly version: number;
      readonly subscribers: number;
      /** Dialogs for which a NOTIFY was made due. */
      readonly notified: number;
    }
  | {
      readonly type: 'unchanged';
      readonly state: HistoryValue;
      readonly version: number;
      readonly subscribers: number;
    }
  | {
      readonly type: 'refused';
      readonly code: RefusalCode;
      readonly reason: string;
      readonly state: HistoryValue;
      readonly version: number;
    }
  /** `ifVersion` named another version. */
  | { readonly type: 'conflict'; readonly version: number }
  | UnknownAccount
  | StoreFailure;

export type ReadOutcome =
  | { readonly type: 'state'; readonly state: AccountState }
  | UnknownAccount
  | StoreFailure;

/** Several documents of one SUBSCRIBE, applied in order as one turn. */
export type SetAllOutcome =
  | {
      readonly type: 'done';
      readonly outcomes: readonly FeatureOutcome[];
      readonly state: AccountState;
    }
  | UnknownAccount
  | StoreFailure;

/** Who asks. */
export interface FeatureActor {
  readonly source: FeatureSource;
  /** Digest user, token name, portal login, operating-system user. */
  readonly actor: string;
  readonly param?: string | null;
  readonly origin: HistoryOrigin;
  readonly sip?: PhoneRequest;
}

export type FeatureMark =
  | { readonly type: 'features'; readonly features: readonly Feature[] }
  | { readonly type: 'full' }
  /** A NOTIFY without body. */
  | { readonly type: 'empty' };

/** What a dialog of a phone has to be told. */
export interface FeatureNotice {
  readonly mark: FeatureMark;
  /** The newest state of the account; replaces that of every notice before. */
  readonly state: AccountState;
  /** True: answers the phone's own SUBSCRIBE and goes without delay. */
  readonly isOwed: boolean;
}

/** A dialog of a phone, as the service sees it. */
export interface FeatureWatcher {
  readonly id: string;
  notice(notice: FeatureNotice): void;
  /** True when all that is due by now has been answered 2xx; false when the dialog ended before. */
  whenTold(): Promise<boolean>;
}

export interface SetOptions {
  readonly ifVersion?: number;
  /** The dialog whose SUBSCRIBE carried the change; whatever the outcome, it gets a notice that is owed. */
  readonly setter?: FeatureWatcher;
}

/** A document of a SUBSCRIBE; the ring count still as the phone wrote it. */
export interface PhoneSet {
  readonly feature: Feature;
  readonly status: boolean;
  readonly forwardTo?: string;
  readonly ringCount?: string;
}

export type FeatureEvent =
  | {
      readonly type: 'feature-changed';
      readonly presentity: Presentity;
      readonly feature: Feature;
      readonly old: HistoryValue;
      readonly new: HistoryValue;
      readonly version: number;
      readonly source: FeatureSource;
      readonly actor: string;
      readonly at: string;
    }
  | {
      readonly type: 'feature-refused';
      readonly presentity: Presentity;
      readonly feature: Feature;
      readonly code: RefusalCode;
      readonly source: FeatureSource;
      readonly actor: string;
      readonly at: string;
    }
  | {
      readonly type: 'feature-configured';
      readonly presentity: Presentity;
      readonly feature: Feature;
      readonly at: string;
    }
  | {
      readonly type: 'feature-subscribed';
      readonly presentity: Presentity;
      readonly subscribers: number;
      readonly at: string;
    }
  | {
      readonly type: 'feature-unsubscribed';
      readonly presentity: Presentity;
      readonly subscribers: number;
      readonly at: string;
    };

/** Everything of one account happens in turn, in the order of the calls; accounts do not wait for each other. */
export interface FeatureService {
  /** @param asking the dialog that asks: it is told the whole state with its answer. */
  read(presentity: Presentity, actor: FeatureActor, asking?: FeatureWatcher): Promise<ReadOutcome>;
  set(
    presentity: Presentity,
    feature: Feature,
    requested: RequestedFeature,
    actor: FeatureActor,
    options?: SetOptions,
  ): Promise<FeatureOutcome>;
  /** The sets of one SUBSCRIBE; the setter, where it is watching already, gets one notice for all. */
  setAll(
    presentity: Presentity,
    sets: readonly PhoneSet[],
    actor: FeatureActor,
    setter?: FeatureWatcher,
  ): Promise<SetAllOutcome>;
  /** `assigned` changed: full notice to every phone. */
  configure(
    presentity: Presentity,
    feature: Feature,
    flags: FeatureFlags,
    actor: FeatureActor,
  ): Promise<FeatureOutcome>;
  /** Full notice to every phone of the account, from the stored state. */
  refresh(
    presentity: Presentity,
    actor: FeatureActor,
  ): Promise<
    | { readonly type: 'refreshed'; readonly subscribers: number; readonly notified: number }
    | UnknownAccount
    | StoreFailure
  >;
  history(presentity: Presentity, query: HistoryQuery): Promise<readonly StoredHistoryRow[]>;
  /** For calls: the state within 500 ms, else the last known one, else nothing. */
  forCall(presentity: Presentity): Promise<AccountState | undefined>;
  /**
   * A phone watches from now on; gives what ends it.
   *
   * @param seen the state that its first notice is made of; a newer one is told at once.
   */
  watch(presentity: Presentity, watcher: FeatureWatcher, seen: AccountState): () => void;
  watchersOf(presentity: Presentity): readonly FeatureWatcher[];
  onEvent(listener: (event: FeatureEvent) => void): () => void;
  close(): Promise<void>;
}
