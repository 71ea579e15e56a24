/** The headers and bodies of the messages that set up a call, on either leg. */
import type { RespondOptions } from '../../sip/sip-connection.ts';
import { ALLOWED_METHODS, listsExtension } from '../../sip/stray-requests.ts';
import type { Hop } from '../../trunk/policy.ts';
import type { Side } from '../../wire/side.ts';
import { getHeader, type SipMessage, type SipResponse } from '../../wire/sip-message.ts';
import { hopTransport } from '../call-leg.ts';
import { type CallForwards, forwardHeaders, type ForwardTold } from '../forward/forward-chain.ts';
import type { Forwarded } from '../call-session.ts';
import { translatedCaller, translatedHeaders } from '../headers/calling-number.ts';
import { crossing, type CrossingMessage, leaving, pathFrom } from '../headers/header-crossing.ts';
import {
  allowEventsHeader,
  ANONYMOUS,
  callerHeaders,
  type CallerIdentity,
  callerIdentity,
  maxForwardsOf,
  PRODUCT,
} from '../headers/header-policy.ts';
import { type PolicyLeg, shows } from '../headers/header-topology.ts';

const SDP_TYPE = { 'Content-Type': 'application/sdp' };

/** What crosses from the message of one leg to that of the other, as the session made it. */
export type Crossing = Pick<Forwarded, 'sdp' | 'allowEvents'>;

/** Both legs of the call. */
export type PolicyLegs = Readonly<Record<Side, PolicyLeg>>;

/** Whether a 1xx is repeated until its PRACK (RFC 3262 §4). */
export function isReliable(response: SipResponse): boolean {
  return listsExtension(response, 'Require', '100rel') && getHeader(response, 'RSeq') !== undefined;
}

/** Where an INVITE goes, and the forwards that it goes there by. */
export interface InvitePlace {
  readonly hop: Hop;
  readonly legs: PolicyLegs;
  readonly forwards: CallForwards;
}

/** The INVITE to `hop` on account of the caller's. */
export function inviteOptions(
  invite: SipMessage,
  { hop, legs, forwards }: InvitePlace,
  forwarded: Crossing,
): { headers: Record<string, string>; body?: string } {
  // A callee that has no offer could put one into a reliable 1xx, and the caller would have to answer it in a PRACK.
  const supported = invite.body.length === 0 ? {} : { Supported: '100rel' };
  const crossed = crossing(invite, pathFrom('caller', legs), true);
  const identity = translatedCaller(shownCaller(invite, crossed), hop);
  const told: ForwardTold = {
    ...forwards,
    asked: hop.agent?.diversionHeaders,
    isTrusted: legs.callee.settings.trust.value === 'trusted',
    called: hop.requestUri,
  };
  const headers = {
    ...translatedHeaders(crossed.headers, hop),
    ...forwardHeaders(crossed.headers, told),
    ...callerHeaders(identity, hopTransport(hop), hop.requestUri),
    To: `<${hop.requestUri}>`,
    'Max-Forwards': String(maxForwardsOf(invite) - 1),
    Allow: ALLOWED_METHODS,
    ...supported,
    'User-Agent': PRODUCT,
    ...allowEventsHeader(invite, forwarded.allowEvents),
  };
  return withSdp(leaving(headers, legs.callee, { method: 'INVITE' }), forwarded.sdp);
}

function shownCaller(
  invite: SipMessage,
  { hidesCaller, names }: Pick<CrossingMessage, 'hidesCaller' | 'names'>,
): CallerIdentity {
  if (hidesCaller) return ANONYMOUS;
  const { user, displayName, isAnonymous } = callerIdentity(invite);
  // Parameters of a number name trunks and contexts of the other side.
  const [number = ''] = user.split(';', 1);
  const isShown = displayName !== undefined && !shows(displayName, names);
  return {
    user: shows(number, names) ? ANONYMOUS.user : number,
    displayName: isShown ? displayName : undefined,
    isAnonymous,
  };
}

/** A 1xx to the caller on account of the callee's. */
export function progressOptions(
  { response, legs }: { readonly response: SipResponse; readonly legs: PolicyLegs },
  forwarded: Crossing,
  isSentReliably: boolean,
): RespondOptions {
  const { headers: crossed, phrase } = crossing(response, pathFrom('callee', legs));
  const headers = {
    ...crossed,
    ...(isSentReliably ? { Require: '100rel' } : {}),
    ...allowEventsHeader(response, forwarded.allowEvents),
  };
  return { ...phrase, ...withSdp(toCaller(headers, response, legs), forwarded.sdp) };
}

/** The 181 to `caller`, before the call goes on to another target. */
export function forwardedOptions(
  headers: Record<string, string>,
  caller: PolicyLeg,
  isSentReliably: boolean,
): RespondOptions {
  const all = { ...headers, ...(isSentReliably ? { Require: '100rel' } : {}) };
  return { headers: leaving(all, caller, { method: 'INVITE', status: 181 }) };
}

/** The 200 to the caller on account of the callee's. */
export function acceptOptions(
  { response, legs }: { readonly response: SipResponse; readonly legs: PolicyLegs },
  forwarded: Crossing,
): RespondOptions {
  const headers = {
    ...crossing(response, pathFrom('callee', legs)).headers,
    ...allowEventsHeader(response, forwarded.allowEvents),
    Allow: ALLOWED_METHODS,
    Server: PRODUCT,
  };
  return withSdp(toCaller(headers, response, legs), forwarded.sdp);
}

/** The refusal to the caller with `status` on account of the callee's `response`. */
export function refusalOptions(
  status: number,
  response: SipResponse | undefined,
  legs: PolicyLegs,
): RespondOptions {
  if (response === undefined) return {};
  const { headers, phrase } = crossing(response, pathFrom('callee', legs));
  // A reason phrase belongs to its own status only.
  const reason = response.status === status ? phrase : {};
  return { ...reason, headers: leaving(headers, legs.caller, { method: 'INVITE', status }) };
}

function toCaller(
  headers: Record<string, string>,
  { status }: SipResponse,
  { caller }: PolicyLegs,
): Record<string, string> {
  return leaving(headers, caller, { method: 'INVITE', status });
}

function withSdp(
  headers: Record<string, string>,
  sdp: string | undefined,
): { headers: Record<string, string>; body?: string } {
  return sdp === undefined ? { headers } : { headers: { ...headers, ...SDP_TYPE }, body: sdp };
}
