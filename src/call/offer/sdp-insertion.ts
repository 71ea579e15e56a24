/** SDP insertion (add-sdp-invite): the offer in place of a party that leaves it to the other side. */
import { isUnspecified, parseConnection } from '../../wire/sdp-address.ts';
import { parseDirection } from '../../wire/sdp-media.ts';
import { buildSdp, type Sdp } from '../../wire/sdp.ts';
import { newOffer } from './offer-answer-rewrite.ts';

/** The offer, if `setting` wants one; `agreed` is what the party wrote last in the session. */
export function insertionFor(setting: string, agreed: Sdp | undefined): Sdp | undefined {
  const isWanted = setting === 'both' || setting === (agreed === undefined ? 'invite' : 'reinvite');
  if (!isWanted) return undefined;
  return agreed === undefined ? newOffer() : withoutNowhere(withoutHold(agreed));
}

/** Media both ways, whoever was on hold before: a hold is ended by an INVITE without offer, too (RFC 6337 §5.3). */
export function withoutHold(sdp: Sdp): Sdp {
  return withoutLines(sdp, (line) => parseDirection(line) !== undefined);
}

/** The address of an old-style hold is none of ours, which takes its place where there is no c= line. */
function withoutNowhere(sdp: Sdp): Sdp {
  return withoutLines(sdp, (line) => {
    const address = line.startsWith('c=') ? parseConnection(line.slice(2)) : undefined;
    return address !== undefined && isUnspecified(address);
  });
}

function withoutLines(sdp: Sdp, isUnwanted: (line: string) => boolean): Sdp {
  const kept = (lines: readonly string[]): string[] => lines.filter((line) => !isUnwanted(line));
  return buildSdp(
    kept(sdp.session),
    sdp.media.map(({ lines }) => kept(lines)),
  );
}
