/**
 * Sends a request and, when its receiver asks for credentials that we have, sends it again with them.
 *
 *   INVITE   ------------->
 *            <--- 401, 407     the same Call-ID and From tag, CSeq + 1, a new branch (RFC 3261 §22.2)
 *   INVITE + credentials ->
 *            <--- answer       only this one is told, as if there had been no other
 */
import { isIP } from 'node:net';
import { parseCSeq } from '../wire/sip-headers.ts';
import { getHeader, type SipRequest } from '../wire/sip-message.ts';
import { formatSipUri, parseSipUri } from '../wire/sip-uri.ts';
import { WireError } from '../wire/wire-error.ts';
import { type DigestClient, DigestExchange, isChallenge } from './digest-client.ts';
import type {
  PeerSource,
  ReceivedResponse,
  SendCallbacks,
  SendOptions,
  SentRequest,
  SipConnection,
  SipHeaders,
} from './sip-connection.ts';

export interface DigestCallbacks extends SendCallbacks {
  /** A challenge that is going to be answered; the request goes out again, and `onSent` is called again. */
  onChallenge?(response: ReceivedResponse): void;
  /** Whether the request is still wanted when a challenge has come; default yes. */
  isWanted?(): boolean;
}

/** Whose challenges are answered, and the URI that the SIP engine is going to put into a request inside a dialog. */
export interface DigestPeer {
  readonly client: DigestClient;
  readonly dialogTarget?: string | undefined;
}

export function sendWithDigest(
  connection: SipConnection,
  options: SendOptions,
  callbacks: DigestCallbacks,
  peer: DigestPeer | undefined,
): void {
  if (peer === undefined) connection.send(options, callbacks);
  else new DigestSender(connection, options, callbacks, peer.client).start(peer.dialogTarget);
}

class DigestSender {
  readonly #connection: SipConnection;
  readonly #options: SendOptions;
  readonly #callbacks: DigestCallbacks;
  readonly #client: DigestClient;
  readonly #exchange: DigestExchange;

  constructor(
    connection: SipConnection,
    options: SendOptions,
    callbacks: DigestCallbacks,
    client: DigestClient,
  ) {
    this.#connection = connection;
    this.#options = options;
    this.#callbacks = callbacks;
    this.#client = client;
    this.#exchange = new DigestExchange(client);
  }

  /** The nonce of an earlier challenge is used, if the request goes to the agent itself. */
  start(dialogTarget: string | undefined): void {
    const { method, uri, body = '', dialogId } = this.#options;
    const isToAgent = dialogId === undefined || this.#isAgentAt(dialogTarget);
    const target = dialogId === undefined ? uri : (dialogTarget ?? uri);
    const request = { method, uri: target, body: Buffer.from(body) };
    this.#send(this.#options, isToAgent ? this.#client.authorize(request) : {});
  }

  #send(options: SendOptions, credentials: SipHeaders): void {
    const callbacks = this.#callbacks;
    let sent: SentRequest | undefined;
    this.#connection.send(
      { ...options, headers: { ...options.headers, ...credentials } },
      {
        onSent: (request) => {
          sent = request;
          callbacks.onSent?.(request);
        },
        onResponse: (response) => {
          const again = this.#again(response, sent?.message);
          if (again === undefined) {
            callbacks.onResponse(response);
            return;
          }
          callbacks.onChallenge?.(response);
          this.#send(again.options, again.credentials);
        },
        onFailed: (reason) => callbacks.onFailed(reason),
      },
    );
  }

  /** What is to be sent because of a challenge; `undefined` when the response is the answer. */
  #again(
    response: ReceivedResponse,
    sent: SipRequest | undefined,
  ): { readonly options: SendOptions; readonly credentials: SipHeaders } | undefined {
    const { message, source } = response;
    if (!isChallenge(message.status) || sent === undefined) return undefined;
    if (this.#callbacks.isWanted?.() === false) return undefined;
    const credentials = this.#exchange.next(message, source, sent);
    if (credentials === undefined) return undefined;
    // Inside a dialog the SIP engine counts by itself.
    if (this.#options.dialogId !== undefined) return { options: this.#options, credentials };
    const identity = sameIdentity(sent);
    if (identity === undefined) return undefined;
    const { headers } = this.#options;
    const options = { ...this.#options, headers: { ...headers, ...identity } };
    return { options: pinned(options, source), credentials };
  }

  /** Names are not looked up for it: such an agent is asked first what it wants. */
  #isAgentAt(uri: string | undefined): boolean {
    const target = uri === undefined ? undefined : read(() => parseSipUri(uri));
    if (target === undefined || isIP(target.host) === 0) return false;
    const named = target.parameters.get('transport')?.toLowerCase();
    const protocol = named ?? 'udp';
    return this.#client.isAgent({ address: target.host, port: target.port ?? 5060, protocol });
  }
}

/** What makes the next request one of the same series (RFC 3261 §22.2). */
function sameIdentity(sent: SipRequest): SipHeaders | undefined {
  const callId = getHeader(sent, 'Call-ID');
  const from = getHeader(sent, 'From');
  const cseq = read(() => parseCSeq(getHeader(sent, 'CSeq') ?? ''));
  if (callId === undefined || from === undefined || cseq === undefined) return undefined;
  return { 'Call-ID': callId, From: from, CSeq: `${cseq.number + 1} ${cseq.method}` };
}

/**
 * A nonce is known to the server that gave it: where a name stands for several, the same one is asked again. Over TLS the
 * name stays, as the certificate is checked against it.
 */
function pinned(options: SendOptions, source: PeerSource | undefined): SendOptions {
  const { nextHop } = options;
  if (nextHop === undefined || source === undefined) return options;
  const hop = read(() => parseSipUri(nextHop));
  if (hop === undefined || isIP(hop.host) !== 0) return options;
  const { address, port, protocol } = source;
  if (protocol !== 'udp' && protocol !== 'tcp') return options;
  const parameters = new Map([['transport', protocol]]);
  return { ...options, nextHop: formatSipUri({ scheme: 'sip', host: address, port, parameters }) };
}

function read<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
