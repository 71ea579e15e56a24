import type { DigestClient } from './digest-client.ts';
import { sendWithDigest } from './digest-sender.ts';
import type { ReceivedResponse, SipConnection } from './sip-connection.ts';

export interface PingTarget {
  readonly uri: string;
  /** Where the request goes instead of to its URI: `sip:host:port;transport=udp`. */
  readonly nextHop: string;
  /** Answers a challenge; without it one is an answer like any other. */
  readonly digest?: DigestClient | undefined;
}

/** What came of an OPTIONS. */
export type PingAnswer =
  | { readonly type: 'answer'; readonly status: number }
  | { readonly type: 'silence' }
  | { readonly type: 'transportError' }
  /** The connection to the SIP engine is gone, so that nobody was asked. */
  | { readonly type: 'notAsked' };

/** Sends OPTIONS (RFC 3261 §11) outside every dialog; never rejects. */
export function sendPing(connection: SipConnection, target: PingTarget): Promise<PingAnswer> {
  const { uri, nextHop, digest } = target;
  const headers = { To: `<${uri}>`, 'Max-Forwards': '70', Accept: 'application/sdp' };
  return new Promise((resolve) => {
    sendWithDigest(
      connection,
      { method: 'OPTIONS', uri, nextHop, headers },
      {
        onResponse: (response) => {
          if (response.message.status >= 200) resolve(answerOf(response));
        },
        onFailed: (reason) =>
          resolve({ type: reason === 'connection-lost' ? 'notAsked' : 'transportError' }),
      },
      digest === undefined ? undefined : { client: digest },
    );
  });
}

function answerOf({ message: { status }, isMadeUp }: ReceivedResponse): PingAnswer {
  if (isMadeUp !== true) return { type: 'answer', status };
  return { type: status === 408 ? 'silence' : 'transportError' };
}
