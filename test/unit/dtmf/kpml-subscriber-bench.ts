/** A notifier for tests of the subscriber: virtual time, answers by hand. */

import { KpmlSubscriber } from '../../../src/dtmf/kpml-subscriber.ts';
import type {
  KpmlNotify,
  KpmlSubscriberOptions,
  SubscribeResponse,
  SubscriberOutput,
} from '../../../src/dtmf/kpml-subscriber.ts';
import { KPML_RESPONSE_TYPE } from '../../../src/wire/kpml.ts';

/** A kpml-response as gateways send it. */
export function responseOf(digits: string | undefined, code = '200', extra = ''): string {
  const attribute = digits === undefined ? '' : ` digits="${digits}"`;
  return `<kpml-response version="1.0" code="${code}" text="x"${attribute}${extra}/>`;
}

export class SubscriberBench {
  readonly subscriber: KpmlSubscriber;
  readonly startMs = 1_000_000;
  nowMs = 1_000_000;
  /** What came out, in short; see {@link story}. */
  readonly #story: string[] = [];
  readonly subscribes: { headers: Record<string, string>; body: string; atMs: number }[] = [];
  readonly digits: string[] = [];
  readonly responses: { status: number; headers: Record<string, string> }[] = [];
  #cseq = 100;

  constructor(options: Partial<KpmlSubscriberOptions> = {}) {
    this.subscriber = new KpmlSubscriber({
      expiresSeconds: 7200,
      flash: false,
      tolerateMissingState: false,
      random: () => 0.5,
      ...options,
    });
  }

  start(): this {
    this.take(this.subscriber.start(this.nowMs));
    return this;
  }

  stop(): this {
    this.take(this.subscriber.stop(this.nowMs));
    return this;
  }

  abandon(): this {
    this.take(this.subscriber.abandon());
    return this;
  }

  /** The peer answers the SUBSCRIBE. */
  answer(status: number, headers: Omit<SubscribeResponse, 'status'> = {}): this {
    this.take(this.subscriber.receiveResponse({ status, ...headers }, this.nowMs));
    return this;
  }

  /** The peer sends a NOTIFY; returns the status of our answer. */
  notify(subscriptionState = 'active', body = '', more: Partial<KpmlNotify> = {}): number {
    const notify: KpmlNotify = {
      event: 'kpml',
      subscriptionState,
      contentType: body === '' ? undefined : KPML_RESPONSE_TYPE,
      body: Buffer.from(body),
      cseq: (this.#cseq += 1),
      ...more,
    };
    this.take(this.subscriber.receiveNotify(notify, this.nowMs));
    return this.responses.at(-1)?.status ?? 0;
  }

  /** Brings the subscription up. */
  active(): this {
    this.start().answer(200, { expires: '7200' }).notify('active;expires=7200');
    this.story();
    return this;
  }

  wait(ms: number): this {
    const endMs = this.nowMs + ms;
    for (;;) {
      const nextMs = this.subscriber.expiresAtMs ?? Infinity;
      if (nextMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      this.take(this.subscriber.expire(this.nowMs));
    }
    this.nowMs = endMs;
    return this;
  }

  /** Lets time pass until the next timer, if there is one. */
  waitForTimer(): this {
    return this.wait(Math.max(0, (this.subscriber.expiresAtMs ?? 0) - this.nowMs));
  }

  take(outputs: readonly SubscriberOutput[]): void {
    for (const output of outputs) {
      switch (output.type) {
        case 'subscribe':
          this.subscribes.push({ headers: output.headers, body: output.body, atMs: this.nowMs });
          this.#story.push(`SUBSCRIBE ${output.headers['Expires'] ?? '?'}`);
          break;
        case 'respond':
          this.responses.push({ status: output.status, headers: output.headers });
          break;
        case 'digits':
          this.digits.push(output.digits.join(''));
          this.#story.push(`"${output.digits.join('')}"`);
          break;
        case 'ignoredDigits':
          this.#story.push(`${output.reason} "${output.characters}"`);
          break;
        case 'state':
          this.#story.push(`${output.state}: ${output.reason}`);
          break;
      }
    }
  }

  /** What happened since the last call, answers to NOTIFY left out. */
  story(): string[] {
    return this.#story.splice(0);
  }
}
