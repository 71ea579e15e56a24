import type { ReceivedResponse, SipConnection } from './sip-connection.ts';

export interface PingTarget {
  readonly uri: string;
  /** Where the request goes instead of to its URI: `sip:host:port;transport=udp`. */
  readonly nextHop: string;
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
  const headers = { To: `<${target.uri}>`, 'Max-Forwards': '70', Accept: 'application/sdp' };
  return new Promise((resolve) => {
    connection.send(
      { method: 'OPTIONS', ...target, headers },
      {
        onResponse: (response) => {
          if (response.message.status >= 200) resolve(answerOf(response));
        },
        onFailed: (reason) =>
          resolve({ type: reason === 'connection-lost' ? 'notAsked' : 'transportError' }),
      },
    );
  });
}

function answerOf({ message: { status }, isMadeUp }: ReceivedResponse): PingAnswer {
  if (isMadeUp !== true) return { type: 'answer', status };
  return { type: status === 408 ? 'silence' : 'transportError' };
}
