/** Requests inside the dialogs that the other leg answers: relayed with their body as it is, the answer relayed back. */
import type { DialogResponse, SipDialog } from '../../sip/dialog.ts';
import type { ReceivedRequest } from '../../sip/sip-connection.ts';
import { otherSide, type Side } from '../../wire/side.ts';
import { callerStatus } from '../setup/attempt-failure.ts';
import type { CallSession } from '../call-session.ts';
import { type HeaderPath, pathFrom } from '../headers/header-crossing.ts';
import { isDamaged } from '../headers/header-policy.ts';
import type { MidCallHost } from './mid-call-host.ts';
import { refusal, relayed } from './mid-call-messages.ts';

/** For a request that only comes too early (RFC 3261 §21.5.1). */
export const RETRY_SOON = { 'Retry-After': '1' };

/** A request of one leg and what the other leg said to it. */
export interface RelayedExchange {
  readonly request: ReceivedRequest;
  readonly response: DialogResponse;
  /** One of the dialogs was early: it may go while the call goes on. */
  readonly isEarly?: boolean;
}

export class MidCallRelay {
  readonly #session: Pick<CallSession, 'legs'>;
  readonly #host: Pick<MidCallHost, 'end'>;

  constructor(session: Pick<CallSession, 'legs'>, host: Pick<MidCallHost, 'end'>) {
    this.#session = session;
    this.#host = host;
  }

  /** Relays a request of `side`; `onAnswer` hears the final answer of the other leg. */
  async relay(
    side: Side,
    dialog: SipDialog,
    ...[request, onAnswer]: [ReceivedRequest, ((response: DialogResponse) => void)?]
  ): Promise<void> {
    const other = this.#session.legs[otherSide(side)].reach;
    if (other === undefined) {
      dialog.respond(request, 500, { headers: RETRY_SOON });
      return;
    }
    if (isDamaged(request.message)) {
      dialog.respond(request, 415);
      return;
    }
    // An early dialog may go while the call goes on: another branch answers, or another hop is tried.
    const isEarly = dialog.isEarly || other.isEarly;
    const response = await other.request(
      request.message.method,
      relayed(request.message, this.path(side)),
    );
    onAnswer?.(response);
    if (response.status >= 300 || response.message === undefined) {
      this.refuse(side, dialog, { request, response, isEarly });
      return;
    }
    const options = relayed(response.message, this.path(otherSide(side)));
    dialog.respond(request, response.status, options);
  }

  /** The way of a message from one leg to the other. */
  path(from: Side): HeaderPath {
    return pathFrom(from, this.#session.legs);
  }

  /** Passes a refusal of the other leg on to `side`; an answered leg without dialog ends the call. */
  refuse(side: Side, dialog: SipDialog, exchange: RelayedExchange): void {
    const { request, response } = exchange;
    const { status, message } = response;
    const told = callerStatus(status);
    const { reason, ...options } = refusal(message, this.path(otherSide(side)));
    const phrase = told === status && reason !== undefined ? { reason } : {};
    dialog.respond(request, told, { ...options, ...phrase });
    if (exchange.isEarly !== true && (status === 481 || status === 408)) {
      this.#host.end({ name: 'dialog-lost', by: otherSide(side) });
    }
  }
}
