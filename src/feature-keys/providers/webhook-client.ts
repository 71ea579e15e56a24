/** Sends operations to a webhook: signed, tried again, and spared while it fails. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from 'node:http';
import type { ProviderContext } from '../feature-state.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { type AttemptResult, postOnce } from './webhook-attempt.ts';
import { webhookSignature } from './webhook-signature.ts';

const BREAKER = { failures: 5, pauseMs: 10_000 };
/** Pauses before the second and the third attempt, each up to a fifth longer or shorter. */
const RETRY_DELAYS_MS: readonly number[] = [100, 400];
const JITTER = 0.2;
const RETRIED = new Set([429, 502, 503, 504]);

/** Nothing usable came from the webhook. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError';
}

export interface WebhookAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface WebhookOptions {
  readonly url: URL;
  readonly agent: Agent;
  readonly secrets: readonly string[];
  /** Bearer token; empty: none. */
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** The circuit opened or closed. */
  readonly onCircuit: (isOpen: boolean) => void;
}

interface Delivery {
  readonly body: string;
  readonly signal: AbortSignal;
  /** Pause before each further attempt. */
  readonly retries: readonly number[];
  /** On the clock of `performance`. */
  readonly endsAtMs: number;
}

export class WebhookClient {
  readonly #options: WebhookOptions;
  readonly #breaker = new CircuitBreaker(BREAKER);
  /** Ends when the probing request does. */
  #probe: Promise<unknown> = Promise.resolve();

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /**
   * Sends one operation, again under the same delivery id where that may help and time is left.
   *
   * @throws WebhookError when no answer came, or one that says that the webhook itself is in trouble.
   */
  async send(body: string, context: ProviderContext): Promise<WebhookAnswer> {
    const endsAtMs = performance.now() + context.deadlineMs;
    const admission = await this.#admit(context.signal);
    const retries = admission === 'probe' ? [] : RETRY_DELAYS_MS;
    const sending = this.#tryHard({ body, retries, endsAtMs, signal: context.signal });
    if (admission === 'probe') this.#probe = sending;
    const result = await sending;
    const answer = usable(result);
    const wasOpen = this.#breaker.isOpen;
    if (answer === undefined) this.#breaker.failed(admission, performance.now());
    else this.#breaker.succeeded(admission);
    if (this.#breaker.isOpen !== wasOpen) this.#options.onCircuit(this.#breaker.isOpen);
    if (answer === undefined) throw new WebhookError(describe(result));
    return answer;
  }

  async #admit(signal: AbortSignal): Promise<'go' | 'probe'> {
    for (;;) {
      const admission = this.#breaker.admit(performance.now());
      if (admission === 'go' || admission === 'probe') return admission;
      if (admission === 'refused') throw new WebhookError('the webhook failed too often just now');
      await this.#probe;
      if (signal.aborted) throw new WebhookError('the time was up');
    }
  }

  async #tryHard(delivery: Delivery): Promise<AttemptResult> {
    const { body, signal, retries, endsAtMs } = delivery;
    const deliveryId = randomUUID();
    for (let attempt = 0; ; attempt += 1) {
      const result = await this.#attempt(body, deliveryId, signal);
      const delayMs = retryDelayMs(result, retries[attempt], this.#options.nowMs());
      if (delayMs === undefined || performance.now() + delayMs >= endsAtMs) return result;
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return result;
    }
  }

  #attempt(body: string, deliveryId: string, signal: AbortSignal): Promise<AttemptResult> {
    const { url, agent, secrets, token, nowMs } = this.#options;
    const timestamp = String(Math.floor(nowMs() / 1000));
    const signature = webhookSignature(secrets, timestamp, body);
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      Accept: 'application/json',
      'User-Agent': 'Tonebridge',
      'X-DFKS-Delivery': deliveryId,
      'X-DFKS-Timestamp': timestamp,
      ...(signature === '' ? {} : { 'X-DFKS-Signature': signature }),
      ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
    };
    return postOnce({ url, agent, headers, body, signal });
  }
}

/** @returns `undefined`: it is not tried again. */
function retryDelayMs(
  result: AttemptResult,
  delayMs: number | undefined,
  nowMs: number,
): number | undefined {
  if (delayMs === undefined) return undefined;
  const jittered = delayMs * (1 + JITTER * (2 * Math.random() - 1));
  if (result.type === 'unreachable') return jittered;
  if (result.type !== 'answer' || !RETRIED.has(result.status)) return undefined;
  if (result.status !== 429 || result.retryAfter === undefined) return jittered;
  return Math.max(jittered, retryAfterMs(result.retryAfter, nowMs) ?? 0);
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function retryAfterMs(text: string, nowMs: number): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** An answer that speaks of the operation, whatever it says, is no sign that the webhook is in trouble. */
function usable(result: AttemptResult): WebhookAnswer | undefined {
  if (result.type !== 'answer' || result.status === 429 || result.status >= 500) return undefined;
  return { status: result.status, body: result.body };
}

function describe(result: AttemptResult): string {
  switch (result.type) {
    case 'answer':
      return `the webhook answered ${result.status}`;
    case 'unreachable':
      return `the webhook gave no answer: ${result.reason}`;
    case 'too-long':
      return 'the answer of the webhook is too long';
    case 'aborted':
  }
  return 'the time was up';
}
