/** Which calls the feature keys of the called account act on. */
import { identityAddress } from './identity-address.ts';
import { getHeader, type SipRequest } from '../../wire/sip-message.ts';
import type { CallLeg } from '../call-leg.ts';
import { userOf } from '../headers/header-policy.ts';
import type { CallFeatures } from './call-features.ts';
import type { ForwardingPlan } from './call-forwarding.ts';
import { forwardRoutes, type RouteParts } from './forward-routes.ts';

/** Of the services that take emergency calls, to somebody who has made one (RFC 7090 §3). */
const CALLBACK = 'psap-callback';

/** @returns `undefined` for a call that is set up as if there were no feature keys. */
export function forwardingPlan(
  features: CallFeatures | undefined,
  invite: SipRequest,
  caller: Pick<CallLeg, 'settings'>,
  parts: RouteParts,
): ForwardingPlan | undefined {
  const account = features?.accountAt(invite.uri);
  if (features === undefined || account === undefined || !features.actOn(account)) return undefined;
  if (getHeader(invite, 'Replaces') !== undefined) return undefined;
  // The registrar sends it on to a device: the account has had its say.
  if (isForDevice(parts)) return undefined;
  if (getHeader(invite, 'Priority')?.trim().toLowerCase() === CALLBACK) return undefined;
  const address = identityAddress(invite, caller.settings.trust.value === 'trusted');
  const calling = address === undefined ? undefined : features.accountAt(address);
  if (calling === account) return undefined;
  return { features, account, caller: calling, routes: forwardRoutes(parts) };
}

function isForDevice({ registrations, request }: RouteParts): boolean {
  const { requestUri, sipInterface, atMs } = request;
  if (sipInterface === undefined || atMs === undefined) return false;
  return registrations.find(userOf(requestUri), sipInterface.name, atMs) !== undefined;
}
