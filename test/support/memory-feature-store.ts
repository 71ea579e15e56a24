/** A store of feature state and history in memory, with knobs for whatever a real one may do. */
import { NEVER_CHANGED, isSameState } from '../../src/feature-keys/providers/account-shape.ts';
import { FEATURES, type Feature } from '../../src/wire/feature-event.ts';
import type {
  AccountState,
  FeatureChange,
  FeatureFlags,
  FeatureHistory,
  FeatureProvider,
  FeatureState,
  HistoryQuery,
  HistoryRow,
  HistoryValue,
  Presentity,
  ProviderContext,
  SetResult,
  StoredHistoryRow,
} from '../../src/feature-keys/feature-state.ts';

export type MemoryOperation = 'get' | 'set' | 'configure';

export interface MemoryCall {
  readonly operation: MemoryOperation;
  readonly presentity: Presentity;
  readonly feature?: Feature;
  readonly change?: FeatureChange;
  readonly context: ProviderContext;
}

/** Passes as provider and as history; all knobs may be turned at any time. */
export class MemoryFeatureStore implements FeatureProvider, FeatureHistory {
  /** True: `set` adds the row of an applied change itself. */
  writesHistory = false;
  /** Operations that fail. */
  readonly failing = new Set<MemoryOperation>();
  /** Operations that wait until `release`. */
  readonly held = new Set<MemoryOperation>();
  /** Accounts that do not exist. */
  readonly unknown = new Set<Presentity>();
  /** Every operation takes this long. */
  delayMs = 0;
  /** Reason with which every set is refused. */
  refuse: string | undefined = undefined;
  /** What `set` says of `notify`. */
  setNotifies = true;
  /** What `set` says of `assigned`, where it is not the stored value. */
  setAssigned: boolean | undefined = undefined;
  /** Runs when a set reaches the store: what another node does just before. */
  beforeSet: (() => void) | undefined = undefined;
  /** Replaces the result of a set: for answers that no store should give. */
  answer: ((result: SetResult) => SetResult) | undefined = undefined;
  nowMs: () => number = Date.now;
  isClosed = false;

  readonly calls: MemoryCall[] = [];
  readonly rows: StoredHistoryRow[] = [];
  readonly #states = new Map<string, FeatureState>();
  readonly #waiting: (() => void)[] = [];
  readonly #listeners = new Set<(presentity: Presentity, feature?: Feature) => void>();

  async getAll(
    presentity: Presentity,
    context: ProviderContext,
  ): Promise<AccountState | undefined> {
    await this.#enter({ operation: 'get', presentity, context });
    return this.unknown.has(presentity) ? undefined : this.account(presentity);
  }

  async set(
    presentity: Presentity,
    feature: Feature,
    change: FeatureChange,
    context: ProviderContext,
  ): Promise<SetResult> {
    await this.#enter({ operation: 'set', presentity, feature, change, context });
    this.beforeSet?.();
    const stored = this.state(presentity, feature);
    const assigned = this.setAssigned ?? stored.assigned;
    const notify = this.setNotifies;
    if (this.refuse !== undefined || !assigned) {
      const { status, values, version } = stored;
      const reason = this.refuse ?? 'unassigned';
      return this.#answered({
        outcome: 'refused',
        status,
        values,
        assigned,
        notify,
        reason,
        version,
      });
    }
    const { status, values } = change.proposed;
    if (!isSameState(stored, change.current)) {
      const { version } = stored;
      return { outcome: 'stale', status, values, assigned, notify, version };
    }
    const version = stored.version + 1;
    this.put(presentity, feature, { status, values, version, updatedAt: this.#at() });
    if (this.writesHistory) {
      await this.add(appliedRow({ presentity, feature, stored, change, context, at: this.#at() }));
    }
    return this.#answered({ outcome: 'applied', status, values, assigned, notify, version });
  }

  async configure(
    presentity: Presentity,
    feature: Feature,
    flags: FeatureFlags,
    context: ProviderContext,
  ): Promise<FeatureState> {
    await this.#enter({ operation: 'configure', presentity, feature, context });
    this.put(presentity, feature, flags);
    return this.state(presentity, feature);
  }

  watch(changed: (presentity: Presentity, feature?: Feature) => void): () => void {
    this.#listeners.add(changed);
    return () => {
      this.#listeners.delete(changed);
    };
  }

  add(row: HistoryRow): Promise<void> {
    this.rows.push({ ...row, id: this.rows.length + 1 });
    return Promise.resolve();
  }

  list(presentity: Presentity, query: HistoryQuery): Promise<readonly StoredHistoryRow[]> {
    const { feature, from = '', to = '\u{ffff}', limit = 100, before = Infinity } = query;
    const found = this.rows.filter(
      (row) =>
        row.presentity === presentity &&
        (feature === undefined || row.feature === feature) &&
        row.at >= from &&
        row.at < to &&
        row.id < before,
    );
    return Promise.resolve(found.toReversed().slice(0, limit));
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.#listeners.clear();
    this.release();
    return Promise.resolve();
  }

  /** What is stored of one feature; off where nothing is. */
  state(presentity: Presentity, feature: Feature): FeatureState {
    return this.#states.get(`${presentity} ${feature}`) ?? NEVER_CHANGED;
  }

  account(presentity: Presentity): AccountState {
    const [dnd, always, busy, noAnswer] = FEATURES;
    return {
      [dnd]: this.state(presentity, dnd),
      [always]: this.state(presentity, always),
      [busy]: this.state(presentity, busy),
      [noAnswer]: this.state(presentity, noAnswer),
    };
  }

  /** Stores without telling anybody. */
  put(presentity: Presentity, feature: Feature, part: Partial<FeatureState>): void {
    this.#states.set(`${presentity} ${feature}`, { ...this.state(presentity, feature), ...part });
  }

  /** Changes a feature behind the back of the SBC, as a portal on the same database would. */
  changeBehind(presentity: Presentity, feature: Feature, part: Partial<FeatureState>): void {
    const version = this.state(presentity, feature).version + 1;
    this.put(presentity, feature, { version, updatedAt: this.#at(), ...part });
    for (const listener of this.#listeners) listener(presentity, feature);
  }

  /** Lets all go on that is held, and holds nothing further. */
  release(): void {
    this.held.clear();
    for (const go of this.#waiting.splice(0)) go();
  }

  async #enter(call: MemoryCall): Promise<void> {
    if (this.isClosed) throw new Error('the feature store is closed');
    this.calls.push(call);
    if (this.held.has(call.operation)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.delayMs > 0) {
      await new Promise<void>((resolve) => setTimeout(resolve, this.delayMs));
    }
    if (this.failing.has(call.operation)) throw new Error(`${call.operation} fails as told`);
  }

  #answered(result: SetResult): SetResult {
    return this.answer === undefined ? result : this.answer(result);
  }

  #at(): string {
    return new Date(this.nowMs()).toISOString();
  }
}

function appliedRow(done: {
  presentity: Presentity;
  feature: Feature;
  stored: FeatureState;
  change: FeatureChange;
  context: ProviderContext;
  at: string;
}): HistoryRow {
  const { presentity, feature, stored, change, context, at } = done;
  const { source, actor, origin, param, dialogs = 0 } = context;
  return {
    at,
    presentity,
    feature,
    outcome: 'applied',
    old: valueOf(stored),
    new: valueOf(change.proposed),
    source,
    actor,
    origin,
    param,
    version: stored.version + 1,
    dialogs,
  };
}

function valueOf(state: Pick<FeatureState, 'status' | 'values'>): HistoryValue {
  return { status: state.status, ...state.values };
}
