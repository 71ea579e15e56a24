/**
 * All subscriptions of one leg with their NOTIFY queues: what a document reports becomes a NOTIFY here,
 * and the fate of each press is told once.
 *
 * A queue outlives its subscription until the last NOTIFY is answered, so that a successor with the same
 * Event id speaks after it.
 */

import { formatEvent, formatSubscriptionState } from '../wire/event-headers.ts';
import { KPML_PACKAGE, KPML_RESPONSE_TYPE } from '../wire/kpml.ts';
import { formatKpmlResponse, KPML_TEXTS } from '../wire/kpml-response.ts';
import type { KpmlCode } from '../wire/kpml-response.ts';
import type { NotifierOutput } from './kpml-notifier-output.ts';
import { KpmlNotifyQueue } from './kpml-notify-queue.ts';
import type { QueuedNotify } from './kpml-notify-queue.ts';
import type { KpmlPress, PressDropReason } from './kpml-press.ts';
import { earliest } from './kpml-subscription.ts';
import type { KpmlSubscription, SubscriptionOutput } from './kpml-subscription.ts';

/** What a kpml-response says, apart from what is always the same. */
export interface KpmlReport {
  readonly code: KpmlCode;
  readonly digits?: string;
  readonly tag?: string | undefined;
  readonly isForcedFlush?: boolean;
}

type Report = Extract<SubscriptionOutput, { type: 'report' }>;

export class KpmlSubscriptionBook {
  readonly #subscriptions = new Map<string, KpmlSubscription>();
  readonly #queues = new Map<string, KpmlNotifyQueue>();

  get all(): KpmlSubscription[] {
    return [...this.#subscriptions.values()];
  }

  /** The earliest moment at which a subscription, a timer or a queue has something to do. */
  get expiresAtMs(): number | undefined {
    let atMs: number | undefined;
    for (const subscription of this.#subscriptions.values()) {
      atMs = earliest(atMs, earliest(subscription.expiresAtMs, subscription.keysExpireAtMs));
    }
    for (const queue of this.#queues.values()) atMs = earliest(atMs, queue.expiresAtMs);
    return atMs;
  }

  get(id: string): KpmlSubscription | undefined {
    return this.#subscriptions.get(id);
  }

  add(subscription: KpmlSubscription): void {
    this.#subscriptions.set(subscription.id, subscription);
  }

  /** Whether no NOTIFY waits to be sent or answered. */
  get isIdle(): boolean {
    return [...this.#queues.values()].every((queue) => queue.isIdle);
  }

  /** Reports that wait for their turn. */
  waitingCount(id: string): number {
    return this.#queueOf(id).waitingCount;
  }

  /** Queues a NOTIFY without body that tells the present state. */
  announce(subscription: KpmlSubscription): void {
    this.#push({ subscription, state: { state: subscription.state }, body: '', presses: [] });
  }

  /** Queues the last NOTIFY of a subscription, which need not be in the book, and forgets it. */
  terminate(
    subscription: KpmlSubscription,
    last: {
      readonly reason: string;
      readonly report?: KpmlReport;
      readonly presses?: readonly KpmlPress[];
    },
  ): NotifierOutput[] {
    const { reason, report, presses = [] } = last;
    const state = { state: 'terminated', reason };
    const body = report === undefined ? '' : bodyOf(report);
    this.#push({ subscription, state, body, presses });
    return this.#forget(subscription, presses);
  }

  /** Queues what a document reports; a one-shot subscription ends with it. */
  settle(subscription: KpmlSubscription, outputs: readonly SubscriptionOutput[]): NotifierOutput[] {
    return outputs.flatMap((output) => {
      if (output.type === 'discarded')
        return drop(
          output.keys.map((key) => key.press),
          output.reason,
        );
      if (subscription.request?.persist === 'one-shot') return this.#finish(subscription, output);
      this.#push({ subscription, state: { state: subscription.state }, ...contentOf(output) });
      return [];
    });
  }

  /**
   * Ends a subscription whose time is over: with the report that is due, else with what was collected
   * (RFC 4730 §4.8).
   */
  timeOut(
    subscription: KpmlSubscription,
    outputs: readonly SubscriptionOutput[],
  ): NotifierOutput[] {
    const last = outputs.findLast((output) => output.type === 'report');
    const earlier = this.settle(
      subscription,
      outputs.filter((output) => output !== last),
    );
    if (last !== undefined) return [...earlier, ...this.#finish(subscription, last, 'timeout')];
    const presses = [...subscription.presses];
    const digits = presses.map((press) => press.key).join('');
    const report = { code: 487, digits } as const;
    return [...earlier, ...this.terminate(subscription, { reason: 'timeout', report, presses })];
  }

  /** Everything is over at once: the last NOTIFYs do not wait for their turn. */
  closeAll(nowMs: number): NotifierOutput[] {
    const outputs: NotifierOutput[] = [];
    for (const queue of this.#queues.values()) outputs.push(...dropWaiting(queue.takeBack()));
    this.#queues.clear();
    for (const subscription of this.all) {
      outputs.push(...this.#forget(subscription, []));
      const state = { state: 'terminated', reason: 'noresource' };
      const body = bodyOf({ code: 481 });
      outputs.push(formatNotify({ subscription, state, body, presses: [] }, nowMs));
    }
    return outputs;
  }

  /** The NOTIFYs whose turn it is. */
  send(nowMs: number): NotifierOutput[] {
    const outputs: NotifierOutput[] = [];
    for (const [id, queue] of this.#queues) {
      const notify = queue.next(nowMs);
      if (notify !== undefined) {
        for (const press of notify.presses) press.report();
        outputs.push(formatNotify(notify, nowMs));
      } else if (queue.isIdle && !this.#subscriptions.has(id)) {
        this.#queues.delete(id);
      }
    }
    return outputs;
  }

  /** The NOTIFY out for `id` got its final answer, which may end the subscription it was for. */
  answered(
    id: string,
    answer: { readonly isFatal: boolean; readonly pauseMs: number },
    nowMs: number,
  ): NotifierOutput[] {
    const queue = this.#queues.get(id);
    const subscription = queue?.answered(nowMs, answer.pauseMs);
    if (queue === undefined || subscription === undefined || !answer.isFatal) return [];
    const outputs = dropWaiting(queue.takeBack(subscription));
    return [...outputs, ...this.#forget(subscription, [])];
  }

  #finish(subscription: KpmlSubscription, report: Report, reason?: string): NotifierOutput[] {
    const state = { state: 'terminated', ...(reason === undefined ? {} : { reason }) };
    this.#push({ subscription, state, ...contentOf(report) });
    return this.#forget(subscription, []);
  }

  /** Takes a subscription out of the book; keys it still holds are lost, those of `reported` are not. */
  #forget(subscription: KpmlSubscription, reported: readonly KpmlPress[]): NotifierOutput[] {
    if (this.#subscriptions.get(subscription.id) !== subscription) return [];
    this.#subscriptions.delete(subscription.id);
    const lost = subscription.presses.filter((press) => !reported.includes(press));
    return drop(lost, 'subscription-ended');
  }

  #push(notify: QueuedNotify): void {
    this.#queueOf(notify.subscription.id).push(notify);
  }

  #queueOf(id: string): KpmlNotifyQueue {
    const queue = this.#queues.get(id) ?? new KpmlNotifyQueue();
    this.#queues.set(id, queue);
    return queue;
  }
}

function contentOf(report: Report): { body: string; presses: KpmlPress[] } {
  const digits = report.digits.map(({ key }) => key).join('');
  return {
    body: bodyOf({ ...report, digits }),
    presses: report.keys.map(({ press }) => press),
  };
}

function bodyOf(report: KpmlReport): string {
  const { code, digits, tag, isForcedFlush = false } = report;
  return formatKpmlResponse({
    code,
    text: KPML_TEXTS[code],
    ...(digits === undefined ? {} : { digits }),
    ...(tag === undefined ? {} : { tag }),
    // Keys are never taken out of the audio here, whatever `pre` asked for.
    isSuppressed: false,
    isForcedFlush,
  });
}

function formatNotify(notify: QueuedNotify, nowMs: number): NotifierOutput {
  const { subscription, state, body, presses } = notify;
  const { id, expiresAtMs } = subscription;
  const expiresSeconds = Math.max(1, Math.floor((expiresAtMs - nowMs) / 1000));
  const stateNow = state.state === 'terminated' ? state : { ...state, expiresSeconds };
  return {
    type: 'notify',
    subscriptionId: id,
    headers: {
      Event: formatEvent({ eventType: KPML_PACKAGE, ...(id === '' ? {} : { id }) }),
      'Subscription-State': formatSubscriptionState(stateNow),
      ...(body === '' ? {} : { 'Content-Type': KPML_RESPONSE_TYPE }),
    },
    body,
    pressIds: presses.map((press) => press.pressId),
  };
}

function dropWaiting(waiting: readonly QueuedNotify[]): NotifierOutput[] {
  return waiting.flatMap((notify) => drop(notify.presses, 'subscription-ended'));
}

function drop(presses: readonly KpmlPress[], reason: PressDropReason): NotifierOutput[] {
  return presses
    .filter((press) => press.drop())
    .map((press) => ({ type: 'digitDropped', pressId: press.pressId, reason }));
}
