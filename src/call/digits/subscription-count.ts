import type { KpmlRole, KpmlSubscriptionState } from '../../observe/metrics.ts';
import { SIDES } from '../../wire/side.ts';
import type { CallSession } from '../call-session.ts';

export interface SubscriptionCount {
  readonly role: KpmlRole;
  readonly state: KpmlSubscriptionState;
  readonly count: number;
}

const SUBSCRIPTION_KINDS: readonly Omit<SubscriptionCount, 'count'>[] = [
  { role: 'notifier', state: 'pending' },
  { role: 'notifier', state: 'active' },
  { role: 'subscriber', state: 'pending' },
  { role: 'subscriber', state: 'active' },
];

/** Live KPML subscriptions of `calls` by role and state; each kind is there, with 0 as well. */
export function countSubscriptions(
  calls: Iterable<{ readonly session: CallSession | undefined }>,
): readonly SubscriptionCount[] {
  const counts = SUBSCRIPTION_KINDS.map((kind) => ({ ...kind, count: 0 }));
  const add = (role: KpmlRole, state: string): void => {
    const kind = counts.find((item) => item.role === role && item.state === state);
    if (kind !== undefined) kind.count += 1;
  };
  for (const call of calls) {
    for (const side of SIDES) {
      const held = call.session?.dtmf.subscriptions(side);
      for (const { state } of held?.notifier ?? []) add('notifier', state);
      for (const { state } of held?.separate ?? []) add('notifier', state);
      const own = held?.subscriber;
      if (own === 'active' || own === 'refreshing') add('subscriber', 'active');
      if (own === 'subscribing' || own === 'confirming') add('subscriber', 'pending');
    }
  }
  return counts;
}
