/** INVITEs that are to take the place of one side of an answered call (RFC 3891 §3). */
import { parseReplaces, type Replaces } from '../../wire/replaces.ts';
import { getHeaders, type SipMessage } from '../../wire/sip-message.ts';
import { otherSide } from '../../wire/side.ts';
import { WireError } from '../../wire/wire-error.ts';
import type { CallLeg } from '../call-leg.ts';
import type { StandingLegs } from '../call-plan.ts';
import { invitesStanding } from './standing-callee.ts';
import { StandingLeg } from './standing-leg.ts';
import type { NamedLeg } from './transfer-host.ts';

export type ReplacesRequest =
  | { readonly type: 'none' }
  /** To ignore the header would place a second call beside the first. */
  | { readonly type: 'refused'; readonly status: 400 | 403 | 481 | 486 }
  | { readonly type: 'replace'; readonly leg: NamedLeg };

/**
 * What an INVITE asks to replace: 403 for a leg of ours when its sender may not, 481 for any other dialog, 486 for an
 * answered one that is wanted only if it is not, 400 for more than one.
 */
export function readReplaces(
  invite: SipMessage,
  {
    isEnabled,
    find,
  }: {
    readonly isEnabled: boolean;
    readonly find: (replaces: Replaces) => NamedLeg | undefined;
  },
): ReplacesRequest {
  const [value, ...others] = getHeaders(invite, 'Replaces');
  if (value === undefined) return { type: 'none' };
  if (others.length > 0) return { type: 'refused', status: 400 };
  try {
    const replaces = parseReplaces(value);
    const leg = find(replaces);
    if (leg === undefined) return { type: 'refused', status: 481 };
    if (!isEnabled) return { type: 'refused', status: 403 };
    if (!leg.call.isTalking) return { type: 'refused', status: 481 };
    return replaces.isEarlyOnly ? { type: 'refused', status: 486 } : { type: 'replace', leg };
  } catch (error) {
    if (error instanceof WireError) return { type: 'refused', status: 400 };
    throw error;
  }
}

/** The party that stays when `leg` is replaced, as the callee of a new call; `undefined` when a transfer has it already. */
export function partnerOf(
  { call, side }: NamedLeg,
  onBug: (error: unknown) => void,
): { callee: CallLeg; standing: StandingLegs } | undefined {
  const standing = StandingLeg.borrow({ call, side: otherSide(side) }, () => undefined);
  if (standing === undefined) return undefined;
  return {
    callee: standing.leg.movedTo('callee'),
    standing: {
      sides: { callee: standing.place },
      origin: { type: 'replaces', from: [call.id] },
      inviteCallee: invitesStanding(standing, { name: 'transferred', by: side }, onBug),
      giveBack: () => standing.giveBack(),
    },
  };
}
