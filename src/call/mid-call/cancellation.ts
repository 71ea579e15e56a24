import { type SipTrace, traceOwnAnswer } from '../../sip/request-answer.ts';
import type { ReceivedRequest, SipHeaders } from '../../sip/sip-connection.ts';
import type { HeaderPath } from '../headers/header-crossing.ts';
import { cancelHeaders } from './mid-call-messages.ts';

/** Whether the sender of a re-INVITE has given it up; its 487 is the SIP engine's. */
export class Cancellation {
  /** Settled by the CANCEL, with what it says to the other leg. */
  readonly headers: Promise<SipHeaders>;
  #hasCome = false;

  constructor(request: ReceivedRequest, path: HeaderPath, trace: SipTrace) {
    const { promise, resolve } = Promise.withResolvers<SipHeaders>();
    this.headers = promise;
    if (request.message.method !== 'INVITE') return;
    request.onCancel((cancel, text) => {
      this.#hasCome = true;
      trace('in', text);
      traceOwnAnswer(trace, 200);
      traceOwnAnswer(trace, 487);
      resolve(cancelHeaders(cancel, path));
    });
  }

  get hasCome(): boolean {
    return this.#hasCome;
  }
}
