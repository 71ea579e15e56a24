/** What the answers of a callee, early and final, become for the caller while a call is set up. */
import type { SipDialog } from '../../sip/dialog.ts';
import type { InviteAnswer } from '../../sip/outgoing-invite.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { CallSession } from '../call-session.ts';
import { isShortOf } from '../offer/short-answer.ts';
import { type Crossing, isReliable } from './setup-messages.ts';

/** A response without session description, of which nothing is passed on that speaks of KPML. */
export const BARE: Crossing = { sdp: undefined, allowEvents: 'remove-kpml' };

/**
 * The answer in an 18x: final if either end gets it reliably, else a preview. One that cannot be read is left out, and so
 * is that of another branch than the one that settled the exchange.
 */
export function earlyCrossing(
  session: CallSession,
  response: SipResponse,
  { branch, isSentReliably }: { branch: SipDialog | undefined; isSentReliably: boolean },
): Crossing {
  const { early } = session;
  if (early.isSettled) {
    if (early.isSettledIn(branch)) return repeated(session, response);
    if (branch !== undefined && isReliable(response) && response.body.length > 0) {
      early.note(branch, response);
    }
    return BARE;
  }
  const isFinal = (isReliable(response) || isSentReliably) && response.body.length > 0;
  try {
    const forwarded = session.forwardAnswer('callee', response, isFinal);
    if (isFinal) {
      early.settle(branch, { isReliable: isReliable(response), isGiven: isSentReliably });
      if (branch !== undefined) session.dtmf.settled('callee', branch);
    }
    return forwarded;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return BARE;
  }
}

/**
 * The answer in the 200.
 *
 * @throws WireError when there is none, or none that can be used.
 */
export function finalCrossing(session: CallSession, { response, dialog }: InviteAnswer): Crossing {
  const { early } = session;
  if (early.isSettledIn(dialog)) return repeated(session, response);
  if (early.isSettled) session.reopenOffer();
  // The answer in a reliable 18x is the answer: the 200 need not repeat it, and cannot change it.
  const answered = early.answerOf(dialog);
  const message = answered === undefined ? response : { ...response, body: answered.body };
  const forwarded = session.forwardAnswer('callee', message, true);
  if (forwarded.sdp === undefined) throw new WireError('the answer has no session description');
  return forwarded;
}

/**
 * The answer in the caller's ACK to a delayed offer; `untold` is one that falls short of what the callee was promised in its
 * place (add-sdp-invite).
 *
 * @param ack its body, and the offer that it answers
 * @throws WireError when there is none, or none that can be used
 */
export function ackCrossing(
  session: CallSession,
  invite: SipRequest,
  ack: { readonly body: string; readonly given: string | undefined },
): { readonly sdp: string | undefined; readonly untold: string | undefined } {
  const { body, given } = ack;
  if (body === '') throw new WireError('the ACK brings no answer');
  const message: SipRequest = { ...invite, method: 'ACK', body: Buffer.from(body) };
  const { sdp } = session.forwardAnswer('caller', message, true);
  const isUntold = sdp === undefined && given !== undefined && isShortOf(given, body);
  return { sdp, untold: isUntold ? body : undefined };
}

/** A description that the caller got reliably is not sent again. */
function repeated(session: CallSession, response: SipResponse): Crossing {
  const { sdp, allowEvents } = session.repeatAnswer(response);
  return { sdp: session.early.isCallerAnswered ? undefined : sdp, allowEvents };
}
