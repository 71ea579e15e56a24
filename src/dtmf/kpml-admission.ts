/**
 * Judges a SUBSCRIBE for kpml before any state changes (RFC 6665 §4.2.1, RFC 4730 §4.7).
 *
 *   no Event, other package, leg without KPML .. 489 + Allow-Events
 *   Accept without kpml-response+xml ........... 406
 *   Expires no number / below the minimum ...... 400 / 423 + Min-Expires
 *   body of another type / not XML / too long .. 415 + Accept / 400 / 413
 *   other dialog, bad document ................. 200, then NOTIFY with a KPML code
 */

import { isAcceptable, matchDialog, parseEvent, parseSeconds } from '../wire/event-headers.ts';
import type { DialogReference, EventHeader } from '../wire/event-headers.ts';
import {
  KPML_PACKAGE,
  KPML_REQUEST_TYPE,
  KPML_RESPONSE_TYPE,
  KpmlError,
  sipStatusOf,
} from '../wire/kpml.ts';
import { attempt } from '../wire/wire-error.ts';
import { parseKpmlRequest } from '../wire/kpml-request.ts';
import type { KpmlRequest } from '../wire/kpml-request.ts';
import { compileDigitPattern } from './digit-pattern.ts';
import type { KpmlDocument, KpmlOddity } from './kpml-subscription.ts';

/** The headers and the body of a SUBSCRIBE as received. */
export interface KpmlSubscribeRequest {
  readonly event: string | undefined;
  readonly expires: string | undefined;
  readonly accept: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export interface KpmlAdmissionRules {
  readonly minExpiresSeconds: number;
  readonly maxExpiresSeconds: number;
  readonly defaultExpiresSeconds: number;
  /** The dialog this notifier serves; without it every reference counts as this dialog. */
  readonly dialog: Required<DialogReference> | undefined;
  /** Packages named in a 489. */
  readonly allowEvents: readonly string[];
}

/** What a body means: a document to load, none, or a document that ends the subscription. */
export type AdmittedBody =
  | { readonly type: 'document'; readonly document: KpmlDocument }
  | { readonly type: 'none' }
  | { readonly type: 'refused'; readonly code: 481 | 501 | 502 | 534 };

export type KpmlAdmission =
  | { readonly type: 'refused'; readonly status: number; readonly headers: Record<string, string> }
  | {
      readonly type: 'admitted';
      readonly id: string;
      readonly expiresSeconds: number;
      readonly body: AdmittedBody;
      readonly oddities: readonly KpmlOddity[];
    };

/** From this duration on a request may not be refused as too short (RFC 6665 §4.2.1.1). */
const NEVER_TOO_SHORT_SECONDS = 3600;

/** Judges `request`. Never throws. */
export function admitSubscribe(
  request: KpmlSubscribeRequest,
  rules: KpmlAdmissionRules,
): KpmlAdmission {
  return attempt(
    () => judge(request, rules),
    (error) => {
      const status = sipStatusOf(error);
      return refuse(status, status === 415 ? { Accept: KPML_REQUEST_TYPE } : {});
    },
  );
}

/** The answer to a SUBSCRIBE for a package, or on a leg, that has no notifier here. */
export function badEvent(allowEvents: readonly string[]): KpmlAdmission & { type: 'refused' } {
  return refuse(489, allowEvents.length === 0 ? {} : { 'Allow-Events': allowEvents.join(', ') });
}

function judge(request: KpmlSubscribeRequest, rules: KpmlAdmissionRules): KpmlAdmission {
  if (request.event === undefined) return badEvent(rules.allowEvents);
  const event = parseEvent(request.event);
  if (event.eventType !== KPML_PACKAGE) return badEvent(rules.allowEvents);
  if (!isAcceptable(request.accept, KPML_RESPONSE_TYPE)) return refuse(406);
  const asked =
    request.expires === undefined ? rules.defaultExpiresSeconds : parseSeconds(request.expires);
  const { minExpiresSeconds } = rules;
  if (asked > 0 && asked < Math.min(minExpiresSeconds, NEVER_TOO_SHORT_SECONDS)) {
    return refuse(423, { 'Min-Expires': String(minExpiresSeconds) });
  }
  const body = readBody(request);
  return {
    type: 'admitted',
    id: event.id ?? '',
    expiresSeconds: Math.min(asked, rules.maxExpiresSeconds),
    ...judgeDialog(event, rules, body),
  };
}

function judgeDialog(
  event: EventHeader,
  rules: KpmlAdmissionRules,
  body: AdmittedBody,
): { body: AdmittedBody; oddities: KpmlOddity[] } {
  const isPersistUnknown = body.type === 'document' && body.document.request.isPersistUnknown;
  const oddities: KpmlOddity[] = isPersistUnknown ? ['unknown-persist'] : [];
  const match = rules.dialog === undefined ? 'same' : matchDialog(event.dialog, rules.dialog);
  if (match === 'other') return { body: { type: 'refused', code: 481 }, oddities };
  return { body, oddities: match === 'swapped' ? ['swapped-tags', ...oddities] : oddities };
}

function readBody(request: KpmlSubscribeRequest): AdmittedBody {
  if (request.body.length === 0) return { type: 'none' };
  return attempt<AdmittedBody>(
    () => compileDocument(parseKpmlRequest(request.body, request.contentType)),
    (error) => {
      if (!(error instanceof KpmlError) || error.refusal.type === 'sip') throw error;
      return { type: 'refused', code: error.refusal.code };
    },
  );
}

/** Makes a document of a request; expressions that cannot be compiled refuse it. */
export function compileDocument(request: KpmlRequest): AdmittedBody {
  const result = compileDigitPattern(request.regexes);
  if (result.type === 'refused') return { type: 'refused', code: 501 };
  return { type: 'document', document: { request, pattern: result.pattern } };
}

function refuse(
  status: number,
  headers: Record<string, string> = {},
): KpmlAdmission & { type: 'refused' } {
  return { type: 'refused', status, headers };
}
