/** The SUBSCRIBE requests we send for KPML. */

import { formatEvent } from '../wire/event-headers.ts';
import type { DialogReference } from '../wire/event-headers.ts';
import { KPML_PACKAGE, KPML_REQUEST_TYPE, KPML_RESPONSE_TYPE } from '../wire/kpml.ts';
import { formatKpmlRequest, KPML_REQUEST_DEFAULTS } from '../wire/kpml-request.ts';
import type { SubscriberOutput } from './kpml-subscriber-output.ts';

export interface KpmlSubscriberOptions {
  /** Lifetime to ask for. */
  readonly expiresSeconds: number;
  /** Key R counts as hook flash; without it R is ignored. */
  readonly flash: boolean;
  /** Names the dialog in Event, seen from the peer: `localTag` is the peer's tag. */
  readonly eventParameters?: DialogReference | undefined;
  /** A NOTIFY without Subscription-State counts as active instead of being refused. */
  readonly tolerateMissingState: boolean;
  /** Numbers from 0 to 1 that spread the refreshes. */
  readonly random: () => number;
}

/** The peer's inter-digit timer never ends before the subscription, else some report idleness. */
const INTERDIGIT_MARGIN_SECONDS = 60;

/** Asks for every key, one at a time. A refresh carries the whole document too: some peers forget it. */
export function subscribeOutput(
  options: KpmlSubscriberOptions,
  expiresSeconds: number,
): SubscriberOutput {
  const text = options.flash ? '[x*#ABCDR]' : '[x*#ABCD]';
  const body = formatKpmlRequest({
    ...KPML_REQUEST_DEFAULTS,
    persist: 'persist',
    interDigitTimerMs: (expiresSeconds + INTERDIGIT_MARGIN_SECONDS) * 1000,
    regexes: [{ parts: [{ type: 'text', text }], tag: 'dtmf' }],
  });
  const headers = {
    Event: eventOf(options.eventParameters),
    Expires: String(expiresSeconds),
    Accept: KPML_RESPONSE_TYPE,
    'Content-Type': KPML_REQUEST_TYPE,
  };
  return { type: 'subscribe', headers, body };
}

/** Gives the subscription up; the peer answers with a last NOTIFY. */
export function unsubscribeOutput(options: KpmlSubscriberOptions): SubscriberOutput {
  const headers = {
    Event: eventOf(options.eventParameters),
    Expires: '0',
    Accept: KPML_RESPONSE_TYPE,
  };
  return { type: 'subscribe', headers, body: '' };
}

function eventOf(dialog: DialogReference | undefined): string {
  return formatEvent({ eventType: KPML_PACKAGE, ...(dialog === undefined ? {} : { dialog }) });
}
