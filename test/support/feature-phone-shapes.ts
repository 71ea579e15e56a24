/** How phones of different makers write their SUBSCRIBE: order of the header fields, and what else they add. */

import { createHash, randomBytes } from 'node:crypto';
import type { Header } from './sip-text.ts';

export type PhoneShape = 'polycom' | 'yealink' | 'cisco' | 'panasonic';

/** What every SUBSCRIBE has, by name; the shape brings it into order. */
export interface SubscribeFields {
  readonly via: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: string;
  readonly contact: string;
  readonly event: string;
  /** Absent: the header is left out. */
  readonly expires: string | undefined;
  readonly authorization: string | undefined;
  readonly userAgent: string | undefined;
  /** `undefined`: as the maker does it; empty: the header is left out. */
  readonly accept: string | undefined;
}

export const SHAPE_AGENTS: Readonly<Record<PhoneShape, string>> = {
  polycom: 'PolycomVVX-VVX_600-UA/5.4.0.5841',
  yealink: 'Yealink SIP-T46S 66.85.0.5',
  cisco: 'Cisco-CP-8851-3PCC/11.3.1_a1b2c3',
  panasonic: 'Panasonic-KX-HDV230/06.101 (0080f0c0ffee)',
};

const PACKAGE_TYPE = 'application/x-as-feature-event+xml';

/** The order in which each maker writes the fields; those it has no value for are left out. */
const ORDERS: Readonly<Record<PhoneShape, readonly string[]>> = {
  polycom:
    'Via From To CSeq Call-ID Contact Event User-Agent Accept-Language Accept Authorization Max-Forwards Expires'.split(
      ' ',
    ),
  yealink:
    'Via From To Call-ID CSeq Contact Authorization Accept Max-Forwards User-Agent Expires Event'.split(
      ' ',
    ),
  cisco:
    'Via From To Call-ID Session-ID CSeq Max-Forwards Contact Event Accept Authorization User-Agent Expires'.split(
      ' ',
    ),
  panasonic:
    'Max-Breadth Max-Forwards Via From To Call-ID CSeq Contact User-Agent Allow Accept Event Expires Authorization'.split(
      ' ',
    ),
};

/** Without Content-Type and Content-Length, which stand last. */
export function subscribeHeaders(shape: PhoneShape, fields: SubscribeFields): Header[] {
  const values: Readonly<Record<string, string | undefined>> = {
    Via: fields.via,
    From: fields.from,
    To: fields.to,
    'Call-ID': fields.callId,
    CSeq: fields.cseq,
    Contact: fields.contact,
    Event: fields.event,
    Expires: fields.expires,
    Authorization: fields.authorization,
    Accept: fields.accept ?? (shape === 'panasonic' ? '' : acceptOf(shape)),
    'User-Agent': fields.userAgent ?? SHAPE_AGENTS[shape],
    'Max-Forwards': '70',
    'Accept-Language': 'en',
    'Session-ID': `${'0'.repeat(32)};remote=${'0'.repeat(32)}`,
    'Max-Breadth': '60',
    Allow: 'INVITE,ACK,CANCEL,BYE,PRACK,INFO,UPDATE,OPTIONS,NOTIFY,REFER',
  };
  return ORDERS[shape].flatMap((name): Header[] => {
    const value = values[name] ?? '';
    return value === '' ? [] : [[name, value]];
  });
}

function acceptOf(shape: PhoneShape): string {
  return shape === 'cisco' ? `multipart/mixed, ${PACKAGE_TYPE}` : PACKAGE_TYPE;
}

/** The answer of a phone to digest challenges: keeps the nonce and counts its uses, by its own arithmetic. */
export class PhoneDigest {
  readonly #username: string;
  readonly #password: string;
  #challenge: ReadonlyMap<string, string> | undefined;
  #count = 0;

  constructor(credentials: { readonly username: string; readonly password: string }) {
    this.#username = credentials.username;
    this.#password = credentials.password;
  }

  /** Takes the nonce of a 401; of several challenges the first. */
  learn(challenge: string): void {
    this.#challenge = fieldsIn(challenge);
    this.#count = 0;
  }

  forget(): void {
    this.#challenge = undefined;
  }

  /** The value of Authorization; nothing before the first challenge. */
  authorize(method: string, uri: string): string | undefined {
    if (this.#challenge === undefined) return undefined;
    const given = this.#challenge;
    const part = (name: string): string => given.get(name) ?? '';
    const algorithm = part('algorithm') || 'MD5';
    const hash = (text: string): string =>
      createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
        .update(text)
        .digest('hex');
    this.#count += 1;
    const nc = this.#count.toString(16).padStart(8, '0');
    const cnonce = randomBytes(4).toString('hex');
    const secret = hash(`${this.#username}:${part('realm')}:${this.#password}`);
    const qop = part('qop') === '' ? '' : `${nc}:${cnonce}:auth:`;
    const response = hash(`${secret}:${part('nonce')}:${qop}${hash(`${method}:${uri}`)}`);
    const protection = qop === '' ? '' : `,qop=auth,cnonce="${cnonce}",nc=${nc}`;
    const named = `username="${this.#username}",realm="${part('realm')}",nonce="${part('nonce')}"`;
    return `Digest ${named},uri="${uri}",response="${response}",algorithm=${algorithm}${protection}`;
  }
}

function fieldsIn(value: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', quoted, bare = ''] of value.matchAll(
    /([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g,
  )) {
    found.set(name.toLowerCase(), quoted ?? bare);
  }
  return found;
}
