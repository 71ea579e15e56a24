import type { SipRequest } from './sip-message.ts';
import { WireError } from './wire-error.ts';

/**
 * What `parseSipMessage` throws. `status` is the answer the sender deserves (400, 413, 505, 513).
 * `request` holds what could be read of a request, enough to build that answer from; it is absent for
 * responses and for bytes that are no SIP at all, which get no answer.
 */
export class SipParseError extends WireError {
  override readonly name = 'SipParseError';
  readonly status: number;
  readonly request: SipRequest | undefined;

  constructor(message: string, status = 400, request?: SipRequest) {
    super(message);
    this.status = status;
    this.request = request;
  }
}
