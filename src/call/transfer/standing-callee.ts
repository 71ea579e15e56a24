import type { InviteAnswer } from '../../sip/outgoing-invite.ts';
import type { CallStack } from '../call-context.ts';
import type { EndCause } from '../end-cause.ts';
import type { StandingLeg } from './standing-leg.ts';

/** Of an INVITE, what a re-INVITE in its place says too. */
const KEPT_HEADERS = ['Allow', 'Allow-Events', 'Content-Type', 'Referred-By'];

/**
 * A party that stands already as the callee of a new call: what the call sends it as INVITE goes as a re-INVITE in the
 * dialog that it has.
 *
 *   2xx       the leg belongs to the new call, its old one ends for `cause`
 *   refusal   it stays where it is, and also when the call is over before it answers
 *   hang-up   487 at once, whatever it still answers
 */
export function invitesStanding(
  standing: StandingLeg,
  cause: EndCause,
  onBug: (error: unknown) => void,
): CallStack['invite'] {
  return ({ headers = {}, body }, handler, dialogHandler) => {
    const kept = Object.entries(headers).filter(([name]) => KEPT_HEADERS.includes(name));
    let isCancelled = false;
    let isFinal = false;
    const fail = (...failure: Parameters<typeof handler.onFailure>): void => {
      if (!isFinal) handler.onFailure(...failure);
      isFinal = true;
    };
    const invite = async (): Promise<void> => {
      const response = await standing.reinvite({
        headers: Object.fromEntries(kept),
        ...(body === undefined ? {} : { body }),
        onTrace: dialogHandler.onTrace,
        onSent: ({ message }) => {
          if (message !== undefined) handler.onSent(message);
        },
      });
      const { message, status, reason } = response;
      if (message === undefined || status >= 300) {
        fail(isCancelled ? 487 : status, reason, message);
        return;
      }
      if (isCancelled || isFinal || !standing.isHere) {
        response.acknowledge();
        fail(487, 'given up', undefined);
        await standing.restore();
        return;
      }
      isFinal = true;
      standing.moveTo(dialogHandler, cause);
      const answer: InviteAnswer = {
        response: message,
        dialog: standing.dialog,
        acknowledge: (sdp) => response.acknowledge(sdp),
      };
      handler.onAnswer(answer);
    };
    standing.gone.then(() => fail(487, 'hung up', undefined)).catch(onBug);
    invite().catch(onBug);
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  };
}
