/** Bounded waiting for real sockets: every wait ends, and a wait that fails says what it waited for. */

export interface WaitOptions {
  readonly timeoutMs?: number;
  /** Added to the message of a failed wait, read only then. */
  readonly details?: () => string;
}

type Found<T> = T | undefined | false;

const POLL_MS = 4;
/** How long the tests wait for what must come: a bound for the case that it never does, not a claim about speed. */
export const PATIENCE_MS = 20_000;

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Asks `probe` until it gives something other than `undefined` or `false`, or a promise of it, and returns that.
 *
 * @throws Error naming `what` after `timeoutMs` (default `PATIENCE_MS`).
 */
export async function waitFor<T>(
  what: string,
  probe: () => Found<T> | Promise<Found<T>>,
  options: WaitOptions = {},
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? PATIENCE_MS;
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() >= deadlineMs) {
      const details = options.details?.() ?? '';
      throw new Error(`no ${what} within ${timeoutMs} ms${details === '' ? '' : `\n${details}`}`);
    }
    await sleep(POLL_MS);
  }
}

/** Gives what `promise` gives, or fails naming `what` after `timeoutMs`. */
export async function within<T>(
  what: string,
  promise: Promise<T>,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no ${what} within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
