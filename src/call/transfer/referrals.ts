/**
 * REFER in the dialogs of a call, by what `refer` says for the side it comes from.
 *
 *   reject   603
 *   local    carried out here: transfer.ts
 *   relay    REFER crosses to the other leg, with a Refer-To that leads through us; the NOTIFYs of the subscription that
 *            it makes (RFC 3515 §2.4.4) cross back until one says `terminated`
 *
 * A Replaces in Refer-To names a leg of the referrer in another call of ours. The other leg must not see that name, nor
 * those of the far leg; it gets one that stands for the leg when its INVITE comes to us, where Refer-To leads.
 */
import type { SipDialog } from '../../sip/dialog.ts';
import type { ReceivedRequest } from '../../sip/sip-connection.ts';
import {
  formatEvent,
  formatSubscriptionState,
  isMediaType,
  parseEvent,
  parseSubscriptionState,
  type SubscriptionState,
} from '../../wire/event-headers.ts';
import { formatReferTo, formatSipfrag, parseSipfrag, SIPFRAG_TYPE } from '../../wire/refer.ts';
import type { Replaces } from '../../wire/replaces.ts';
import { phraseOf } from '../../wire/sip-phrases.ts';
import { parseCSeq } from '../../wire/sip-headers.ts';
import { getHeader, type SipMessage } from '../../wire/sip-message.ts';
import { otherSide, type Side } from '../../wire/side.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { CallSession } from '../call-session.ts';
import { crossing, leaving } from '../headers/header-crossing.ts';
import { namesOf, shows } from '../headers/header-topology.ts';
import { type MidCallRelay, RETRY_SOON } from '../mid-call/mid-call-relay.ts';
import { refusal, relayed } from '../mid-call/mid-call-messages.ts';
import { ReferSubscriptions, type RelayedRefer } from './refer-subscriptions.ts';
import { readRefer, targetThroughUs } from './refer-target.ts';
import type { LendingCall, NamedLeg, TransferHost } from './transfer-host.ts';

/** A REFER that can be followed. */
interface Referral {
  readonly request: ReceivedRequest;
  readonly uri: string;
  readonly replaced: NamedLeg | undefined;
}

/** What a NOTIFY for `refer` says. */
interface Report {
  readonly id: string | undefined;
  readonly state: SubscriptionState;
  readonly fragment: string;
}

export class Referrals {
  readonly #session: CallSession;
  readonly #relay: MidCallRelay;
  readonly #host: TransferHost;
  readonly #call: LendingCall;
  readonly #subscriptions = new ReferSubscriptions();
  /** Dialogs in which a REFER has come. */
  readonly #referred = new WeakSet<SipDialog>();

  constructor(
    session: CallSession,
    relay: MidCallRelay,
    transfers: { readonly host: TransferHost; readonly call: LendingCall },
  ) {
    this.#session = session;
    this.#relay = relay;
    this.#host = transfers.host;
    this.#call = transfers.call;
  }

  /** Takes a REFER of `side`; it is answered in every case. */
  async receive(side: Side, dialog: SipDialog, request: ReceivedRequest): Promise<void> {
    const policy = this.#session.legs[side].settings.refer.value;
    if (policy === 'reject') {
      dialog.respond(request, 603);
      return;
    }
    if (!this.#call.isTalking) {
      dialog.respond(request, 500, { headers: RETRY_SOON });
      return;
    }
    const target = readRefer(request.message);
    if (target.type === 'refused') {
      dialog.respond(request, target.status);
      return;
    }
    const { uri, replaces } = target;
    const replaced = replaces === undefined ? undefined : this.#legOfReferrer(side, replaces);
    if (replaces !== undefined && replaced === undefined) {
      dialog.respond(request, 603);
      return;
    }
    if (policy === 'relay') {
      await this.#pass(side, dialog, { request, uri, replaced });
      return;
    }
    const isNamed = this.#referred.has(dialog);
    this.#referred.add(dialog);
    const call = this.#call;
    this.#host.start({ call, referrer: side, dialog, request, target: uri, replaced, isNamed });
  }

  /** Takes a NOTIFY for `refer` of `side`; it is answered in every case. */
  async receiveNotify(side: Side, dialog: SipDialog, request: ReceivedRequest): Promise<void> {
    const report = readReport(request.message);
    if (report === undefined) {
      dialog.respond(request, 400);
      return;
    }
    const refer = this.#subscriptions.find(side, report.id);
    const told = refer === undefined ? undefined : this.#session.legs[refer.from].dialog;
    if (refer === undefined || told === undefined) {
      dialog.respond(request, 481);
      return;
    }
    if (report.state.state === 'terminated') this.#subscriptions.end(refer);
    const response = await told.request('NOTIFY', this.#notifyOptions(request, refer, report));
    if (response.status < 300) {
      dialog.respond(request, 200);
      return;
    }
    // Only the subscription is gone, not the call (RFC 5057 §5.1).
    this.#subscriptions.end(refer);
    const path = this.#relay.path(refer.from);
    dialog.respond(request, response.status, refusal(response.message, path));
  }

  /** The leg of another call that `replaces` names, if the referrer is at its end. */
  #legOfReferrer(side: Side, replaces: Replaces): NamedLeg | undefined {
    const found = this.#host.find(replaces);
    if (found === undefined || found.call.id === this.#call.id || !found.call.isTalking) {
      return undefined;
    }
    const own = this.#session.legs[side];
    const named = found.call.session?.legs[found.side];
    const isSameParty =
      named?.sipInterface.name === own.sipInterface.name && named.agent?.name === own.agent?.name;
    return isSameParty ? found : undefined;
  }

  async #pass(side: Side, dialog: SipDialog, referral: Referral): Promise<void> {
    const { request } = referral;
    const other = this.#session.legs[otherSide(side)].dialog;
    const referTo = other === undefined ? undefined : this.#referTo(side, other, referral);
    if (other === undefined || referTo === undefined) {
      dialog.respond(request, 603);
      return;
    }
    const path = this.#relay.path(side);
    const options = relayed(request.message, path);
    const refer = this.#subscriptions.begin(side, cseqOf(request.message));
    const response = await other.request('REFER', {
      ...options,
      headers: leaving(
        { ...options.headers, 'Refer-To': referTo, ...subscriptionWishes(request.message) },
        path.to,
        { method: 'REFER' },
      ),
      onSent: ({ message }) => {
        refer.farCseq = message === undefined ? undefined : cseqOf(message);
      },
    });
    const { status, message } = response;
    if (status >= 300 || message === undefined) {
      this.#subscriptions.end(refer);
      this.#relay.refuse(side, dialog, { request, response });
      return;
    }
    const { 'Refer-Sub': answer } = subscriptionWishes(message);
    if (answer === 'false') this.#subscriptions.end(refer);
    const { headers, ...rest } = relayed(message, this.#relay.path(otherSide(side)));
    const wish = answer === undefined ? {} : { 'Refer-Sub': answer };
    dialog.respond(request, status, { ...rest, headers: { ...headers, ...wish } });
  }

  #referTo(side: Side, other: SipDialog, { request, uri, replaced }: Referral): string | undefined {
    const names = namesOf(request.message, this.#session.legs[side]);
    const target = targetThroughUs(uri, other.identity.localContact, names);
    if (target === undefined) return undefined;
    if (replaced === undefined) return formatReferTo(target);
    return formatReferTo(target, this.#host.nameOf(replaced));
  }

  #notifyOptions(
    { message }: ReceivedRequest,
    refer: RelayedRefer,
    { id, state, fragment }: Report,
  ): { headers: Record<string, string>; body: string } {
    const path = this.#relay.path(otherSide(refer.from));
    const crossed = crossing(message, path);
    const { status, reason } = parseSipfrag(fragment) ?? { status: 100, reason: 'Trying' };
    const named = id === undefined ? {} : { id: String(refer.cseq) };
    const headers = {
      ...crossed.headers,
      Event: formatEvent({ eventType: 'refer', ...named }),
      'Subscription-State': formatSubscriptionState(state),
      'Content-Type': SIPFRAG_TYPE,
    };
    const phrase = shows(reason, crossed.names) ? phraseOf(status) : reason;
    return {
      headers: leaving(headers, path.to, { method: 'NOTIFY' }),
      body: formatSipfrag({ status, reason: phrase }),
    };
  }
}

function cseqOf(message: SipMessage): number {
  return parseCSeq(getHeader(message, 'CSeq') ?? '').number;
}

/** Whether the subscription is wanted at all (RFC 4488 §4). */
function subscriptionWishes(message: SipMessage): { 'Refer-Sub'?: string } {
  const wish = /^\s*(true|false)\s*(?:;|$)/i.exec(getHeader(message, 'Refer-Sub') ?? '')?.[1];
  return wish === undefined ? {} : { 'Refer-Sub': wish.toLowerCase() };
}

/** `undefined` when something in the NOTIFY cannot be read. */
function readReport(message: SipMessage): Report | undefined {
  const fragment = message.body.toString();
  const isReadable = isMediaType(getHeader(message, 'Content-Type'), 'message/sipfrag');
  if (fragment !== '' && !(isReadable && parseSipfrag(fragment) !== undefined)) return undefined;
  try {
    const { id } = parseEvent(getHeader(message, 'Event') ?? '');
    const state = parseSubscriptionState(getHeader(message, 'Subscription-State') ?? '');
    return { id, state, fragment };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
