/** What the thread of a feature database is asked, and what it answers. */

import type { Feature } from '../../wire/feature-event.ts';
import type {
  AccountState,
  FeatureFlags,
  FeatureState,
  FeatureValues,
  HistoryQuery,
  HistoryRow,
  HistoryValue,
  Presentity,
  StoredHistoryRow,
} from '../feature-state.ts';
import type { Trace } from './history-shape.ts';

export interface SqliteSet {
  readonly presentity: Presentity;
  readonly feature: Feature;
  /** What the change was made of. */
  readonly current: FeatureState;
  readonly status: boolean;
  readonly values: FeatureValues;
  readonly at: string;
  readonly trace: Trace;
}

export interface SqliteConfigure {
  readonly presentity: Presentity;
  readonly feature: Feature;
  readonly flags: FeatureFlags;
  readonly at: string;
}

/** What another store holds of an account. */
export interface SqliteSighting {
  readonly presentity: Presentity;
  readonly values: Partial<Readonly<Record<Feature, HistoryValue>>>;
  readonly at: string;
}

export interface SeenVersion {
  readonly version: number;
  readonly updatedAt: string;
}

export type SqliteRequest =
  | { readonly type: 'get'; readonly presentity: Presentity }
  | { readonly type: 'set'; readonly set: SqliteSet }
  | { readonly type: 'configure'; readonly configure: SqliteConfigure }
  | { readonly type: 'remember'; readonly sighting: SqliteSighting }
  | { readonly type: 'add'; readonly row: HistoryRow }
  | { readonly type: 'list'; readonly presentity: Presentity; readonly query: HistoryQuery }
  | { readonly type: 'prune'; readonly before: string }
  | { readonly type: 'close' };

export type SqliteAccess = 'read' | 'write';

/** Result of each request. */
export interface SqliteResults {
  /** `undefined`: no feature of the account is stored. */
  get: AccountState | undefined;
  set: {
    /** `stale`: `current` is not what is stored; nothing is done. */
    readonly outcome: 'applied' | 'unchanged' | 'stale';
    readonly state: FeatureState;
  };
  configure: FeatureState;
  remember: Readonly<Record<Feature, SeenVersion>>;
  add: undefined;
  list: readonly StoredHistoryRow[];
  /** Rows deleted. */
  prune: number;
  close: undefined;
}

export interface SqliteWorkerOptions {
  readonly file: string;
  /** `read`: of a file that another thread has opened to write. */
  readonly access: SqliteAccess;
}
