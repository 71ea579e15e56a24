/** What REFER and Replaces need to know of the calls of this SBC, without knowing the calls themselves. */
import type { SipDialog } from '../../sip/dialog.ts';
import type { ReceivedRequest } from '../../sip/sip-connection.ts';
import type { Replaces } from '../../wire/replaces.ts';
import type { Side } from '../../wire/side.ts';
import type { CallSession } from '../call-session.ts';
import type { EndCause } from '../end-cause.ts';
import type { Loan } from './loan.ts';
import type { Renegotiation } from '../mid-call/renegotiation.ts';

/** Who takes part in the fate of a leg that its call has lent to a transfer. */
export interface Borrower {
  /** The other party of the call has hung up: the leg is the borrower's alone, the call ends without it. */
  orphaned(): void;
  /** The call, and the leg with it, is over. */
  lost(): void;
}

/** A call whose legs can be moved to another one. */
export interface LendingCall {
  readonly id: string;
  /** Answered, and nobody has left. */
  readonly isTalking: boolean;
  readonly session: CallSession | undefined;
  readonly renegotiation: Renegotiation | undefined;
  readonly loan: Loan;
  /** `kept`: the side whose leg is lent, and stays without the call. */
  end(cause: EndCause, kept?: Side): void;
}

/** One leg of a call. */
export interface NamedLeg {
  readonly call: LendingCall;
  readonly side: Side;
}

/** A REFER that is to be carried out here. */
export interface TransferRequest {
  readonly call: LendingCall;
  /** Who sent it. */
  readonly referrer: Side;
  readonly dialog: SipDialog;
  readonly request: ReceivedRequest;
  /** sip, sips or tel URI. */
  readonly target: string;
  /** The leg that the target is to be joined in place of. */
  readonly replaced: NamedLeg | undefined;
  /** The REFER is not the first one of its dialog: NOTIFYs name it (RFC 3515 §2.4.6). */
  readonly isNamed: boolean;
}

/** All calls of the SBC, seen from one that is asked for a transfer. */
export interface TransferHost {
  /** The answered leg that `replaces` names, as we read it. */
  find(replaces: Replaces): NamedLeg | undefined;
  /** A name for `leg` that a party of another call may be told. */
  nameOf(leg: NamedLeg): Replaces;
  /** Carries out a transfer; answers the REFER in every case. */
  start(transfer: TransferRequest): void;
}
