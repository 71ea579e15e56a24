/** Which calls the feature keys of the called account act on. */
import { identityAddresses } from './identity-address.ts';
import { getHeader, type SipRequest } from '../../wire/sip-message.ts';
import type { CallLeg } from '../call-leg.ts';
import { userOf } from '../headers/header-policy.ts';
import type { CallFeatures } from './call-features.ts';
import type { ForwardingPlan } from './call-forwarding.ts';
import { forwardRoutes, type RouteParts } from './forward-routes.ts';
import type { ForwardsInSetUp } from './forwards-in-set-up.ts';

/** Of the services that take emergency calls, to somebody who has made one (RFC 7090 §3). */
const CALLBACK = 'psap-callback';

/** The feature keys, and the forwards that they have in set-up. */
export interface ActingKeys {
  readonly keys: CallFeatures | undefined;
  readonly inSetUp: ForwardsInSetUp;
}

type Caller = Pick<CallLeg, 'settings' | 'sipInterface' | 'remote'>;

/** @returns `undefined` for a call that is set up as if there were no feature keys. */
export function forwardingPlan(
  { keys: features, inSetUp }: ActingKeys,
  invite: SipRequest,
  caller: Caller,
  parts: RouteParts,
): ForwardingPlan | undefined {
  const account = features?.accountAt(invite.uri);
  if (features === undefined || account === undefined || !features.actOn(account)) return undefined;
  if (getHeader(invite, 'Replaces') !== undefined) return undefined;
  // The registrar sends it on to a device: the account has had its say.
  if (isForDevice(parts)) return undefined;
  if (isTrusted(caller) && priorityOf(invite) === CALLBACK) return undefined;
  const calling = callingAccount(features, invite, caller, parts);
  if (calling === account) return undefined;
  return { features, account, caller: calling, routes: forwardRoutes(parts), inSetUp };
}

function isTrusted({ settings }: Caller): boolean {
  return settings.trust.value === 'trusted';
}

function priorityOf(invite: SipRequest): string | undefined {
  return getHeader(invite, 'Priority')?.trim().toLowerCase();
}

/** The account that calls: as a trusted side says, or as From says where that account has registered from there. */
function callingAccount(
  features: CallFeatures,
  invite: SipRequest,
  caller: Caller,
  { registrations, request: { atMs = 0 } }: RouteParts,
): string | undefined {
  const account = identityAddresses(invite, isTrusted(caller))
    .map((address) => features.accountAt(address))
    .find((known) => known !== undefined);
  if (account === undefined || isTrusted(caller)) return account;
  const registered = registrations.aorsAt(caller.sipInterface.name, caller.remote, atMs);
  return registered.some((aor) => features.accountAt(aor) === account) ? account : undefined;
}

function isForDevice({ registrations, request }: RouteParts): boolean {
  const { requestUri, sipInterface, atMs } = request;
  if (sipInterface === undefined || atMs === undefined) return false;
  return registrations.find(userOf(requestUri), sipInterface.name, atMs) !== undefined;
}
