import { setTimeout as sleep } from 'node:timers/promises';
import type { FeatureWatcher } from '../feature-keys/feature-service.ts';

/** How many of `watchers` have answered all that is due to them by now, at most after `seconds`. */
export async function deliveredWithin(
  watchers: readonly FeatureWatcher[],
  seconds: number,
): Promise<number> {
  let delivered = 0;
  const told = watchers.map(async (watcher) => {
    if (await watcher.whenTold()) delivered += 1;
  });
  const limit = new AbortController();
  const late = sleep(seconds * 1000, undefined, { signal: limit.signal }).catch(() => undefined);
  await Promise.race([Promise.allSettled(told), late]);
  limit.abort();
  return delivered;
}
