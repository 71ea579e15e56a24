/**
 * A phone with feature keys, as small as one can be: it subscribes to as-feature-event with its digest credentials, sends
 * its key presses as SUBSCRIBE bodies, and shows what the NOTIFYs say.
 */
import { randomBytes } from 'node:crypto';
import { digestHash, newClientNonce } from '../sip/digest-hash.ts';
import {
  digestKey,
  digestResponse,
  formatAnswer,
  parseChallenges,
  type DigestChallenge,
} from '../wire/digest.ts';
import { FEATURE_TYPE } from '../wire/feature-body.ts';
import type { Feature, FeatureReport } from '../wire/feature-event.ts';
import { readFeatureReports } from '../wire/feature-reports.ts';
import { parseNameAddr, tagOf } from '../wire/sip-headers.ts';
import {
  getHeader,
  getHeaders,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../wire/sip-message.ts';
import { escapeXml } from '../wire/xml.ts';
import { DemoPhoneWire } from './demo-phone-wire.ts';

const NAMESPACE = 'http://www.ecma-international.org/standards/ecma-323/csta/ed3';
const FORWARDING_TYPES = {
  CallForwardingAlways: 'forwardImmediate',
  CallForwardingBusy: 'forwardBusy',
  CallForwardingNoAnswer: 'forwardNoAns',
} as const;

export interface DemoPhoneOptions {
  readonly user: string;
  readonly password: string;
  readonly domain: string;
  readonly userAgent: string;
  readonly server: { readonly address: string; readonly port: number };
  /** Every message, as it goes by. */
  readonly onMessage: (message: SipMessage, way: 'in' | 'out') => void;
}

export interface KeyPress {
  readonly feature: Feature;
  readonly status: boolean;
  readonly forwardTo?: string;
  readonly ringCount?: number;
}

interface Dialog {
  readonly callId: string;
  readonly localTag: string;
  remoteTag: string | undefined;
  target: string;
  cseq: number;
}

export class DemoPhone {
  /** What the display shows. */
  readonly shown = new Map<Feature, FeatureReport>();
  /** The value of the last Subscription-State; empty before the first NOTIFY. */
  subscriptionState = '';
  /** NOTIFYs of all dialogs. */
  notifies = 0;

  readonly #options: DemoPhoneOptions;
  #wire: DemoPhoneWire | undefined;
  #dialog: Dialog;
  #challenge: DigestChallenge | undefined;
  #nonceCount = 0;

  private constructor(options: DemoPhoneOptions) {
    this.#options = options;
    this.#dialog = this.#newDialog();
  }

  static async open(options: DemoPhoneOptions): Promise<DemoPhone> {
    const phone = new DemoPhone(options);
    phone.#wire = await DemoPhoneWire.open(options.server, {
      seen: options.onMessage,
      request: (request) => phone.#receive(request),
    });
    return phone;
  }

  async close(): Promise<void> {
    await this.#wire?.close();
  }

  /** A subscription in a new dialog, as after the phone was started. */
  subscribe(expiresSeconds: number): Promise<SipResponse> {
    this.#dialog = this.#newDialog();
    this.shown.clear();
    return this.refresh(expiresSeconds);
  }

  /** SUBSCRIBE without body in the dialog; 0 leaves. */
  refresh(expiresSeconds: number): Promise<SipResponse> {
    return this.#subscribe(expiresSeconds, '');
  }

  /** SUBSCRIBE with the document of a key. */
  press(key: KeyPress): Promise<SipResponse> {
    return this.#subscribe(3600, documentOf(key));
  }

  async #subscribe(expiresSeconds: number, body: string): Promise<SipResponse> {
    let response = await this.#send(expiresSeconds, body);
    if (response.status === 401) {
      [this.#challenge] = parseChallenges(getHeaders(response, 'WWW-Authenticate'));
      this.#nonceCount = 0;
      response = await this.#send(expiresSeconds, body);
    }
    if (response.status < 300) {
      this.#dialog.remoteTag = tagOf(getHeader(response, 'To') ?? '');
      const contact = getHeader(response, 'Contact');
      if (contact !== undefined) this.#dialog.target = parseNameAddr(contact).uri;
    }
    return response;
  }

  #send(expiresSeconds: number, body: string): Promise<SipResponse> {
    const dialog = this.#dialog;
    const { user, domain, userAgent } = this.#options;
    const own = `<sip:${user}@${domain}>`;
    dialog.cseq += 1;
    const fields: [string, string][] = [
      ['Max-Forwards', '70'],
      ['From', `${own};tag=${dialog.localTag}`],
      ['To', dialog.remoteTag === undefined ? own : `${own};tag=${dialog.remoteTag}`],
      ['Call-ID', dialog.callId],
      ['CSeq', `${dialog.cseq} SUBSCRIBE`],
      ['Contact', `<sip:${user}@127.0.0.1:${this.#opened().port}>`],
      ['Event', 'as-feature-event'],
      ['Accept', FEATURE_TYPE],
      ['User-Agent', userAgent],
      ['Expires', String(expiresSeconds)],
      ...this.#credentials(dialog.target),
    ];
    if (body !== '') fields.push(['Content-Type', FEATURE_TYPE]);
    const headers = fields.map(([name, value]): SipHeader => ({ name, value }));
    const bytes = Buffer.from(body, 'latin1');
    const request: SipRequest = {
      type: 'request',
      method: 'SUBSCRIBE',
      uri: dialog.target,
      headers,
      body: bytes,
    };
    return this.#opened().request(request, `z9hG4bK${randomBytes(8).toString('hex')}`);
  }

  /** The credentials for the challenge that came last, unasked. */
  #credentials(uri: string): [string, string][] {
    const challenge = this.#challenge;
    if (challenge === undefined) return [];
    const { user: username, password } = this.#options;
    const { realm, nonce, algorithm, opaque, qop } = challenge;
    this.#nonceCount += 1;
    const key = digestKey(digestHash, 'MD5', { username, realm, password });
    const protection =
      qop === undefined
        ? undefined
        : { qop, cnonce: newClientNonce(), nonceCount: this.#nonceCount };
    const answer = { username, realm, nonce, uri, algorithm, opaque, protection };
    const subject = { method: 'SUBSCRIBE', body: Buffer.alloc(0) };
    const response = digestResponse(digestHash, key, answer, subject) ?? '';
    return [['Authorization', formatAnswer({ ...answer, response })]];
  }

  #receive(request: SipRequest): number {
    if (request.method !== 'NOTIFY') return 405;
    if (getHeader(request, 'Call-ID') !== this.#dialog.callId) return 481;
    this.notifies += 1;
    this.subscriptionState = getHeader(request, 'Subscription-State') ?? '';
    const reports = reportsOf(request);
    // Nothing marks a full body; in the demo a partial one never names three. What a full one leaves out is gone.
    if (reports.length > 2) this.shown.clear();
    for (const report of reports) this.shown.set(report.feature, report);
    return 200;
  }

  #newDialog(): Dialog {
    const { user, domain } = this.#options;
    return {
      callId: randomBytes(8).toString('hex'),
      localTag: randomBytes(4).toString('hex'),
      remoteTag: undefined,
      target: `sip:${user}@${domain}`,
      cseq: 0,
    };
  }

  #opened(): DemoPhoneWire {
    if (this.#wire === undefined) throw new Error('the phone is not open');
    return this.#wire;
  }
}

/** The event documents of a NOTIFY. */
export function reportsOf(request: SipRequest): readonly FeatureReport[] {
  return readFeatureReports(getHeader(request, 'Content-Type') ?? '', request.body);
}

function documentOf({ feature, status, forwardTo, ringCount }: KeyPress): string {
  const head = '<?xml version="1.0" encoding="ISO-8859-1"?>\n';
  if (feature === 'DoNotDisturb') {
    const value = `<device></device><doNotDisturbOn>${status}</doNotDisturbOn>`;
    return `${head}<SetDoNotDisturb xmlns="${NAMESPACE}">${value}</SetDoNotDisturb>`;
  }
  const parts = [
    '<device></device>',
    `<forwardingType>${FORWARDING_TYPES[feature]}</forwardingType>`,
    `<activateForward>${status}</activateForward>`,
    `<forwardDN>${escapeXml(forwardTo ?? '')}</forwardDN>`,
    ...(ringCount === undefined ? [] : [`<ringCount>${ringCount}</ringCount>`]),
  ];
  return `${head}<SetForwarding xmlns="${NAMESPACE}">${parts.join('')}</SetForwarding>`;
}
