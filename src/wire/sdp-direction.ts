/** Which way media may go between an offer and its answer (RFC 3264 §6.1). */

import { type MediaDirection, parseDirection } from './sdp-media.ts';
import { buildSdp } from './sdp.ts';
import type { Sdp } from './sdp.ts';

/** The direction of an answer, as far as that of the offer leaves it. */
export function allowedInAnswer(offered: MediaDirection, answered: MediaDirection): MediaDirection {
  const receives = sends(offered) && receivesIn(answered);
  const sendsBack = receivesIn(offered) && sends(answered);
  if (receives) return sendsBack ? 'sendrecv' : 'recvonly';
  return sendsBack ? 'sendonly' : 'inactive';
}

/** Gives section `index` that direction, by an attribute of its own. */
export function setDirection(sdp: Sdp, index: number, direction: MediaDirection): Sdp {
  const sections = sdp.media.map((media) => {
    if (media.index !== index) return media.lines;
    const rest = media.lines.filter((line) => parseDirection(line) === undefined);
    return [...rest, `a=${direction}`];
  });
  return buildSdp(sdp.session, sections);
}

function sends(direction: MediaDirection): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

function receivesIn(direction: MediaDirection): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}
