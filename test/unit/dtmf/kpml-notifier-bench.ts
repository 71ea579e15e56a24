/** A subscriber for tests of the notifier: virtual time, NOTIFYs answered after a set delay. */

import { KpmlNotifier } from '../../../src/dtmf/kpml-notifier.ts';
import type {
  KpmlNotifierOptions,
  KpmlSubscribeRequest,
  NotifierOutput,
} from '../../../src/dtmf/kpml-notifier.ts';
import { KPML_REQUEST_TYPE, kpmlKeyOf } from '../../../src/wire/kpml.ts';
import { parseKpmlResponse } from '../../../src/wire/kpml-response.ts';

/** A NOTIFY in short: `[ms] active 200 "5" tag=x`. */
export interface SeenNotify {
  readonly atMs: number;
  readonly id: string;
  readonly event: string;
  /** Without the lifetime. */
  readonly state: string;
  readonly expiresSeconds: number | undefined;
  readonly code: number | undefined;
  readonly digits: string | undefined;
  readonly tag: string | undefined;
  readonly isForcedFlush: boolean | undefined;
  readonly body: string;
  readonly pressIds: readonly string[];
}

/** A document with one attribute string and regex elements from their text. */
export function documentOf(attributes: string, ...regexes: string[]): string {
  const elements = regexes.map((text) => (text.startsWith('<') ? text : `<regex>${text}</regex>`));
  return `<kpml-request version="1.0"><pattern ${attributes}>${elements.join('')}</pattern></kpml-request>`;
}

export const EVERY_KEY = documentOf('persist="persist"', '<regex tag="dtmf">[x*#ABCD]</regex>');

export class NotifierBench {
  readonly notifier: KpmlNotifier;
  nowMs = 1_000_000;
  readonly notifies: SeenNotify[] = [];
  readonly drops: { pressId: string; reason: string }[] = [];
  /** What the peer answers; `undefined` leaves NOTIFYs unanswered. */
  answer: { status: number; retryAfterSeconds?: number; afterMs: number } | undefined = {
    status: 200,
    afterMs: 5,
  };
  #answers: { atMs: number; id: string; status: number; retryAfterSeconds: number | undefined }[] =
    [];
  #pressCount = 0;

  constructor(options: KpmlNotifierOptions = {}) {
    this.notifier = new KpmlNotifier(options);
    this.take(this.notifier.setMode('active', this.nowMs));
  }

  /** A SUBSCRIBE; returns the answer to it. */
  subscribe(
    body: string | Buffer = EVERY_KEY,
    headers: Partial<Record<keyof KpmlSubscribeRequest, string | undefined>> = {},
  ): { status: number; headers: Record<string, string> } {
    const request = {
      event: 'kpml',
      expires: '7200',
      accept: undefined,
      contentType: body.length === 0 ? undefined : KPML_REQUEST_TYPE,
      ...headers,
      body: Buffer.from(body),
    };
    const [first, ...rest] = this.notifier.subscribe(request, this.nowMs);
    if (first?.type !== 'respond') throw new Error('expected the answer first');
    this.take(rest);
    return { status: first.status, headers: first.headers };
  }

  /** Presses keys at once, or `gapMs` apart; a key counts as down for 50 ms. */
  press(keys: string, gapMs = 0): void {
    for (const character of keys) {
      this.down(character);
      if (gapMs > 0) this.wait(gapMs);
    }
  }

  /** A key goes down; returns its id. */
  down(character: string, isFromSubscriber = false): string {
    const pressId = `${(this.#pressCount += 1)}:${character}`;
    const digit = kpmlKeyOf(character) ?? '0';
    this.take(this.notifier.press({ pressId, digit, isFromSubscriber }, this.nowMs));
    return pressId;
  }

  up(pressId: string, durationMs: number): void {
    const digit = kpmlKeyOf(pressId.at(-1) ?? '') ?? '0';
    this.take(this.notifier.release({ pressId, digit, durationMs }, this.nowMs));
  }

  /** Lets time pass; timers and answers happen in their order. */
  wait(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const answer = this.#answers[0];
      const timerMs = this.notifier.expiresAtMs ?? Infinity;
      const nextMs = Math.min(timerMs, answer?.atMs ?? Infinity);
      if (nextMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (answer !== undefined && answer.atMs <= timerMs) {
        this.#answers.shift();
        const { id, status, retryAfterSeconds } = answer;
        this.take(this.notifier.notifyAnswered(id, status, retryAfterSeconds, this.nowMs));
      } else {
        this.take(this.notifier.expire(this.nowMs));
      }
    }
    this.nowMs = endMs;
  }

  take(outputs: readonly NotifierOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'digitDropped') {
        this.drops.push({ pressId: output.pressId, reason: output.reason });
      } else if (output.type === 'notify') {
        this.notifies.push(seen(output, this.nowMs));
        if (this.answer === undefined) continue;
        const { afterMs, status, retryAfterSeconds } = this.answer;
        const atMs = this.nowMs + afterMs;
        this.#answers.push({ atMs, id: output.subscriptionId, status, retryAfterSeconds });
      }
    }
  }

  /** The NOTIFYs since the last call, each as `state code "digits"`. */
  story(): string[] {
    return this.notifies
      .splice(0)
      .map(({ state, code, digits }) =>
        [state, code, digits === undefined ? undefined : `"${digits}"`]
          .filter((part) => part !== undefined)
          .join(' '),
      );
  }

  /** Presses keys 100 ms apart and tells what the subscriber heard. */
  pressed(keys: string): string[] {
    this.press(keys, 100);
    this.wait(100);
    return this.story();
  }

  /** Everything reported so far, one key after the other. */
  get digits(): string {
    return this.notifies.map(({ digits }) => digits ?? '').join('');
  }
}

function seen(output: Extract<NotifierOutput, { type: 'notify' }>, nowMs: number): SeenNotify {
  const { headers, body } = output;
  const stateHeader = headers['Subscription-State'] ?? '';
  const expires = /;expires=(\d+)/.exec(stateHeader)?.[1];
  const response =
    body === '' ? undefined : parseKpmlResponse(Buffer.from(body), headers['Content-Type']);
  return {
    atMs: nowMs,
    id: output.subscriptionId,
    event: headers['Event'] ?? '',
    state: stateHeader.replace(/;expires=\d+/, ''),
    expiresSeconds: expires === undefined ? undefined : Number(expires),
    code: response?.code,
    digits: response?.digits,
    tag: response?.tag,
    isForcedFlush: response?.isForcedFlush,
    body,
    pressIds: output.pressIds,
  };
}
