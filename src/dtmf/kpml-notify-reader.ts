/** Reads a NOTIFY for our KPML subscription and says how it is answered. */

import { parseEvent, parseSubscriptionState } from '../wire/event-headers.ts';
import type { SubscriptionState } from '../wire/event-headers.ts';
import { KPML_PACKAGE, KPML_RESPONSE_TYPE, sipStatusOf } from '../wire/kpml.ts';
import { attempt } from '../wire/wire-error.ts';
import { kpmlKeysOf, parseKpmlResponse } from '../wire/kpml-response.ts';
import type { KpmlResponse } from '../wire/kpml-response.ts';
import type { SubscriberOutput } from './kpml-subscriber-output.ts';

/** A NOTIFY of the dialog, whatever its package. */
export interface KpmlNotify {
  readonly event?: string | undefined;
  readonly subscriptionState?: string | undefined;
  readonly contentType?: string | undefined;
  readonly body: Buffer;
  readonly cseq: number;
}

export interface ReadNotify {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** What holds of the subscription now; also known of a NOTIFY whose body was refused. */
  readonly state?: SubscriptionState;
  readonly response?: KpmlResponse;
}

/** Reads `notify`. Never throws. */
export function readNotify(
  notify: KpmlNotify,
  options: { readonly tolerateMissingState: boolean },
): ReadNotify {
  return attempt(
    () => {
      const wrongEvent = judgeEvent(notify.event);
      if (wrongEvent !== undefined) return refused(wrongEvent);
      const { subscriptionState } = notify;
      if (subscriptionState === undefined && !options.tolerateMissingState) return refused(400);
      return readBody(notify, parseSubscriptionState(subscriptionState ?? 'active'));
    },
    () => refused(400),
  );
}

/** Our subscription has no `id`, so one in a NOTIFY names another subscription (RFC 6665 §8.2.1). */
function judgeEvent(value: string | undefined): number | undefined {
  if (value === undefined) return 489;
  const event = parseEvent(value);
  if (event.eventType !== KPML_PACKAGE) return 489;
  return event.id === undefined ? undefined : 481;
}

function readBody(notify: KpmlNotify, state: SubscriptionState): ReadNotify {
  const accepted = { status: 200, headers: {}, state };
  if (notify.body.length === 0) return accepted;
  return attempt<ReadNotify>(
    () => ({ ...accepted, response: parseKpmlResponse(notify.body, notify.contentType) }),
    (error) => ({ ...refused(sipStatusOf(error)), state }),
  );
}

function refused(status: number): ReadNotify {
  return { status, headers: status === 415 ? { Accept: KPML_RESPONSE_TYPE } : {} };
}

/** What the keys of a response come to; only codes of success report any (RFC 4730 §4.9). */
export function digitOutputs(
  response: KpmlResponse,
  notifyCSeq: number,
  hasFlash: boolean,
): SubscriberOutput[] {
  if (response.code < 200 || response.code >= 300) return [];
  const { keys, unknown } = kpmlKeysOf(response.digits ?? '');
  const digits = keys.filter((key) => hasFlash || key !== 'R');
  const { isForcedFlush } = response;
  const outputs: SubscriberOutput[] =
    digits.length === 0 ? [] : [{ type: 'digits', digits, notifyCSeq, isForcedFlush }];
  return [
    ...outputs,
    ...ignored(unknown, 'unknown-character'),
    ...ignored('R'.repeat(keys.length - digits.length), 'flash-disabled'),
  ];
}

function ignored(
  characters: string,
  reason: 'unknown-character' | 'flash-disabled',
): SubscriberOutput[] {
  return characters === '' ? [] : [{ type: 'ignoredDigits', characters, reason }];
}
