import type { Realm, SessionAgent, SipInterface, Transport } from '../config/config.ts';
import { effectiveSettings, type LegSettings } from '../config/effective.ts';
import type { LegPorts } from '../media/media-engine.ts';
import type { SipDialog } from '../sip/dialog.ts';
import type { Hop } from '../trunk/policy.ts';
import type { Side } from '../wire/side.ts';
import { getHeader, type SipRequest } from '../wire/sip-message.ts';
import { formatHostPort, parseSipUri } from '../wire/sip-uri.ts';

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
  /** The INVITE of the leg as it was on the wire; `undefined` until it is there. */
  invite: SipRequest | undefined;

  constructor(options: CallLegOptions) {
    this.side = options.side;
    this.sipInterface = options.sipInterface;
    this.realm = options.realm;
    this.agent = options.agent;
    this.remote = options.remote;
    this.transport = options.transport;
    this.settings = effectiveSettings(options.sipInterface, options.agent);
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

  /** SIP Call-ID of the leg; empty until its INVITE is on the wire. */
  get sipCallId(): string {
    return this.invite === undefined ? '' : (getHeader(this.invite, 'Call-ID') ?? '');
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
