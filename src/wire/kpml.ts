/** What KPML requests and responses have in common (RFC 4730): names, keys and the failures of reading. */

import type { Digit } from './telephone-event.ts';
import { WireError } from './wire-error.ts';
import type { XmlRefusal } from './xml.ts';

export const KPML_PACKAGE = 'kpml';
export const KPML_REQUEST_TYPE = 'application/kpml-request+xml';
export const KPML_RESPONSE_TYPE = 'application/kpml-response+xml';
export const KPML_REQUEST_NAMESPACE = 'urn:ietf:params:xml:ns:kpml-request';
export const KPML_RESPONSE_NAMESPACE = 'urn:ietf:params:xml:ns:kpml-response';

/** A key of a telephone: a DTMF digit, or `R` for the hook flash (register recall). */
export type KpmlKey = Digit | 'R';

/** How a body that cannot be read is answered: by a SIP status, or by a KPML code after a 200. */
export type KpmlRefusal =
  | { readonly type: 'sip'; readonly status: 400 | 413 | 415 }
  | { readonly type: 'kpml'; readonly code: 501 | 502 | 534 };

/** A KPML body that cannot be used; `refusal` is the answer its sender gets. */
export class KpmlError extends WireError {
  override readonly name = 'KpmlError';
  readonly refusal: KpmlRefusal;

  constructor(refusal: KpmlRefusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

/** The SIP status that answers a request with this error in it. */
export function sipStatusOf(error: WireError): number {
  return error instanceof KpmlError && error.refusal.type === 'sip' ? error.refusal.status : 400;
}

/** The answer to a request body that is no readable document (RFC 4730 §4.7 leaves it open). */
export const REQUEST_REFUSALS: Readonly<Record<XmlRefusal, KpmlRefusal>> = {
  'too-large': { type: 'sip', status: 413 },
  'not-xml': { type: 'sip', status: 400 },
  encoding: { type: 'kpml', code: 501 },
  'foreign-namespace': { type: 'kpml', code: 502 },
};

/** The answer to a response body that is no readable document: always a SIP status. */
export const RESPONSE_REFUSALS: Readonly<Record<XmlRefusal, KpmlRefusal>> = {
  'too-large': { type: 'sip', status: 413 },
  'not-xml': { type: 'sip', status: 400 },
  encoding: { type: 'sip', status: 400 },
  'foreign-namespace': { type: 'sip', status: 400 },
};

/** All keys; those with a telephone-event stand at the index of their code. */
export const KPML_KEYS = '0123456789*#ABCDR';

/** The key that `character` stands for, letters in either case; `undefined` for anything else. */
export function kpmlKeyOf(character: string): KpmlKey | undefined {
  const upper = character.toUpperCase();
  return isKpmlKey(upper) ? upper : undefined;
}

function isKpmlKey(text: string): text is KpmlKey {
  return text.length === 1 && KPML_KEYS.includes(text);
}
