/**
 * The sets of one request, applied in order within one turn of their account.
 *
 *   loop guard -> merge, target policy -> equal? -> store -> check -> commit -> notices, rows
 */

import type { Feature } from '../wire/feature-event.ts';
import { checkResult, propose } from './change-rules.ts';
import type { FeatureAccounts } from './feature-accounts.ts';
import type { FeatureRecorder } from './feature-recorder.ts';
import type { CurrentRules } from './feature-rules.ts';
import type {
  FeatureActor,
  FeatureMark,
  FeatureOutcome,
  FeatureWatcher,
  RefusalCode,
} from './feature-service.ts';
import type {
  AccountState,
  FeatureChange,
  FeatureState,
  Presentity,
  RequestedFeature,
  SetResult,
} from './feature-state.ts';
import { failureOf } from './feature-store.ts';
import type { FeatureStore, StoreFailed } from './feature-store.ts';
import type { Turn } from './feature-turn.ts';
import { historyValue, isSameValue } from './feature-view.ts';
import type { LoopGuard } from './loop-guard.ts';

export interface FeatureParts {
  readonly store: FeatureStore;
  readonly accounts: FeatureAccounts;
  readonly recorder: FeatureRecorder;
  readonly rules: CurrentRules;
  readonly guard: LoopGuard;
  /** The store writes the row of an applied change itself. */
  readonly writesHistory: boolean;
  /** A change came true after its account had gone on without it. */
  readonly onLateChange: (presentity: Presentity, actor: FeatureActor) => void;
}

export interface ChangeSession {
  readonly presentity: Presentity;
  readonly actor: FeatureActor;
  readonly turn: Turn;
  readonly requestId: string;
  readonly setter: FeatureWatcher | undefined;
}

export interface ChangeRequest {
  readonly feature: Feature;
  readonly requested: RequestedFeature;
  readonly ifVersion?: number;
}

type Settled = Exclude<FeatureOutcome, { type: 'failed' | 'unknown-account' }>;

const REASONS: Readonly<Record<RefusalCode, string>> = {
  locked: 'the feature is locked',
  unassigned: 'the account does not have the feature',
  'no-target': 'no number given and none stored',
  'target-forbidden': 'calls may not be forwarded there',
  'target-self': 'calls cannot be forwarded to the account itself',
  'ring-count': 'the ring count is neither 0 nor 2 to 20',
  'loop-guard': 'changed too often',
  provider: 'refused by the store',
};

export class ChangeRun {
  readonly #parts: FeatureParts;
  readonly #session: ChangeSession;
  #state: AccountState;
  /** Where the setter has to be told other than what is stored. */
  #setterState: Partial<Record<Feature, FeatureState>> = {};
  readonly #forAll = new Set<Feature>();
  readonly #forSetter = new Set<Feature>();
  #isSetterFull = false;
  readonly #records: Promise<void>[] = [];

  constructor(parts: FeatureParts, session: ChangeSession, state: AccountState) {
    this.#parts = parts;
    this.#session = session;
    this.#state = state;
  }

  get state(): AccountState {
    return this.#state;
  }

  async change(request: ChangeRequest): Promise<Settled | StoreFailed> {
    const { feature, requested, ifVersion } = request;
    const { guard, recorder, rules } = this.#parts;
    const { presentity, actor } = this.#session;
    const current = this.#state[feature];
    if (ifVersion !== undefined && ifVersion !== current.version) {
      return { type: 'conflict', version: current.version };
    }
    const judge = (target: string) => rules.targets.judge(presentity, target);
    const proposal = propose(feature, current, requested, { judge });
    const isFree = current.assigned && !current.locked;
    if (isFree && actor.source === 'phone' && guard.isHeld(this.#key(feature), Date.now())) {
      return this.#refuse(feature, 'loop-guard');
    }
    if (proposal.type === 'refused') return this.#refuse(feature, proposal.code);
    if (proposal.type === 'unchanged') {
      recorder.unchanged(feature, actor.source);
      this.#forSetter.add(feature);
      return this.#unchanged(feature);
    }
    return await this.#store(feature, { requested, current, proposed: proposal.proposed });
  }

  /** Tells the phones; after a failure the setter hears of what came before it like everybody else. */
  tell(isFailed: boolean): void {
    const { setter } = this.#session;
    this.#tellFeatures([...this.#forAll], isFailed ? undefined : setter);
    if (setter === undefined || isFailed) return;
    setter.notice({
      mark: this.#setterMark(),
      state: { ...this.#state, ...this.#setterState },
      isOwed: true,
    });
  }

  /** Settles when the history has the rows, or the time is over. */
  async recorded(): Promise<void> {
    await this.#session.turn.within(Promise.all(this.#records));
  }

  async #store(feature: Feature, change: FeatureChange): Promise<Settled | StoreFailed> {
    const { presentity, turn, actor, requestId } = this.#session;
    const { settled, running } = await this.#parts.store.set(
      { presentity, feature, ...change },
      { turn, actor, requestId, dialogs: this.#dialogs(true) },
    );
    if (settled.type === 'value') return this.#conclude(feature, change, settled.value);
    if (settled.type === 'timeout') {
      turn.hold(this.#awaitLate(feature, change, running));
    }
    return failureOf(settled);
  }

  #conclude(feature: Feature, change: FeatureChange, result: SetResult): Settled | StoreFailed {
    if (!result.assigned) return this.#refuseUnassigned(feature);
    if (result.outcome === 'refused') return this.#refuse(feature, 'provider', result.reason);
    const checked = checkResult(feature, result);
    if (checked === undefined) {
      const error = new Error('the store answered a change with a value that no phone may be told');
      return { type: 'failed', cause: 'storage', error };
    }
    if (result.outcome === 'unchanged' || isSameValue(change.current, checked)) {
      this.#parts.recorder.unchanged(feature, this.#session.actor.source);
      this.#forSetter.add(feature);
      return this.#unchanged(feature);
    }
    if (result.notify) {
      this.#forAll.add(feature);
      this.#forSetter.add(feature);
    }
    const version = result.version ?? change.current.version + 1;
    const notified = this.#dialogs(result.notify);
    this.#commit(feature, { ...change.current, ...checked, version }, notified);
    return {
      type: 'applied',
      old: historyValue(change.current),
      new: historyValue(this.#state[feature]),
      version,
      subscribers: this.#watchers().length,
      notified,
    };
  }

  /** The requester has been told of a failure; the store may come round nevertheless. */
  async #awaitLate(
    feature: Feature,
    change: FeatureChange,
    running: Promise<SetResult>,
  ): Promise<void> {
    const { presentity, actor, turn } = this.#session;
    let result: SetResult;
    try {
      result = await running;
    } catch {
      return;
    }
    if (turn.isDetached) {
      this.#parts.onLateChange(presentity, actor);
      return;
    }
    this.#forAll.clear();
    const outcome = this.#conclude(feature, change, result);
    if (outcome.type === 'applied') this.#tellFeatures([...this.#forAll], undefined);
  }

  #commit(feature: Feature, next: FeatureState, dialogs: number): void {
    const { accounts, recorder, guard, rules, writesHistory } = this.#parts;
    const { presentity, actor } = this.#session;
    const subject = { presentity, feature, actor };
    const old = historyValue(this.#state[feature]);
    const state = { ...next, updatedAt: new Date().toISOString() };
    this.#state = { ...this.#state, [feature]: state };
    accounts.remember(presentity, this.#state, Date.now());
    const told = accounts.told(presentity) ?? this.#state;
    accounts.tell(presentity, { ...told, [feature]: state });
    this.#records.push(
      recorder.applied({
        ...subject,
        old,
        new: historyValue(state),
        version: state.version,
        dialogs,
        hasRow: writesHistory,
      }),
    );
    const rule = rules.loopGuard;
    if (actor.source === 'phone' && guard.count(this.#key(feature), Date.now(), rule)) {
      recorder.loopGuardTripped(subject, rule.holdMs);
    }
  }

  #refuse(feature: Feature, code: RefusalCode, reason: string = REASONS[code]): Settled {
    const { recorder, guard } = this.#parts;
    const { presentity, actor, setter } = this.#session;
    const current = this.#state[feature];
    if (code === 'unassigned') this.#isSetterFull = true;
    this.#forSetter.add(feature);
    const { version } = current;
    const state = historyValue(current);
    const dialogs = setter === undefined ? 0 : 1;
    // Of those that the guard refuses, one row tells all.
    const hasRow = code !== 'loop-guard' || guard.refused(this.#key(feature));
    const refusal = { code, reason, state, version, dialogs, hasRow };
    this.#records.push(recorder.refused({ presentity, feature, actor }, refusal));
    return { type: 'refused', code, reason, state, version };
  }

  /** The store took the feature from the account in the moment of the set. */
  #refuseUnassigned(feature: Feature): Settled {
    this.#setterState[feature] = { ...this.#state[feature], assigned: false };
    return this.#refuse(feature, 'unassigned');
  }

  #unchanged(feature: Feature): Settled {
    const { version } = this.#state[feature];
    const state = historyValue(this.#state[feature]);
    return { type: 'unchanged', state, version, subscribers: this.#watchers().length };
  }

  #setterMark(): FeatureMark {
    if (this.#isSetterFull) return { type: 'full' };
    const features = [...this.#forSetter];
    return features.length === 0 ? { type: 'empty' } : { type: 'features', features };
  }

  #tellFeatures(features: readonly Feature[], except: FeatureWatcher | undefined): void {
    if (features.length === 0) return;
    const mark = { type: 'features', features } as const;
    for (const watcher of this.#watchers()) {
      if (watcher !== except) watcher.notice({ mark, state: this.#state, isOwed: false });
    }
  }

  /** How many dialogs hear of a change of which the others are told or not. */
  #dialogs(areOthersTold: boolean): number {
    const { setter } = this.#session;
    const others = this.#watchers().filter((watcher) => watcher !== setter);
    return (areOthersTold ? others.length : 0) + (setter === undefined ? 0 : 1);
  }

  #watchers(): readonly FeatureWatcher[] {
    return this.#parts.accounts.watchersOf(this.#session.presentity);
  }

  #key(feature: Feature): string {
    return `${this.#session.presentity} ${feature}`;
  }
}
