/**
 * Requests inside the dialogs of a call, relayed from one leg to the other.
 *
 *   INVITE, UPDATE, PRACK with SDP
 *                             offer -> session -> other leg -> answer -> session -> back; one at a time, else 491;
 *                             before both legs are acknowledged it waits a moment, then gets 491
 *   SUBSCRIBE, NOTIFY         the DTMF interworking
 *   INFO with a digit         the DTMF interworking, which may have it relayed
 *   INFO, MESSAGE             relayed as they are
 *   REFER, NOTIFY for refer   referrals.ts
 *   OPTIONS, UPDATE alone     answered here: they ask about this leg only
 *
 * The same in early dialogs, but for offers: the one of the INVITE is still open, on both legs (RFC 3311 §5.2), unless
 * reliable 18x have brought the answer to both ends.
 *
 * A leg that answers 481 or 408 has lost the dialog: the call ends (RFC 5057 §5.1).
 */
import { getHeader } from '../../wire/sip-message.ts';
import type { Side } from '../../wire/side.ts';
import type { DialogResponse, SipDialog } from '../../sip/dialog.ts';
import { eventTypeOf, REFER_PACKAGE } from '../../sip/event-type.ts';
import type { ReceivedRequest } from '../../sip/sip-connection.ts';
import { ALLOWED_METHODS, requiredExtensions } from '../../sip/stray-requests.ts';
import { bodyOf, type CallSession } from '../call-session.ts';
import type { MidCallHost } from './mid-call-host.ts';
import { MidCallRelay } from './mid-call-relay.ts';
import { Referrals } from '../transfer/referrals.ts';
import { Renegotiation } from './renegotiation.ts';
import { repeatDescription } from './session-refresh.ts';

export class MidCall {
  /** Offers in the dialogs, one at a time; who offers for the SBC itself takes its lock. */
  readonly renegotiation: Renegotiation;
  readonly #session: CallSession;
  readonly #host: MidCallHost;
  readonly #relay: MidCallRelay;
  readonly #referrals: Referrals;

  constructor(session: CallSession, host: MidCallHost) {
    this.#session = session;
    this.#host = host;
    this.#relay = new MidCallRelay(session, host);
    this.#referrals = new Referrals(session, this.#relay, host.transfers);
    this.renegotiation = new Renegotiation(session, host, this.#relay);
  }

  /** Both legs are acknowledged; `untold` is what the caller answered when the callee had its own answer already. */
  joined(untold?: string): void {
    this.renegotiation.joined(untold);
  }

  /** Refreshes the session of `side` by INVITE; `undefined` when that cannot be done now. */
  repeat(side: Side): Promise<DialogResponse | undefined> {
    const repeat = (): ReturnType<typeof repeatDescription> =>
      repeatDescription(this.#session, side);
    return this.renegotiation.exclusively('INVITE', repeat);
  }

  /** The call is over: nothing waits any more, an answered offer gets its ACK. */
  end(): void {
    this.renegotiation.end();
  }

  /** An ACK of `side` arrived; it matters when it carries the answer to a delayed offer. */
  acknowledged(side: Side, body: string, cseq: number | undefined): void {
    this.renegotiation.acknowledged(side, body, cseq);
  }

  /** Takes a request that came in `dialog` of `side`; it is answered here in every case. */
  receive(side: Side, dialog: SipDialog, request: ReceivedRequest): void {
    const required = requiredExtensions(request.message);
    if (required.length > 0) {
      dialog.respond(request, 420, { headers: { Unsupported: required.join(', ') } });
      return;
    }
    switch (request.message.method) {
      case 'INVITE':
      case 'UPDATE':
        this.#host.guarded(() => this.renegotiation.receive(side, dialog, request));
        return;
      case 'PRACK':
        this.#host.guarded(() => this.#prack(side, dialog, request));
        return;
      case 'SUBSCRIBE':
        this.#subscribe(side, dialog, request);
        return;
      case 'REFER':
        this.#host.guarded(() => this.#referrals.receive(side, dialog, request));
        return;
      case 'NOTIFY':
        if (eventTypeOf(request.message) === REFER_PACKAGE) {
          this.#host.guarded(() => this.#referrals.receiveNotify(side, dialog, request));
          return;
        }
        this.#session.dtmf.receiveNotify(side, dialog, request, isKpml(request));
        return;
      case 'INFO': {
        const verdict = this.#session.dtmf.receiveInfo(side, dialog, request);
        if (verdict.type === 'relay') this.#pass(side, dialog, request, verdict.onAnswer);
        return;
      }
      case 'MESSAGE':
        this.#pass(side, dialog, request);
        return;
      case 'OPTIONS':
        dialog.respond(request, 200, { headers: { Allow: ALLOWED_METHODS } });
        return;
      default:
        dialog.respond(request, 405, { headers: { Allow: ALLOWED_METHODS } });
    }
  }

  /** Relays INFO or MESSAGE; those with `onAnswer` are digits, which have switches of their own. */
  #pass(
    side: Side,
    dialog: SipDialog,
    ...[request, onAnswer]: [ReceivedRequest, ((response: DialogResponse) => void)?]
  ): void {
    const { method } = request.message;
    const { inDialogInfo, inDialogMessage } = this.#session.legs[side].settings;
    const policy = method === 'INFO' ? inDialogInfo : inDialogMessage;
    if (policy.value === 'reject' && onAnswer === undefined) {
      const allowed = ALLOWED_METHODS.split(', ').filter((other) => other !== method);
      dialog.respond(request, 405, { headers: { Allow: allowed.join(', ') } });
      return;
    }
    this.#host.guarded(() => this.#relay.relay(side, dialog, request, onAnswer));
  }

  #subscribe(side: Side, dialog: SipDialog, request: ReceivedRequest): void {
    if (!isKpml(request)) {
      dialog.respond(request, 489, { headers: { 'Allow-Events': 'kpml' } });
      return;
    }
    this.#session.dtmf.receiveSubscribe(side, dialog, request);
  }

  /** The PRACK may bring a further offer (RFC 3262 §5). */
  async #prack(side: Side, dialog: SipDialog, request: ReceivedRequest): Promise<void> {
    // What the PRACK confirms is confirmed in any case, and an offer in it may be the first one that can be passed on.
    if (bodyOf(request.message) === undefined) dialog.respond(request, 200);
    if (side === 'caller') this.#host.pracked();
    if (bodyOf(request.message) !== undefined)
      await this.renegotiation.receive(side, dialog, request);
  }
}

/** Event types are compared byte by byte (RFC 6665 §8.2.1); the parameters are the machine's concern. */
function isKpml(request: ReceivedRequest): boolean {
  const eventType = (getHeader(request.message, 'Event') ?? '').split(';', 1)[0] ?? '';
  return eventType.trim() === 'kpml';
}
