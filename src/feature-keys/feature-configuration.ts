/** What an administrator gives or takes: whether an account has a feature, and whether it may be changed. */

import type { Feature } from '../wire/feature-event.ts';
import type { FeatureParts } from './feature-changes.ts';
import type { FeatureActor, FeatureOutcome } from './feature-service.ts';
import type { AccountState, FeatureFlags, FeatureState, Presentity } from './feature-state.ts';
import { failureOf } from './feature-store.ts';
import type { StoreFailed } from './feature-store.ts';
import type { Turn } from './feature-turn.ts';
import { historyValue } from './feature-view.ts';

export interface ConfigurationRequest {
  readonly presentity: Presentity;
  readonly feature: Feature;
  readonly flags: FeatureFlags;
  readonly actor: FeatureActor;
}

/** Runs in a turn of the account; a change of `assigned` is told to every phone. */
export async function configureFeature(
  parts: FeatureParts,
  request: ConfigurationRequest,
  session: { readonly turn: Turn; readonly requestId: string },
): Promise<Exclude<FeatureOutcome, { type: 'failed' }> | StoreFailed> {
  const { presentity, feature, flags, actor } = request;
  const caller = { ...session, actor };
  const read = await parts.store.read(presentity, caller);
  if (read.type !== 'state') return read;
  parts.absorb({ presentity, state: read.state });
  const current = read.state[feature];
  const value = historyValue(current);
  const { version } = current;
  const subscribers = parts.accounts.watchersOf(presentity).length;
  if (!isChange(current, flags)) return { type: 'unchanged', state: value, version, subscribers };
  const settled = await parts.store.configure({ presentity, feature, flags }, caller);
  if (settled === undefined) {
    const reason = 'only the store itself can change this';
    return { type: 'refused', code: 'provider', reason, state: value, version };
  }
  if (settled.type !== 'value') {
    parts.onDoubt(presentity);
    return failureOf(settled);
  }
  const notified = commit(parts, request, read.state, settled.value);
  await session.turn.within(
    parts.recorder.configured(
      { presentity, feature, actor },
      { reason: spelled(flags), state: value, version: settled.value.version, dialogs: notified },
    ),
  );
  const now = historyValue(settled.value);
  return {
    type: 'applied',
    old: value,
    new: now,
    version: settled.value.version,
    subscribers,
    notified,
  };
}

/** @returns how many dialogs are told. */
function commit(
  { accounts }: FeatureParts,
  { presentity, feature }: ConfigurationRequest,
  before: AccountState,
  fresh: FeatureState,
): number {
  const state = { ...before, [feature]: fresh };
  accounts.remember(presentity, state, Date.now());
  accounts.tell(presentity, state);
  if (before[feature].assigned === fresh.assigned) return 0;
  const watchers = accounts.watchersOf(presentity);
  for (const watcher of watchers) {
    watcher.notice({ mark: { type: 'full' }, state, isOwed: false });
  }
  return watchers.length;
}

function isChange(current: FeatureState, { assigned, locked }: FeatureFlags): boolean {
  return (
    (assigned !== undefined && assigned !== current.assigned) ||
    (locked !== undefined && locked !== current.locked)
  );
}

function spelled(flags: FeatureFlags): string {
  return Object.entries(flags)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ');
}
