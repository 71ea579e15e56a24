/** Q.850 causes of call records: the peer's own where it named one, else what its SIP status stands for. */

/** RFC 3398 §8.2.6.1, in the order of SIP statuses. */
const CAUSES: Readonly<Record<number, number>> = {
  400: 41,
  401: 21,
  402: 21,
  403: 21,
  404: 1,
  405: 63,
  406: 79,
  407: 21,
  408: 102,
  410: 22,
  413: 127,
  414: 127,
  415: 79,
  416: 127,
  420: 127,
  421: 127,
  423: 127,
  480: 18,
  481: 41,
  482: 25,
  483: 25,
  484: 28,
  485: 1,
  486: 17,
  488: 127,
  500: 41,
  501: 79,
  502: 38,
  503: 41,
  504: 102,
  505: 127,
  513: 127,
  600: 17,
  603: 21,
  604: 1,
  606: 127,
};
/** Interworking, unspecified. */
const UNSPECIFIED = 127;
const MAX_CAUSE = 127;

/** The cause that a refusal with `status` stands for. */
export function q850OfStatus(status: number): number {
  return CAUSES[status] ?? UNSPECIFIED;
}

/** The cause in a Reason header (RFC 3326); `undefined` when it names none of Q.850. */
export function q850InReason(reason: string | undefined): number | undefined {
  const match = /(?:^|,)\s*Q\.850\s*;[^,]*?\bcause\s*=\s*(\d{1,3})(?!\d)/i.exec(reason ?? '');
  const cause = Number(match?.[1] ?? 0);
  return cause >= 1 && cause <= MAX_CAUSE ? cause : undefined;
}
