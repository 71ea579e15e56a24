/**
 * KPML between two ends that both speak it: SUBSCRIBE and NOTIFY cross from dialog to dialog.
 *
 *   subscriber's leg            SBC            notifier's leg
 *     | SUBSCRIBE kpml;id=1      |                  |
 *     |------------------------->|----------------->|   Event: call-id and tags of the other dialog
 *     |                 200      |<-----------------|
 *     |<-------------------------|                  |
 *     |                 NOTIFY   |<-----------------|   digits entered in the ledger
 *     |<-------------------------|                  |
 *     | 200                      |----------------->|
 */
import { formatEvent, matchDialog, parseEvent } from '../../wire/event-headers.ts';
import { kpmlKeysOf, parseKpmlResponse } from '../../wire/kpml-response.ts';
import { getHeader, type SipMessage } from '../../wire/sip-message.ts';
import { otherSide, type Side } from '../../wire/side.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { ReceivedRequest } from '../../sip/sip-connection.ts';
import type { DialogIdentity, SipDialog } from '../../sip/dialog.ts';
import type { CallLeg } from '../call-leg.ts';
import type { DigitJournal } from './digit-journal.ts';

/** Headers of SUBSCRIBE and NOTIFY that say nothing about a leg. */
const REQUEST_HEADERS = ['Expires', 'Accept', 'Subscription-State', 'Content-Type'];
const RESPONSE_HEADERS = ['Expires', 'Min-Expires', 'Retry-After', 'Allow-Events', 'Accept'];

export class KpmlRelay {
  readonly #legs: Readonly<Record<Side, Pick<CallLeg, 'dialog'>>>;
  readonly #journal: DigitJournal;

  constructor(legs: Readonly<Record<Side, Pick<CallLeg, 'dialog'>>>, journal: DigitJournal) {
    this.#legs = legs;
    this.#journal = journal;
  }

  /** Passes a SUBSCRIBE or NOTIFY of `side` on to the other leg and its answer back. */
  async relay(side: Side, dialog: SipDialog, request: ReceivedRequest): Promise<void> {
    const other = this.#legs[otherSide(side)].dialog;
    if (other === undefined || !other.isConfirmed) {
      dialog.respond(request, 500, { headers: { 'Retry-After': '1' } });
      return;
    }
    const { message } = request;
    const event = eventFor(message, dialog.identity, other.identity);
    if (event === undefined) {
      dialog.respond(request, 481);
      return;
    }
    const { method } = message;
    const pressIds = method === 'NOTIFY' ? this.#enterDigits(side, message) : [];
    const sentAtMs = this.#journal.nowMs();
    const headers = { Event: event, ...pick(message, REQUEST_HEADERS) };
    const body = message.body.length === 0 ? {} : { body: message.body.toString() };
    const response = await other.request(method, { headers, ...body });
    const { status, reason } = response;
    for (const pressId of pressIds) {
      this.#journal.sent(pressId, { type: 'notify', status, atMs: sentAtMs });
      if (status >= 300) this.#journal.drop(pressId, 'notify-failed');
    }
    const answer = response.message === undefined ? {} : pick(response.message, RESPONSE_HEADERS);
    dialog.respond(request, status, { reason, headers: answer });
  }

  /** A body that cannot be read is the subscriber's concern; it only has no digits for the ledger. */
  #enterDigits(side: Side, message: SipMessage): string[] {
    if (message.body.length === 0) return [];
    try {
      const { code, digits } = parseKpmlResponse(message.body, getHeader(message, 'Content-Type'));
      if (code < 200 || code >= 300) return [];
      const cseq = Number.parseInt(getHeader(message, 'CSeq') ?? '', 10);
      return kpmlKeysOf(digits ?? '').keys.map((key) =>
        this.#journal.enter(side, key, { type: 'notify', cseq }),
      );
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return [];
    }
  }
}

/**
 * The Event header for the other leg: `id` stays, what names the dialog is rewritten (RFC 4730 §4.2).
 *
 * @returns `undefined` when it names a dialog that is not the one it came in, or cannot be read.
 */
function eventFor(
  message: SipMessage & { readonly method?: string },
  from: DialogIdentity,
  to: DialogIdentity,
): string | undefined {
  try {
    const event = parseEvent(getHeader(message, 'Event') ?? '');
    if (event.dialog === undefined) return formatEvent(event);
    const isToNotifier = message.method === 'SUBSCRIBE';
    if (matchDialog(event.dialog, reference(from, !isToNotifier)) === 'other') return undefined;
    return formatEvent({ ...event, dialog: reference(to, isToNotifier) });
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** A dialog as KPML names it: the local tag is the notifier's, which is the peer's or ours. */
function reference(
  { callId, localTag, remoteTag }: DialogIdentity,
  isPeerNotifier: boolean,
): { callId: string; localTag: string; remoteTag: string } {
  return isPeerNotifier
    ? { callId, localTag: remoteTag, remoteTag: localTag }
    : { callId, localTag, remoteTag };
}

function pick(message: SipMessage, names: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of names) {
    const value = getHeader(message, name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}
