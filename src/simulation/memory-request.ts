import { randomBytes } from 'node:crypto';
import type {
  PeerSource,
  ReceivedRequest,
  RespondOptions,
  RespondOutcome,
} from '../sip/sip-connection.ts';
import { tagOf } from '../wire/sip-headers.ts';
import {
  formatSipMessage,
  type SipHeader,
  type SipRequest,
  type SipResponse,
} from '../wire/sip-message.ts';
import { phraseOf } from '../wire/sip-phrases.ts';
import { formatHostPort } from '../wire/sip-uri.ts';
import type { SipPlace } from './memory-network.ts';
import { copiedFields, otherFields, ownValue } from './memory-text.ts';

/** What a request needs of the engine that it arrived at. */
export interface RequestHome {
  /** Where it arrived. */
  readonly at: SipPlace;
  readonly dialogId: string;
  /** Sends an answer. */
  send(response: SipResponse): void;
  /** Whether an answer makes or belongs to a dialog; its id, or ''. */
  dialogOf(response: SipResponse): string;
  onFinal(status: number): void;
}

type CancelListener = (cancel: SipRequest | undefined, text: string) => void;

/** A request of a peer at an engine in memory. */
export class MemoryRequest implements ReceivedRequest {
  readonly message: SipRequest;
  readonly text: string;
  readonly dialogId: string;
  readonly isUnsolicited = false;
  readonly receivedOn: string;
  readonly source: PeerSource;
  readonly #home: RequestHome;
  readonly #cancelListeners: CancelListener[] = [];
  /** Of our side, should the application not choose one. */
  #tag: string | undefined;
  #rseq = 0;
  #state: 'waiting' | 'final' = 'waiting';

  constructor(message: SipRequest, from: SipPlace, home: RequestHome) {
    this.message = message;
    this.text = formatSipMessage(message).toString();
    this.dialogId = home.dialogId;
    this.receivedOn = formatHostPort(home.at.host, home.at.port);
    this.source = { address: from.host, port: from.port, protocol: from.transport };
    this.#home = home;
  }

  respond(
    status: number,
    options: RespondOptions,
    onOutcome?: (outcome: RespondOutcome) => void,
  ): void {
    setTimeout(() => {
      if (this.#state === 'final') {
        onOutcome?.({ type: 'failed', reason: 'unknown transaction' });
        return;
      }
      const message = this.#response(status, options);
      this.#leave(message);
      const dialogId = this.#home.dialogOf(message);
      const text = formatSipMessage(message).toString();
      onOutcome?.({ type: 'sent', message, text, dialogId });
    }, 0);
  }

  onCancel(listener: CancelListener): void {
    this.#cancelListeners.push(listener);
  }

  /** The peer gives up; without effect behind a final answer. */
  cancel(cancel: SipRequest): void {
    if (this.#state === 'final') return;
    this.#leave(this.#response(487, {}));
    const text = formatSipMessage(cancel).toString();
    for (const listener of this.#cancelListeners) listener(cancel, text);
  }

  #leave(message: SipResponse): void {
    if (message.status >= 200) {
      this.#state = 'final';
      this.#home.onFinal(message.status);
    }
    this.#home.send(message);
  }

  #response(status: number, { reason, headers = {}, body = '' }: RespondOptions): SipResponse {
    const { at } = this.#home;
    const chosen = tagOf(ownValue(headers, 'To', at) ?? '');
    if (status > 100) this.#tag ??= chosen ?? randomBytes(5).toString('hex');
    const fields = copiedFields(this.message, this.#tag);
    const contact = ownValue(headers, 'Contact', at) ?? this.#defaultContact(status);
    if (contact !== undefined) fields.push({ name: 'Contact', value: contact });
    fields.push(...this.#reliability(status, headers), ...otherFields(headers, at));
    return {
      type: 'response',
      status,
      reason: reason ?? phraseOf(status),
      headers: fields,
      body: Buffer.from(body),
    };
  }

  /** A 1xx that asks for a PRACK has a number (RFC 3262 §3). */
  #reliability(status: number, headers: Readonly<Record<string, string>>): SipHeader[] {
    if (status >= 200 || !/\b100rel\b/i.test(headers['Require'] ?? '')) return [];
    this.#rseq += 1;
    return [{ name: 'RSeq', value: String(this.#rseq) }];
  }

  #defaultContact(status: number): string | undefined {
    const { method } = this.message;
    const needsContact = ['INVITE', 'SUBSCRIBE', 'UPDATE', 'NOTIFY'].includes(method);
    if (!needsContact || status <= 100 || status >= 300) return undefined;
    const { host, port, transport } = this.#home.at;
    const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
    return `<sip:${formatHostPort(host, port)}${parameter}>`;
  }
}
