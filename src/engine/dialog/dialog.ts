import { ownText } from '../../wire/own-bytes.ts';
import { recordRoutesOf, routeAlong } from '../../wire/route-set.ts';
import { getHeader } from '../../wire/sip-message.ts';
import type { SipHeader, SipMessage, SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { formatNameAddr, parseNameAddr, splitHeaderList } from '../../wire/sip-headers.ts';
import { readAddress, readCSeq, readIdentity } from './identity.ts';
import { secureHop } from './secure-hop.ts';

/** What a dialog is made of (RFC 3261 §12). */
export interface DialogStart {
  /** Our part in the request that created it. */
  readonly role: 'uas' | 'uac';
  /** Method of that request. */
  readonly method: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** From of our requests, with our tag. */
  readonly localParty: string;
  /** To of our requests, with the peer's tag. */
  readonly remoteParty: string;
  readonly remoteTarget: string;
  /** Route values in the order they are to be written. */
  readonly routeSet: readonly string[];
  /** Contact of our side as written, reused in our later requests. */
  readonly localContact: string;
  readonly localCSeq: number;
  readonly remoteCSeq: number | undefined;
}

/** What a request in the dialog is built from. */
export interface DialogRequest {
  readonly uri: string;
  readonly headers: SipHeader[];
  /** The URI that says where it goes. */
  readonly nextHop: string;
}

/** Methods whose Contact replaces the remote target (RFC 3261 §12.2, 3311, 3515, 6665). */
const TARGET_REFRESH = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER']);

/** Whether requests of `method` may move the target. */
export function movesTarget(method: string): boolean {
  return TARGET_REFRESH.has(method);
}

/**
 * State of one dialog: tags, sequence numbers, route set and targets.
 *
 *   early -- 2xx --> confirmed -- BYE, end of the subscription, failure --> ended
 */
export class Dialog {
  readonly role: 'uas' | 'uac';
  readonly method: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** The id applications know it by: the caller's tag, so that all forks of one call share it. */
  readonly id: string;
  readonly #localParty: string;
  readonly #remoteParty: string;
  #routeSet: readonly string[];
  #remoteTarget: string;
  #localContact: string;
  #localCSeq: number;
  #remoteCSeq: number | undefined;
  #phase: 'early' | 'confirmed' | 'ended' = 'early';

  constructor(start: DialogStart) {
    this.role = start.role;
    this.method = start.method;
    // Parts of messages, which they would keep whole for the life of the call.
    this.callId = ownText(start.callId);
    this.localTag = ownText(start.localTag);
    this.remoteTag = ownText(start.remoteTag);
    this.id = dialogId(this.callId, start.role === 'uas' ? this.remoteTag : this.localTag);
    this.#localParty = ownText(start.localParty);
    this.#remoteParty = ownText(start.remoteParty);
    this.#routeSet = start.routeSet.map(ownText);
    this.#remoteTarget = ownText(start.remoteTarget);
    this.#localContact = ownText(start.localContact);
    this.#localCSeq = start.localCSeq;
    this.#remoteCSeq = start.remoteCSeq;
  }

  /** The callee's or notifier's side; undefined when the request lacks what a dialog needs. */
  static ofRequest(
    request: SipRequest,
    local: { tag: string; contact: string; cseq: number },
  ): Dialog | undefined {
    const identity = readIdentity(request);
    const target = contactUri(request);
    const to = readAddress(getHeader(request, 'To'));
    const remoteParty = getHeader(request, 'From');
    if (identity === undefined || target === undefined) return undefined;
    if (to === undefined || remoteParty === undefined) return undefined;
    return new Dialog({
      role: 'uas',
      method: request.method,
      callId: identity.callId,
      localTag: local.tag,
      remoteTag: identity.fromTag,
      localParty: withTag(to, local.tag),
      remoteParty,
      remoteTarget: target,
      routeSet: recordRoutesOf(request),
      localContact: local.contact,
      localCSeq: local.cseq,
      remoteCSeq: identity.cseq.number,
    });
  }

  /** The caller's or subscriber's side, from the request as sent and a response to it that has a To tag. */
  static ofResponse(request: SipRequest, response: SipResponse): Dialog | undefined {
    const identity = readIdentity(response);
    const localParty = getHeader(request, 'From');
    const remoteParty = getHeader(response, 'To');
    if (identity?.toTag === undefined) return undefined;
    if (localParty === undefined || remoteParty === undefined) return undefined;
    return new Dialog({
      role: 'uac',
      method: request.method,
      callId: identity.callId,
      localTag: identity.fromTag,
      remoteTag: identity.toTag,
      localParty,
      remoteParty,
      remoteTarget: contactUri(response) ?? request.uri,
      routeSet: recordRoutesOf(response).toReversed(),
      localContact: getHeader(request, 'Contact') ?? '',
      localCSeq: identity.cseq.number,
      remoteCSeq: undefined,
    });
  }

  /** The subscriber's side when the NOTIFY comes before the 2xx to our SUBSCRIBE (RFC 6665 §4.4.1). */
  static ofNotify(subscribe: SipRequest, notify: SipRequest): Dialog | undefined {
    const identity = readIdentity(notify);
    const localParty = getHeader(subscribe, 'From');
    const remoteParty = getHeader(notify, 'From');
    const cseq = readCSeq(getHeader(subscribe, 'CSeq'));
    if (identity?.toTag === undefined || cseq === undefined) return undefined;
    if (localParty === undefined || remoteParty === undefined) return undefined;
    return new Dialog({
      role: 'uac',
      method: 'SUBSCRIBE',
      callId: identity.callId,
      localTag: identity.toTag,
      remoteTag: identity.fromTag,
      localParty,
      remoteParty,
      remoteTarget: contactUri(notify) ?? subscribe.uri,
      routeSet: recordRoutesOf(notify),
      localContact: getHeader(subscribe, 'Contact') ?? '',
      localCSeq: cseq.number,
      remoteCSeq: undefined,
    });
  }

  get phase(): 'early' | 'confirmed' | 'ended' {
    return this.#phase;
  }

  get remoteTarget(): string {
    return this.#remoteTarget;
  }

  get localContact(): string {
    return this.#localContact;
  }

  get routeSet(): readonly string[] {
    return this.#routeSet;
  }

  /** Ends the early phase; the 2xx has the last word on route set and target (RFC 3261 §13.2.2.4). */
  confirm(answer?: SipResponse): void {
    if (this.#phase === 'early') this.#phase = 'confirmed';
    if (answer === undefined) return;
    this.#routeSet = recordRoutesOf(answer).toReversed().map(ownText);
    this.#remoteTarget = ownText(contactUri(answer) ?? this.#remoteTarget);
  }

  end(): void {
    this.#phase = 'ended';
  }

  /** The Contact our side writes from now on. */
  setLocalContact(contact: string): void {
    this.#localContact = ownText(contact);
  }

  /** Takes a request of the peer: false when its CSeq is lower than one seen before (RFC 3261 §12.2.2). */
  acceptCSeq(number: number): boolean {
    if (this.#remoteCSeq !== undefined && number < this.#remoteCSeq) return false;
    this.#remoteCSeq = number;
    return true;
  }

  /** Follows the peer's Contact if `message` belongs to a request of `method` that may move the target. */
  refreshTarget(method: string, message: SipMessage): void {
    if (!movesTarget(method)) return;
    this.#remoteTarget = ownText(contactUri(message) ?? this.#remoteTarget);
  }

  /** The number of the next request: `wished` when the application gives one, and never again a lower one. */
  nextCSeq(wished?: number): number {
    const number = wished ?? this.#localCSeq + 1;
    this.#localCSeq = Math.max(this.#localCSeq, number);
    return number;
  }

  /** Request line, identity and Route of a request to the peer. ACK takes the number of its INVITE. */
  request(method: string, cseq: number): DialogRequest {
    const { uri, routes, nextHop } = routeAlong(this.#routeSet, this.#remoteTarget);
    const headers: SipHeader[] = [
      { name: 'From', value: this.#localParty },
      { name: 'To', value: this.#remoteParty },
      { name: 'Call-ID', value: this.callId },
      { name: 'CSeq', value: `${cseq} ${method}` },
    ];
    for (const value of routes) headers.push({ name: 'Route', value });
    return { uri, headers, nextHop: secureHop(nextHop, this.#remoteTarget) };
  }
}

/** The dialog id of the application protocol. */
export function dialogId(callId: string, callerTag: string): string {
  return `${callId};from-tag=${callerTag}`;
}

/** The URI of the first Contact; undefined when there is none that can be read. */
export function contactUri(message: SipMessage): string | undefined {
  const value = getHeader(message, 'Contact');
  if (value === undefined || value.trim() === '*') return undefined;
  try {
    return readAddress(splitHeaderList(value)[0])?.uri;
  } catch {
    return undefined;
  }
}

function withTag(address: ReturnType<typeof parseNameAddr>, tag: string): string {
  const parameters = new Map(address.parameters).set('tag', tag);
  return formatNameAddr({ ...address, parameters });
}
