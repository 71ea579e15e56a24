/** What a caller hears before the answer: the 18x of callees, and that its call goes on elsewhere. */
import type { DialogHandler, SipDialog } from '../../sip/dialog.ts';
import { listsExtension } from '../../sip/stray-requests.ts';
import type { SipResponse } from '../../wire/sip-message.ts';
import type { CallLeg } from '../call-leg.ts';
import type { CallerInvite, CallPlan } from '../call-plan.ts';
import type { CallSession } from '../call-session.ts';
import { BARE, earlyCrossing } from './setup-answers.ts';
import { forwardedOptions, isReliable, progressOptions } from './setup-messages.ts';

export class CallerProgress {
  readonly #invite: CallerInvite;
  readonly #caller: CallLeg;
  readonly #handler: () => DialogHandler;
  readonly #mustBeReliable: boolean;
  /** Reliable 1xx without PRACK. */
  #unconfirmed = 0;

  constructor(
    { invite, caller }: Pick<CallPlan, 'invite' | 'caller'>,
    handler: () => DialogHandler,
  ) {
    this.#invite = invite;
    this.#caller = caller;
    this.#handler = handler;
    this.#mustBeReliable = listsExtension(invite.message, 'Require', '100rel');
  }

  /** Everything reliable has its PRACK. */
  get isConfirmed(): boolean {
    return this.#unconfirmed === 0;
  }

  /** A PRACK came. */
  confirm(): void {
    if (this.#unconfirmed > 0) this.#unconfirmed -= 1;
  }

  /** Passes a 18x of the callee on. */
  relay(session: CallSession, response: SipResponse, branch: SipDialog | undefined): void {
    const { message, offer } = this.#invite;
    if (this.#mayNot) return;
    const isAnswer = isReliable(response) && response.body.length > 0 && offer !== undefined;
    const isSentReliably =
      this.#mustBeReliable || (isAnswer && listsExtension(message, 'Supported', '100rel'));
    const crossing =
      offer === undefined ? BARE : earlyCrossing(session, response, { branch, isSentReliably });
    const options = progressOptions({ response, legs: session.legs }, crossing, isSentReliably);
    this.#send(response.status, options, isSentReliably);
  }

  /** 181: the call goes on to another target. */
  forwarded(headers: Record<string, string>): void {
    if (this.#mayNot) return;
    const options = forwardedOptions(headers, this.#caller, this.#mustBeReliable);
    this.#send(181, options, this.#mustBeReliable);
  }

  /** The first reliable answer to an INVITE without offer must bring one (RFC 3262 §5), which only the 200 has. */
  get #mayNot(): boolean {
    return this.#mustBeReliable && this.#invite.offer === undefined;
  }

  #send(
    status: number,
    options: Parameters<CallerInvite['progress']>[1],
    isSentReliably: boolean,
  ): void {
    if (isSentReliably) this.#unconfirmed += 1;
    this.#invite.progress(status, options, this.#handler(), (begun) => {
      this.#caller.early = begun;
    });
  }
}
