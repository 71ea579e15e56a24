/** Proves that a test left nothing open: sockets, servers, timers, threads of this process before and after. */

import { afterEach, beforeEach } from 'vitest';
import { sleep } from './wait-for.ts';

/** How long closing may take to be done. */
const SETTLE_MS = 10_000;
const POLL_MS = 10;

/** Open resources by kind, as the event loop sees them. */
export type OpenResources = ReadonlyMap<string, number>;

export function openResources(): OpenResources {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** The kinds of which there are more than `before`, as `kind +count`. */
export function leakedResources(before: OpenResources): string[] {
  const leaked: string[] = [];
  for (const [kind, count] of openResources()) {
    const surplus = count - (before.get(kind) ?? 0);
    if (surplus > 0 && !IGNORED_KINDS.has(kind)) leaked.push(`${kind} +${surplus}`);
  }
  return leaked;
}

/**
 * Waits a bounded time until nothing is open that was not open before.
 *
 * @throws Error naming what is left.
 */
export async function expectNoLeak(before: OpenResources, settleMs = SETTLE_MS): Promise<void> {
  const deadlineMs = performance.now() + settleMs;
  for (;;) {
    const leaked = leakedResources(before);
    if (leaked.length === 0) return;
    if (performance.now() >= deadlineMs) throw new Error(`left open: ${leaked.join(', ')}`);
    await sleep(POLL_MS);
  }
}

/** Something a test opened and must give back. */
export interface Closable {
  close(): Promise<unknown>;
}

const toClose: Closable[] = [];

/** Hands `resource` to the check, which closes it after the running test (last opened, first closed). */
export function closeAfterTest<T extends Closable>(resource: T): T {
  toClose.push(resource);
  return resource;
}

/** Closes what the test handed over, then checks; for every test of the file that calls it. */
export function checkLeaksAfterEach(): void {
  let before: OpenResources = new Map();
  beforeEach(() => {
    before = openResources();
  });
  afterEach(async () => {
    for (const resource of toClose.splice(0).toReversed()) await resource.close();
    await expectNoLeak(before);
  });
}

/** One-shot requests of the runtime itself; none of them is held by a test. */
const IGNORED_KINDS = new Set(['Immediate', 'FSReqCallback', 'FSReqPromise', 'TickObject']);
