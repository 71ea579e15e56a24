/** The dialogs that a SIP engine in memory keeps for its application (RFC 3261 §12). */
import { parseCSeq, parseNameAddr, tagOf } from '../wire/sip-headers.ts';
import {
  getHeader,
  type SipHeader,
  type SipMessage,
  type SipRequest,
} from '../wire/sip-message.ts';

/** Requests and answers that say anew where their sender is reached. */
const REFRESHING = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

export class MemoryDialog {
  /** The same for all branches of a forked INVITE. */
  readonly id: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From and To of our requests. */
  readonly #local: string;
  readonly #remote: string;
  #cseq: number;
  #target: string;

  /** Of `message`, a request of ours or an answer to one (`uac`), or an answer of ours with the peer's `target`. */
  constructor(role: 'uac' | 'uas', message: SipMessage, target: string) {
    const from = getHeader(message, 'From') ?? '';
    const to = getHeader(message, 'To') ?? '';
    this.#local = role === 'uac' ? from : to;
    this.#remote = role === 'uac' ? to : from;
    this.callId = getHeader(message, 'Call-ID') ?? '';
    this.localTag = tagOf(this.#local) ?? '';
    this.remoteTag = tagOf(this.#remote) ?? '';
    this.id = `${this.callId};${this.localTag}`;
    this.#cseq = role === 'uac' ? parseCSeq(getHeader(message, 'CSeq') ?? '').number : 0;
    this.#target = target;
  }

  get target(): string {
    return this.#target;
  }

  /** What names the dialog in a request of ours; an ACK has the number of its INVITE. */
  identity(method: string, ackNumber?: number): SipHeader[] {
    if (ackNumber === undefined) this.#cseq += 1;
    return [
      { name: 'From', value: this.#local },
      { name: 'To', value: this.#remote },
      { name: 'Call-ID', value: this.callId },
      { name: 'CSeq', value: `${ackNumber ?? this.#cseq} ${method}` },
    ];
  }

  /** Takes over the Contact of a request of the peer, or of its answer to one of ours. */
  refresh(method: string, message: SipMessage): void {
    const contact = contactOf(message);
    if (contact !== undefined && REFRESHING.has(method)) this.#target = contact;
  }
}

export class MemoryDialogs {
  readonly #dialogs: MemoryDialog[] = [];

  /** Enters a dialog, unless it is there already. */
  enter(dialog: MemoryDialog): MemoryDialog {
    const known = this.find(dialog.id, dialog.remoteTag);
    if (known !== undefined) return known;
    this.#dialogs.push(dialog);
    return dialog;
  }

  find(id: string, remoteTag: string): MemoryDialog | undefined {
    return this.#dialogs.find((dialog) => dialog.id === id && dialog.remoteTag === remoteTag);
  }

  /** The dialog of a request of the peer. */
  of(request: SipRequest): MemoryDialog | undefined {
    const callId = getHeader(request, 'Call-ID') ?? '';
    const localTag = tagOf(getHeader(request, 'To') ?? '') ?? '';
    const remoteTag = tagOf(getHeader(request, 'From') ?? '') ?? '';
    return localTag === '' ? undefined : this.find(`${callId};${localTag}`, remoteTag);
  }
}

/** The URI in Contact; `undefined` when there is none that can be read. */
export function contactOf(message: SipMessage): string | undefined {
  const value = getHeader(message, 'Contact');
  try {
    return value === undefined ? undefined : parseNameAddr(value).uri;
  } catch {
    return undefined;
  }
}
