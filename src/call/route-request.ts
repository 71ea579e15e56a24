/** What of an INVITE decides where it goes. */
import { telUser } from '../trunk/numbering.ts';
import type { RouteRequest } from '../trunk/policy.ts';
import { splitHeaderList } from '../wire/sip-headers.ts';
import { getHeader, type SipRequest } from '../wire/sip-message.ts';
import type { CallLeg } from './call-leg.ts';
import { ANONYMOUS, callerIdentity, identityIn, userOf } from './headers/header-policy.ts';

/** `atMs` since the epoch. */
export function routeRequest(message: SipRequest, caller: CallLeg, atMs: number): RouteRequest {
  const { agent, realm, sipInterface } = caller;
  const { method, uri: requestUri } = message;
  return {
    fromRealm: realm.name,
    fromAgent: agent,
    sipInterface,
    calledNumber: telUser(requestUri) ?? userOf(requestUri) ?? '',
    callingNumber: callingUser(message, caller.settings.trust.value === 'trusted'),
    requestUri,
    method,
    atMs,
  };
}

/** The user in From, or what a trusted side asserts where From shows none. */
function callingUser(message: SipRequest, isTrusted: boolean): string {
  const { user, isAnonymous } = callerIdentity(message);
  if (!isAnonymous && user.toLowerCase() !== ANONYMOUS.user) return user;
  const asserted = isTrusted ? (getHeader(message, 'P-Asserted-Identity') ?? '') : '';
  try {
    const [first = ''] = splitHeaderList(asserted);
    return identityIn(first).user;
  } catch {
    return user;
  }
}
