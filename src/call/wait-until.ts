import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 10;

/** Waits until `isReached`, at most `limitMs`; gives what is left of that time, milliseconds. */
export async function waitUntil(isReached: () => boolean, limitMs: number): Promise<number> {
  const deadlineMs = performance.now() + limitMs;
  let leftMs = limitMs;
  while (leftMs > 0 && !isReached()) {
    await sleep(Math.min(LOOK_MS, leftMs));
    leftMs = deadlineMs - performance.now();
  }
  return Math.max(0, leftMs);
}
