import type { InviteAnswer } from '../../sip/outgoing-invite.ts';
import type { CalleeAttempt } from './callee-attempt.ts';
import type { CallSession } from '../call-session.ts';
import type { Crossing } from './setup-messages.ts';

/** How far the set-up of a call has come. */
export type SetupState =
  | { readonly type: 'idle' }
  | {
      readonly type: 'inviting';
      readonly attempt: CalleeAttempt;
      readonly session: CallSession;
    }
  /** The callee has answered; the 200 waits for the PRACK of a reliable 1xx (RFC 3262 §3). */
  | {
      readonly type: 'awaitingPrack';
      readonly session: CallSession;
      readonly answer: InviteAnswer;
      readonly crossing: Crossing;
    }
  | {
      readonly type: 'awaitingAck';
      readonly session: CallSession;
      readonly answer: InviteAnswer;
      readonly isDelayed: boolean;
      /** The description in our 200. */
      readonly given: string | undefined;
    }
  | { readonly type: 'done' };
