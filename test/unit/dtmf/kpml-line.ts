/** Our subscriber and our notifier at both ends of a network that delays but loses nothing, in virtual time. */
import { KpmlNotifier } from '../../../src/dtmf/kpml-notifier.ts';
import type { NotifierOutput } from '../../../src/dtmf/kpml-notifier.ts';
import { KpmlSubscriber } from '../../../src/dtmf/kpml-subscriber.ts';
import type { SubscriberOutput } from '../../../src/dtmf/kpml-subscriber.ts';
import { kpmlKeyOf } from '../../../src/wire/kpml.ts';

export class KpmlLine {
  readonly notifier = new KpmlNotifier({ flash: true });
  readonly subscriber: KpmlSubscriber;
  readonly heard: string[] = [];
  nowMs = 0;
  #cseq = 0;
  #delayMs: () => number;
  #deliveries: { atMs: number; run: () => void }[] = [];

  constructor(expiresSeconds: number, delayMs: () => number) {
    this.#delayMs = delayMs;
    this.subscriber = new KpmlSubscriber({
      expiresSeconds,
      flash: true,
      tolerateMissingState: false,
      random: () => 0.3,
    });
    this.#notifierDid(this.notifier.setMode('active', 0));
  }

  start(): void {
    this.#subscriberDid(this.subscriber.start(this.nowMs));
  }

  press(pressId: string, character: string): void {
    const digit = kpmlKeyOf(character) ?? '0';
    this.#notifierDid(this.notifier.press({ pressId, digit }, this.nowMs));
  }

  wait(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      this.#deliveries.sort((a, b) => a.atMs - b.atMs);
      const delivery = this.#deliveries[0]?.atMs ?? Infinity;
      const timer = Math.min(
        this.notifier.expiresAtMs ?? Infinity,
        this.subscriber.expiresAtMs ?? Infinity,
      );
      if (Math.min(delivery, timer) > endMs) break;
      this.nowMs = Math.max(this.nowMs, Math.min(delivery, timer));
      if (delivery <= timer) {
        this.#deliveries.shift()?.run();
      } else {
        this.#notifierDid(this.notifier.expire(this.nowMs));
        this.#subscriberDid(this.subscriber.expire(this.nowMs));
      }
    }
    this.nowMs = endMs;
  }

  #later(run: () => void): void {
    this.#deliveries.push({ atMs: this.nowMs + this.#delayMs(), run });
  }

  #subscriberDid(outputs: readonly SubscriberOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'digits') this.heard.push(...output.digits);
      if (output.type === 'subscribe') this.#later(() => this.#subscribe(output));
    }
  }

  #subscribe({ headers, body }: Extract<SubscriberOutput, { type: 'subscribe' }>): void {
    const request = {
      event: headers['Event'],
      expires: headers['Expires'],
      accept: headers['Accept'],
      contentType: headers['Content-Type'],
      body: Buffer.from(body),
    };
    const [answer, ...outputs] = this.notifier.subscribe(request, this.nowMs);
    if (answer?.type !== 'respond') throw new Error('expected the answer first');
    const { status } = answer;
    const expires = answer.headers['Expires'];
    this.#later(() =>
      this.#subscriberDid(this.subscriber.receiveResponse({ status, expires }, this.nowMs)),
    );
    this.#notifierDid(outputs);
  }

  #notifierDid(outputs: readonly NotifierOutput[]): void {
    for (const output of outputs) {
      if (output.type !== 'notify') continue;
      const notify = {
        event: output.headers['Event'],
        subscriptionState: output.headers['Subscription-State'],
        contentType: output.headers['Content-Type'],
        body: Buffer.from(output.body),
        cseq: (this.#cseq += 1),
      };
      this.#later(() => {
        const [answer, ...rest] = this.subscriber.receiveNotify(notify, this.nowMs);
        const status = answer?.type === 'respond' ? answer.status : 408;
        this.#later(() =>
          this.#notifierDid(
            this.notifier.notifyAnswered(output.subscriptionId, status, undefined, this.nowMs),
          ),
        );
        this.#subscriberDid(rest);
      });
    }
  }
}
