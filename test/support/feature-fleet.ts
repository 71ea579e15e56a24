/**
 * Many small phones with feature keys on a few UDP sockets: they subscribe, set features, and show what NOTIFYs say.
 *
 *   phone                      SBC
 *     |--- SUBSCRIBE [set] ---->|
 *     |<-- 200 -----------------|
 *     |<-- NOTIFY --------------|   what the phone shows from now on
 *     |--- 200 ---------------->|
 */

import { bodyOf, headerOf, LightSip, newToken, uriOf, type LightReply } from './light-sip.ts';
import type { SipTarget } from './sip-peer.ts';

/** What a phone shows of one feature. */
export interface ShownFeature {
  readonly status: boolean;
  readonly forwardTo?: string;
  readonly ringCount?: number;
}

export interface FeatureSetting {
  /** `DoNotDisturb`, `CallForwardingAlways` … */
  readonly feature: string;
  readonly status: boolean;
  readonly forwardTo?: string;
  readonly ringCount?: number;
}

/** Told with every NOTIFY after the phone shows it; `atMs` is when it came out of the socket. */
export type ToldListener = (phone: FleetPhone, features: readonly string[], atMs: number) => void;

export interface FleetOptions {
  readonly sockets: number;
  readonly address: string;
  /** Where the phones send their SUBSCRIBEs. */
  readonly to: SipTarget;
  readonly domain: string;
  readonly expiresSeconds?: number;
  readonly onTold?: ToldListener;
  /** True: the phone answers this NOTIFY 500, to be told after a second. */
  readonly isTooBusy?: () => boolean;
}

const TYPE = 'application/x-as-feature-event+xml';
const NAMESPACE = 'xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"';
const FORWARDING_TYPES: Readonly<Record<string, string>> = {
  CallForwardingAlways: 'forwardImmediate',
  CallForwardingBusy: 'forwardBusy',
  CallForwardingNoAnswer: 'forwardNoAns',
};
const EVENT_DOCUMENT = /<(DoNotDisturbEvent|ForwardingEvent)[\s>][\s\S]*?<\/\1>/g;

export class FeatureFleet {
  readonly phones: FleetPhone[] = [];
  readonly sockets: readonly LightSip[];
  readonly options: FleetOptions;

  private constructor(sockets: readonly LightSip[], options: FleetOptions) {
    this.sockets = sockets;
    this.options = options;
  }

  static async open(options: FleetOptions): Promise<FeatureFleet> {
    const opening = Array.from({ length: options.sockets }, () => LightSip.open(options.address));
    return new FeatureFleet(await Promise.all(opening), options);
  }

  /** A further phone of the account; phones take turns at the sockets. */
  add(account: string): FleetPhone {
    const sip = this.sockets[this.phones.length % this.sockets.length];
    if (sip === undefined) throw new Error('a fleet needs a socket');
    const phone = new FleetPhone(sip, account, this.options);
    this.phones.push(phone);
    return phone;
  }

  close(): void {
    for (const sip of this.sockets) sip.close();
  }
}

export class FleetPhone {
  readonly account: string;
  /** By feature; a feature that was never named is missing. */
  readonly shown = new Map<string, ShownFeature>();
  notifies = 0;
  /** NOTIFYs whose CSeq was not the one after the last. */
  readonly outOfOrder: number[] = [];
  /** The state of the last Subscription-State. */
  subscription: 'none' | 'active' | 'terminated' = 'none';

  readonly #sip: LightSip;
  readonly #options: FleetOptions;
  #callId = '';
  #localTag = '';
  #remoteTag = '';
  #target = '';
  #cseq = 0;
  #lastNotify = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(sip: LightSip, account: string, options: FleetOptions) {
    this.#sip = sip;
    this.account = account;
    this.#options = options;
  }

  /** A subscription in a dialog of its own; the phone forgets an older one. Gives the status of the answer. */
  subscribe(): Promise<number> {
    return this.#inTurn(() => {
      const callId = `${newToken()}@${this.#sip.address}`;
      this.#callId = callId;
      this.subscription = 'none';
      this.#localTag = newToken();
      this.#remoteTag = '';
      this.#target = `sip:${this.account}@${this.#options.domain}`;
      this.#cseq = 0;
      this.#lastNotify = 0;
      this.#sip.handle(callId, (request, atMs) =>
        callId === this.#callId ? this.#notified(request, atMs) : { status: 481 },
      );
      return this.#subscribe();
    });
  }

  /** Asks for the whole state in the dialog. */
  refresh(): Promise<number> {
    return this.#inTurn(() => this.#subscribe());
  }

  /** Sends what the key was pressed for; what the phone shows changes with the NOTIFY only. */
  set(setting: FeatureSetting): Promise<number> {
    return this.#inTurn(() => this.#subscribe(documentOf(setting)));
  }

  leave(): Promise<number> {
    return this.#inTurn(() => this.#subscribe('', 0));
  }

  /** A phone has one request at a time on its way, so that its CSeqs arrive in order. */
  #inTurn(ask: () => Promise<number>): Promise<number> {
    const asked = this.#turn.then(ask);
    this.#turn = asked.catch(() => undefined);
    return asked;
  }

  async #subscribe(body = '', expires = this.#options.expiresSeconds ?? 3600): Promise<number> {
    const { domain, to } = this.#options;
    const { address, port } = this.#sip;
    const own = `sip:${this.account}@${domain}`;
    this.#cseq += 1;
    const tag = this.#remoteTag === '' ? '' : `;tag=${this.#remoteTag}`;
    const response = await this.#sip.request({
      method: 'SUBSCRIBE',
      uri: this.#target,
      to,
      head: [
        `From: <${own}>;tag=${this.#localTag}`,
        `To: <${own}>${tag}`,
        `Call-ID: ${this.#callId}`,
        `CSeq: ${this.#cseq} SUBSCRIBE`,
        `Contact: <sip:${this.account}@${address}:${port}>`,
        'Event: as-feature-event',
        `Accept: ${TYPE}`,
        'User-Agent: FleetPhone/1.0',
        `Expires: ${expires}`,
        ...(body === '' ? [] : [`Content-Type: ${TYPE}`]),
      ],
      body,
    });
    const status = Number(response.slice(8, 11));
    if (status < 300) {
      this.#remoteTag = /;\s*tag=([^;\s]+)/i.exec(headerOf(response, 'To'))?.[1] ?? '';
      this.#target = uriOf(headerOf(response, 'Contact'));
      // The NOTIFY may have come first.
      if (this.subscription === 'none') this.subscription = 'active';
    }
    return status;
  }

  #notified(request: string, atMs: number): LightReply {
    if (!request.startsWith('NOTIFY ')) return { status: 405 };
    const cseq = Number.parseInt(headerOf(request, 'CSeq'), 10);
    if (this.#lastNotify > 0 && cseq !== this.#lastNotify + 1) this.outOfOrder.push(cseq);
    // RFC 3261 section 12.2.2: an older one must not undo a newer one.
    if (cseq <= this.#lastNotify) return { status: 500 };
    this.#lastNotify = cseq;
    if (this.#options.isTooBusy?.() === true) return { status: 500, head: ['Retry-After: 1'] };
    this.notifies += 1;
    const state = headerOf(request, 'Subscription-State');
    this.subscription = state.startsWith('terminated') ? 'terminated' : 'active';
    const features: string[] = [];
    for (const [text] of bodyOf(request).matchAll(EVENT_DOCUMENT)) {
      const [feature, value] = readEvent(text);
      this.shown.set(feature, value);
      features.push(feature);
    }
    this.#options.onTold?.(this, features, atMs);
    return { status: 200 };
  }
}

function documentOf({ feature, status, forwardTo, ringCount }: FeatureSetting): string {
  const head = `<?xml version="1.0" encoding="ISO-8859-1"?>\r\n`;
  if (feature === 'DoNotDisturb') {
    return `${head}<SetDoNotDisturb ${NAMESPACE}><device/><doNotDisturbOn>${status}</doNotDisturbOn></SetDoNotDisturb>`;
  }
  const parts = [
    '<device/>',
    `<forwardingType>${FORWARDING_TYPES[feature] ?? feature}</forwardingType>`,
    `<activateForward>${status}</activateForward>`,
    ...(forwardTo === undefined ? [] : [`<forwardDN>${forwardTo}</forwardDN>`]),
    ...(ringCount === undefined ? [] : [`<ringCount>${ringCount}</ringCount>`]),
  ];
  return `${head}<SetForwarding ${NAMESPACE}>${parts.join('')}</SetForwarding>`;
}

function readEvent(text: string): [string, ShownFeature] {
  const value = (name: string): string | undefined =>
    new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  const dnd = value('doNotDisturbOn');
  if (dnd !== undefined) return ['DoNotDisturb', { status: dnd === 'true' }];
  const type = value('forwardingType');
  const feature = Object.keys(FORWARDING_TYPES).find((name) => FORWARDING_TYPES[name] === type);
  const forwardTo = value('forwardTo');
  const ringCount = value('ringCount');
  return [
    feature ?? `unknown ${type ?? ''}`,
    {
      status: value('forwardStatus') === 'true',
      ...(forwardTo === undefined ? {} : { forwardTo }),
      ...(ringCount === undefined ? {} : { ringCount: Number(ringCount) }),
    },
  ];
}
