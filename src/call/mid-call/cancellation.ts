import type { ReceivedRequest, SipHeaders } from '../../sip/sip-connection.ts';
import type { HeaderPath } from '../headers/header-crossing.ts';
import { cancelHeaders } from './mid-call-messages.ts';

/** Whether the sender of a re-INVITE has given it up; its 487 is the SIP engine's. */
export class Cancellation {
  /** Settled by the CANCEL, with what it says to the other leg. */
  readonly headers: Promise<SipHeaders>;
  #hasCome = false;

  constructor(request: ReceivedRequest, path: HeaderPath) {
    const { promise, resolve } = Promise.withResolvers<SipHeaders>();
    this.headers = promise;
    if (request.message.method !== 'INVITE') return;
    request.onCancel((cancel) => {
      this.#hasCome = true;
      resolve(cancelHeaders(cancel, path));
    });
  }

  get hasCome(): boolean {
    return this.#hasCome;
  }
}
