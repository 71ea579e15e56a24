/** The descriptions that a party moves with from one call to another. */
import { formatSdp, parseSdp } from '../../wire/sdp.ts';
import { withoutHold } from '../offer/sdp-insertion.ts';

/** What a party wrote in its old call as an offer to somebody else: media both ways, whoever was on hold before. */
export function offerAnew(text: string): string {
  return formatSdp(withoutHold(parseSdp(text)));
}
