import type { SipResponse } from '../wire/sip-message.ts';
import { phraseOf } from '../wire/sip-phrases.ts';
import { whyUnreachable } from '../wire/unreachable.ts';
import { type DigestCallbacks, type DigestPeer, sendWithDigest } from './digest-sender.ts';
import type {
  ReceivedResponse,
  SendOptions,
  SentRequest,
  SipConnection,
  SipHeaders,
  PeerSource,
} from './sip-connection.ts';

/** How long a request may stay without final response before it counts as 408, milliseconds. */
const REQUEST_GUARD_MS = 40_000;

/**
 * Where a received message came from, if the SIP engine says so, or why there is none on the wire as it stands here:
 *
 *   engine   the SIP engine has sent it by itself; only its start line is known
 *   nobody   the peer has sent nothing; the text is a phrase that says what that counts as
 */
export type TraceSource = PeerSource | 'engine' | 'nobody';

/** Records one SIP message of a leg as it was on the wire. */
export type SipTrace = (direction: 'in' | 'out', text: string, source?: TraceSource) => void;

/** Records a response, or that there was none. */
export function traceResponse(trace: SipTrace, response: ReceivedResponse): void {
  const { message, text, source, isMadeUp } = response;
  if (isMadeUp !== true) trace('in', text, source);
  else trace('in', `${whyUnreachable(message)}, counted as ${message.status}`, 'nobody');
}

/** Records an answer that the SIP engine gives by itself. */
export function traceOwnAnswer(trace: SipTrace, status: number): void {
  trace('out', `SIP/2.0 ${status} ${phraseOf(status)}`, 'engine');
}

/** Body and headers of a request in a dialog. */
export interface DialogRequestOptions {
  readonly headers?: SipHeaders;
  readonly body?: string;
  /** Hears of the request as it is on the wire, before any answer. */
  readonly onSent?: (sent: SentRequest) => void;
  /** Records its messages elsewhere too. */
  readonly onTrace?: SipTrace;
  /** Gives an INVITE up, with the headers of the CANCEL; a 2xx may still win. */
  readonly cancelled?: Promise<SipHeaders>;
}

/** The final outcome of a request; failures without a response carry the status they amount to. */
export interface DialogResponse {
  readonly status: number;
  readonly reason: string;
  readonly message: SipResponse | undefined;
  /** For a 2xx to INVITE: sends the ACK. */
  acknowledge(body?: string): void;
}

/** What is to happen in the very turn in which a frame of the engine arrives. */
export interface AnswerHooks {
  readonly onTrace: SipTrace;
  onSent?(sent: SentRequest): void;
  onFinal?(response: ReceivedResponse): void;
  /** Whose challenges are answered; default nobody's. */
  readonly digest?: DigestPeer | undefined;
}

/** Sends a request and resolves with its final response; never rejects. */
export function sendAndWait(
  connection: SipConnection,
  request: SendOptions,
  hooks: AnswerHooks,
): Promise<DialogResponse> {
  return new Promise((resolve) => {
    const guard = setTimeout(() => resolve(withoutResponse('timeout')), REQUEST_GUARD_MS);
    const settle = (response: DialogResponse): void => {
      clearTimeout(guard);
      resolve(response);
    };
    const callbacks: DigestCallbacks = {
      onSent: (sent) => {
        hooks.onTrace('out', sent.text);
        hooks.onSent?.(sent);
      },
      onResponse: (response) => {
        traceResponse(hooks.onTrace, response);
        const { message } = response;
        const { status, reason } = message;
        if (status < 200) return;
        hooks.onFinal?.(response);
        const acknowledge = (body?: string): void => {
          response.acknowledge(body, (text) => hooks.onTrace('out', text));
        };
        settle({ status, reason, message, acknowledge });
      },
      onChallenge: (response) => hooks.onTrace('in', response.text, response.source),
      onFailed: (reason) => settle(withoutResponse(reason)),
    };
    sendWithDigest(connection, request, callbacks, hooks.digest);
  });
}

/** What a request without any response amounts to (RFC 3261 §8.1.3.1, §12.2.1.2). */
export function withoutResponse(reason: string): DialogResponse {
  const status = statusWithoutResponse(reason);
  return { status, reason, message: undefined, acknowledge: () => undefined };
}

function statusWithoutResponse(reason: string): number {
  if (reason === 'no-dialog') return 481;
  if (reason === 'timeout') return 408;
  return 503;
}
