/** One hop that a call tries. */
import type { DialogHandler, SipDialog } from '../../sip/dialog.ts';
import {
  type InviteAnswer,
  NO_ANSWER,
  type OutgoingInvite,
  releaseAnswered,
} from '../../sip/outgoing-invite.ts';
import type { Hop } from '../../trunk/policy.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { CallStack } from '../call-context.ts';
import type { CallSession } from '../call-session.ts';
import type { CallForwards } from '../forward/forward-chain.ts';
import { repeatHeaders, withHeaders } from '../mid-call/session-refresh.ts';
import type { AttemptFailure } from './attempt-failure.ts';
import type { SetupHost } from './setup-host.ts';
import { type Crossing, inviteOptions } from './setup-messages.ts';

export interface AttemptOptions {
  readonly hop: Hop;
  readonly session: CallSession;
  /** The caller's INVITE, and what of it goes on. */
  readonly message: SipRequest;
  readonly crossing: Crossing;
  readonly forwards: CallForwards;
  readonly inviteCallee: CallStack['invite'];
  readonly host: Pick<SetupHost, 'dialogHandler' | 'guarded' | 'isEnded' | 'timers'>;
}

/** Who hears what the callee answers. */
export interface AttemptListener {
  progressed(response: SipResponse, branch: SipDialog | undefined): void;
  answered(answer: InviteAnswer): void | Promise<void>;
  failed(failure: AttemptFailure): void | Promise<void>;
}

/** How long a callee that was given up may take to answer our CANCEL. */
const CANCEL_WAIT_MS = 2000;

const UNANSWERED: AttemptFailure = { status: 408, reason: NO_ANSWER, response: undefined };

/**
 * An INVITE to a callee, repeated once where its session interval is too short for the callee (RFC 4028 §7.4).
 *
 *   inviting --giveUp--> cancelled --its answer, 200 or refusal--> heard
 *                            '------ no answer for a while ------> left      what still comes is released unheard
 */
export class CalleeAttempt {
  readonly session: CallSession;
  readonly hop: Hop;
  readonly #options: AttemptOptions;
  readonly #listener: AttemptListener;
  #invite: Pick<OutgoingInvite, 'cancel'> | undefined;
  #state: 'inviting' | 'cancelled' | 'left' = 'inviting';
  /** The callee has given a sign of life, so that a CANCEL reaches it (RFC 3261 §9.1). */
  #hasProgress = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AttemptOptions, listener: AttemptListener) {
    this.#options = options;
    this.#listener = listener;
    this.session = options.session;
    this.hop = options.hop;
  }

  start(): void {
    this.#send(undefined);
  }

  /** Gives the callee up; its answer is heard still. */
  cancel(headers: Record<string, string>): void {
    clearTimeout(this.#timer);
    if (this.#state === 'inviting') this.#state = 'cancelled';
    this.#invite?.cancel(headers);
  }

  /** As `cancel`, but the callee has little time to answer: then it counts as one that does not. */
  giveUp(headers: Record<string, string>): void {
    this.cancel(headers);
    // Without a sign of life a CANCEL cannot be sent, and nothing will answer it.
    const waitMs = this.#hasProgress ? CANCEL_WAIT_MS : 0;
    this.#timer = setTimeout(() => {
      this.#state = 'left';
      this.#options.host.guarded(() => this.#listener.failed(UNANSWERED));
    }, waitMs);
  }

  get #hasLeft(): boolean {
    return this.#state === 'left';
  }

  /** `again` names the INVITE that this one takes the place of, after a 422. */
  #send(again: SipRequest | undefined): void {
    const { hop, session, message, crossing, forwards, host } = this.#options;
    const timer = host.timers.of('callee');
    const legs = { hop, legs: session.legs, forwards };
    const added = { ...timer?.requestHeaders(), ...repeatHeaders(again) };
    const handler = host.dialogHandler('callee');
    let sent: SipRequest | undefined;
    this.#invite = this.#options.inviteCallee(
      {
        interfaceName: hop.sipInterface.name,
        uri: hop.requestUri,
        nextHop: hop.nextHop,
        ...withHeaders(inviteOptions(message, legs, crossing), added),
      },
      {
        onSent: (request) => {
          sent = request;
          session.legs.callee.invite = request;
        },
        onProgress: (response, branch) => {
          this.#hasProgress = true;
          if (!this.#hasLeft) host.guarded(() => this.#listener.progressed(response, branch));
        },
        onAnswer: (answer) => {
          clearTimeout(this.#timer);
          if (this.#hasLeft) releaseAnswered(answer);
          else {
            // From here on nobody gives the callee up: its dialog must not keep the attempt and both its messages.
            answer.dialog.handOver(handler);
            host.guarded(() => this.#listener.answered(answer));
          }
        },
        onFailure: (status, reason, response) =>
          host.guarded(() => {
            clearTimeout(this.#timer);
            if (this.#hasLeft) return undefined;
            const isLast = again !== undefined || session.early.isSettled || host.isEnded();
            const mayRepeat = !isLast && this.#state === 'inviting';
            if (mayRepeat && timer?.tooShort(response) === true) return this.#send(sent);
            return this.#listener.failed({ status, reason, response });
          }),
      },
      this.#whileHere(handler),
    );
  }

  /** The dialogs of a callee that was left are nobody's business. */
  #whileHere(handler: DialogHandler): DialogHandler {
    return {
      ...handler,
      onRequest: (request, dialog) => {
        if (this.#hasLeft) dialog.respond(request, 481);
        else handler.onRequest(request, dialog);
      },
      onAck: (body, cseq) => {
        if (!this.#hasLeft) handler.onAck(body, cseq);
      },
      onEnd: (by, reason, bye) => {
        if (!this.#hasLeft) handler.onEnd(by, reason, bye);
      },
    };
  }
}
