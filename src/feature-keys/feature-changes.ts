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
  UnknownAccount,
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
import { historyValue, isSameValue, requestedValue } from './feature-view.ts';
import type { LoopGuard } from './loop-guard.ts';
import type { Difference, Reading } from './provider-changes.ts';
import { REFUSAL_REASONS } from './refusal-reasons.ts';

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
  /** A change failed of which nobody knows whether the store made it. */
  readonly onDoubt: (presentity: Presentity) => void;
  /** Takes a state that was read: what the phones do not believe is told to them. */
  readonly absorb: (reading: Reading) => Difference;
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

type Changed = Settled | StoreFailed | UnknownAccount;

/** What is stored was changed by another node meanwhile. */
type Stale = { readonly type: 'stale' };

/** Each time another node was quicker; beyond, something is wrong with the store. */
const MOST_ATTEMPTS = 50;

export class ChangeRun {
  readonly #parts: FeatureParts;
  readonly #session: ChangeSession;
  #state: AccountState;
  /** Where the setter has to be told other than what is stored. */
  #setterState: Partial<Record<Feature, FeatureState>> = {};
  readonly #forAll = new Set<Feature>();
  readonly #forSetter = new Set<Feature>();
  /** What the store had changed before, which the setter is still to be told. */
  readonly #missed = new Set<Feature>();
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

  /** Takes what was read: others are told at once what they missed, the setter with the rest. */
  absorb(state: AccountState, quiet: readonly Feature[]): void {
    const { presentity, setter } = this.#session;
    const asking = setter === undefined ? [] : [setter];
    const { features, isReassigned } = this.#parts.absorb({
      presentity,
      state,
      asking,
      // A set of a feature that is gone is answered to its sender alone.
      quiet: setter === undefined ? [] : quiet,
    });
    this.#state = state;
    for (const feature of features) {
      this.#missed.add(feature);
      this.#forSetter.add(feature);
    }
    if (isReassigned) this.#isSetterFull = true;
  }

  /** Where another node was quicker, merges and checks anew against what that one stored. */
  async change(request: ChangeRequest): Promise<Changed> {
    const { presentity, turn } = this.#session;
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const outcome = await this.#attempt(request);
      if (outcome.type !== 'stale') return outcome;
      if (turn.isOver) return failureOf({ type: 'timeout' });
      const read = await this.#parts.store.read(presentity, this.#session);
      if (read.type !== 'state') return read;
      this.absorb(read.state, [request.feature]);
    }
    const error = new Error('the feature was changed elsewhere each time it was about to be set');
    return { type: 'failed', cause: 'storage', error };
  }

  async #attempt(request: ChangeRequest): Promise<Changed | Stale> {
    const { feature, requested, ifVersion } = request;
    const { guard, recorder, rules } = this.#parts;
    const { presentity, actor } = this.#session;
    const current = this.#state[feature];
    if (ifVersion !== undefined && ifVersion !== current.version) {
      return { type: 'conflict', version: current.version };
    }
    const judge = (target: string) => rules.targets.judge(presentity, target);
    const isStrict = actor.source !== 'phone';
    const proposal = propose(feature, current, requested, { judge, isStrict });
    const isFree = current.assigned && !current.locked;
    if (isFree && actor.source === 'phone' && guard.isHeld(this.#key(feature), Date.now())) {
      return this.#refuse(feature, requested, { code: 'loop-guard' });
    }
    if (proposal.type === 'refused') return this.#refuse(feature, requested, proposal);
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
    this.#tellFeatures([...this.#forAll], setter);
    if (setter === undefined) return;
    if (isFailed) {
      this.#tellFailedSetter(setter);
      return;
    }
    setter.notice({
      mark: this.#setterMark(),
      state: { ...this.#state, ...this.#setterState },
      isOwed: true,
    });
  }

  /** Its request is not answered with a notice, so it is told what everybody else is. */
  #tellFailedSetter(setter: FeatureWatcher): void {
    const features = [...new Set([...this.#missed, ...this.#forAll])];
    if (features.length === 0) return;
    const mark = this.#isSetterFull
      ? { type: 'full' as const }
      : { type: 'features' as const, features };
    setter.notice({ mark, state: this.#state, isOwed: false });
  }

  /** Settles when the history has the rows, or the time is over. */
  async recorded(): Promise<void> {
    await this.#session.turn.within(Promise.all(this.#records));
  }

  async #store(feature: Feature, change: FeatureChange): Promise<Changed | Stale> {
    const { presentity, turn, actor, requestId } = this.#session;
    const { settled, running } = await this.#parts.store.set(
      { presentity, feature, ...change },
      { turn, actor, requestId, dialogs: this.#dialogs(true) },
    );
    if (settled.type === 'timeout') turn.hold(this.#awaitLate(feature, change, running));
    const outcome =
      settled.type === 'value'
        ? this.#conclude(feature, change, settled.value)
        : failureOf(settled);
    if (outcome.type === 'failed') this.#parts.onDoubt(presentity);
    return outcome;
  }

  #conclude(feature: Feature, change: FeatureChange, result: SetResult): Changed | Stale {
    if (result.outcome === 'stale') return { type: 'stale' };
    if (result.outcome === 'unknown-account') return { type: 'unknown-account' };
    if (!result.assigned) return this.#refuseUnassigned(feature, change.requested);
    if (result.outcome === 'refused') {
      const { reason } = result;
      return this.#refuse(feature, change.requested, { code: 'provider', reason });
    }
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

  #refuse(
    feature: Feature,
    requested: RequestedFeature,
    { code, reason = REFUSAL_REASONS[code] }: { code: RefusalCode; reason?: string | undefined },
  ): Settled {
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
    const asked = requestedValue(feature, current, requested);
    const refusal = { code, reason, state, requested: asked, version, dialogs, hasRow };
    this.#records.push(recorder.refused({ presentity, feature, actor }, refusal));
    return { type: 'refused', code, reason, state, version };
  }

  /** The store took the feature from the account in the moment of the set. */
  #refuseUnassigned(feature: Feature, requested: RequestedFeature): Settled {
    this.#setterState[feature] = { ...this.#state[feature], assigned: false };
    return this.#refuse(feature, requested, { code: 'unassigned' });
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
