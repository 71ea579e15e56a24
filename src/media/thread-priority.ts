/** The place of a relay thread before other work of the machine: a packet waits for nobody who can wait. */

import { setPriority } from 'node:os';

/** Nine times the share of other work where both want the same core; signalling still has the rest. */
const NICENESS = -10;

/** Puts the calling thread first. Without the right to it (CAP_SYS_NICE, RLIMIT_NICE) all stays as it is. */
export function preferThisThread(): void {
  // Elsewhere 0 is not the thread but the process.
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, NICENESS);
  } catch {
    // Not permitted: latency under load is what it costs.
  }
}
