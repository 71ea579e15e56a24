/** A SIP engine without network: remembers what was sent and lets a test answer it. */
import type {
  PeerSource,
  ReceivedRequest,
  RespondOptions,
  RespondOutcome,
  SendCallbacks,
  SendOptions,
  SipConnection,
  SipHeaders,
} from '../../src/sip/sip-connection.ts';
import type { SipRequest, SipResponse } from '../../src/wire/sip-message.ts';

/** A request of ours on its way, with the ways to answer it. */
export class SentFake {
  readonly options: SendOptions;
  readonly acknowledgements: (string | undefined)[] = [];
  readonly cancels: SipHeaders[] = [];
  readonly #callbacks: SendCallbacks;

  constructor(options: SendOptions, callbacks: SendCallbacks) {
    this.options = options;
    this.#callbacks = callbacks;
  }

  /** The engine took the request and put it on the wire. */
  goOut(): void {
    const { method, uri, headers = {}, body = '' } = this.options;
    this.#callbacks.onSent?.({
      text: `${method} ${uri} SIP/2.0\r\n\r\n`,
      message: requestOf(
        method,
        { ...headers, 'Call-ID': 'leg-b', From: '<sip:a@sbc>;tag=ours' },
        body,
      ),
      cancel: (cancelHeaders) => this.cancels.push(cancelHeaders),
    });
  }

  answer(status: number, headers: SipHeaders = {}, body = '', source?: PeerSource): void {
    this.#respond(responseOf(status, headers, body), false, source);
  }

  /** The engine answers in the name of a peer that sent nothing. */
  makeUp(status: number): void {
    this.#respond(responseOf(status, {}, ''), true);
  }

  #respond(message: SipResponse, isMadeUp: boolean, source?: PeerSource): void {
    const { status } = message;
    this.#callbacks.onResponse({
      message,
      isMadeUp,
      source,
      text: `SIP/2.0 ${status} ${message.reason}\r\n\r\n`,
      dialogId: 'dialog-b',
      acknowledge: (ackBody) => this.acknowledgements.push(ackBody),
    });
  }

  fail(reason: string): void {
    this.#callbacks.onFailed(reason);
  }
}

export class FakeSipConnection implements SipConnection {
  readonly hostports = 'udp/127.0.0.1:5060';
  isUp = true;
  readonly sent: SentFake[] = [];

  send(options: SendOptions, callbacks: SendCallbacks): void {
    this.sent.push(new SentFake(options, callbacks));
  }

  close(): void {
    this.isUp = false;
  }

  /** The last request sent. */
  get last(): SentFake {
    const last = this.sent.at(-1);
    if (last === undefined) throw new Error('nothing was sent');
    return last;
  }
}

/** A request from the peer; `answers` holds what it was answered. */
export class FakeReceivedRequest implements ReceivedRequest {
  readonly message: SipRequest;
  readonly text: string;
  readonly dialogId = 'dialog-a';
  readonly isUnsolicited: boolean;
  readonly receivedOn: string | undefined;
  readonly source = { address: '127.0.0.1', port: 5080, protocol: 'udp' };
  readonly answers: { readonly status: number; readonly options: RespondOptions }[] = [];
  outcome: RespondOutcome['type'] = 'sent';
  #onCancel: ((cancel: SipRequest | undefined, text: string) => void) | undefined;

  constructor(
    method: string,
    headers: SipHeaders = {},
    options: { body?: string; isUnsolicited?: boolean } = {},
  ) {
    this.message = requestOf(method, headers, options.body ?? '');
    this.text = `${method} sip:us SIP/2.0\r\n\r\n`;
    this.isUnsolicited = options.isUnsolicited ?? false;
  }

  respond(
    status: number,
    options: RespondOptions,
    onOutcome?: (outcome: RespondOutcome) => void,
  ): void {
    this.answers.push({ status, options });
    if (this.outcome === 'failed') {
      onOutcome?.({ type: 'failed', reason: 'unknown transaction' });
      return;
    }
    const headers = {
      'Call-ID': 'leg-a',
      From: '<sip:peer@host>;tag=theirs',
      To: '<sip:us@sbc>;tag=ours',
      Contact: '<sip:us@sbc>',
    };
    const message = responseOf(status, headers, '');
    onOutcome?.({
      type: 'sent',
      message,
      text: `SIP/2.0 ${status} -\r\n\r\n`,
      dialogId: 'dialog-a',
    });
  }

  onCancel(listener: (cancel: SipRequest | undefined, text: string) => void): void {
    this.#onCancel = listener;
  }

  cancel(headers: SipHeaders = {}): void {
    this.#onCancel?.(requestOf('CANCEL', headers, ''), 'CANCEL sip:us SIP/2.0\r\n\r\n');
  }
}

function requestOf(method: string, headers: SipHeaders, body: string): SipRequest {
  return {
    type: 'request',
    method,
    uri: 'sip:us@sbc',
    headers: list(headers),
    body: Buffer.from(body),
  };
}

function responseOf(status: number, headers: SipHeaders, body: string): SipResponse {
  return {
    type: 'response',
    status,
    reason: 'Reason',
    headers: list(headers),
    body: Buffer.from(body),
  };
}

function list(headers: SipHeaders): { name: string; value: string }[] {
  return Object.entries(headers).map(([name, value]) => ({ name, value }));
}
