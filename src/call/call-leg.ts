import type { Realm, SessionAgent, SipInterface, Transport } from '../config/config.ts';
import { effectiveSettings, type LegSettings } from '../config/effective.ts';
import type { LegPorts } from '../media/media-engine.ts';
import type { SipDialog } from '../sip/dialog.ts';
import type { Hop } from '../trunk/policy.ts';
import type { Side } from '../wire/side.ts';
import { ownText } from '../wire/own-bytes.ts';
import { getHeader, type SipRequest } from '../wire/sip-message.ts';
import { formatHostPort, parseSipUri } from '../wire/sip-uri.ts';
import { transportOfVia } from './sent-transport.ts';
import type { SessionAgreement } from './mid-call/session-timer-negotiation.ts';

/** What a leg is made of before anything is sent on it. */
export interface CallLegOptions {
  readonly side: Side;
  readonly sipInterface: SipInterface;
  readonly realm: Realm;
  /** The session agent at the other end, if it is one. */
  readonly agent: SessionAgent | undefined;
  /** `host:port` of the peer. */
  readonly remote: string;
  readonly transport: Transport;
}

/** What is kept of the INVITE of a leg; a field that it did not have is empty. */
export interface LegInvite {
  readonly uri: string;
  readonly callId: string;
  readonly from: string;
  readonly to: string;
  readonly assertedIdentity: string;
  readonly privacy: string;
  /** Over which it left, where it was ours; not always that of the next hop, see RFC 3261 §18.1.1. */
  readonly sentOver: Transport | undefined;
}

/** One leg of a call: who is there, which parameters are in force, and its dialog once there is one. */
export class CallLeg {
  readonly side: Side;
  readonly sipInterface: SipInterface;
  readonly realm: Realm;
  readonly agent: SessionAgent | undefined;
  readonly remote: string;
  readonly transport: Transport;
  readonly settings: LegSettings;
  /** Set once the leg is answered. */
  dialog: SipDialog | undefined;
  /** The early dialog heard of last, until the leg is answered or the attempt is over. */
  early: SipDialog | undefined;
  /** The session timer in force, if there is one. */
  sessionAgreement: SessionAgreement | undefined;
  #invite: LegInvite | undefined;

  constructor(options: CallLegOptions) {
    this.side = options.side;
    this.sipInterface = options.sipInterface;
    this.realm = options.realm;
    this.agent = options.agent;
    this.remote = options.remote;
    this.transport = options.transport;
    this.settings = effectiveSettings(options.sipInterface, options.agent);
  }

  /** The same party on `side` of another call. */
  movedTo(side: Side): CallLeg {
    const { sipInterface, realm, agent, remote, transport } = this;
    return new CallLeg({ side, sipInterface, realm, agent, remote, transport });
  }

  /** The callee's side of a call that takes `hop`. */
  static towards(hop: Hop, realm: Realm): CallLeg {
    const { host, port } = parseSipUri(hop.nextHop);
    const { agent, sipInterface } = hop;
    const remote = formatHostPort(host, port);
    return new CallLeg({
      side: 'callee',
      sipInterface,
      realm,
      agent,
      remote,
      transport: hopTransport(hop),
    });
  }

  /** Of the INVITE of the leg; `undefined` until it is on the wire. */
  get invite(): LegInvite | undefined {
    return this.#invite;
  }

  /** Takes what is kept for the life of the call. */
  set invite(message: SipRequest) {
    // The values are parts of the text of the message, which they would keep whole.
    const own = (name: string): string => ownText(getHeader(message, name) ?? '');
    this.#invite = {
      uri: ownText(message.uri),
      callId: own('Call-ID'),
      from: own('From'),
      to: own('To'),
      assertedIdentity: own('P-Asserted-Identity'),
      privacy: own('Privacy'),
      sentOver:
        this.side === 'callee' ? transportOfVia(getHeader(message, 'Via') ?? '') : undefined,
    };
  }

  /** SIP Call-ID of the leg; empty until its INVITE is on the wire. */
  get sipCallId(): string {
    return this.#invite?.callId ?? '';
  }

  /** That its INVITE took. */
  get takenTransport(): Transport {
    return this.#invite?.sentOver ?? this.transport;
  }

  /** Where requests of the other leg go: the answered dialog, before that the latest early one. */
  get reach(): SipDialog | undefined {
    return this.dialog ?? (this.early?.isEarly === true ? this.early : undefined);
  }

  /** Where the media ports of this leg come from. */
  get ports(): LegPorts {
    return { realm: this.realm.name, ...this.realm.media };
  }
}

/** The transport that `hop` is reached over. */
export function hopTransport(hop: Hop): Transport {
  const named = parseSipUri(hop.nextHop).parameters.get('transport');
  return named === 'tcp' || named === 'tls' ? named : 'udp';
}
