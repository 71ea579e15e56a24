/** Folds what a peer chooses freely into closed lists, so that nobody can make the metrics grow. */

const METHODS: ReadonlySet<string> = new Set([
  'ACK',
  'BYE',
  'CANCEL',
  'INFO',
  'INVITE',
  'MESSAGE',
  'NOTIFY',
  'OPTIONS',
  'PRACK',
  'PUBLISH',
  'REFER',
  'REGISTER',
  'SUBSCRIBE',
  'UPDATE',
]);

/** Final answers that operators tell apart; all others are shown by class. */
const STATUSES: ReadonlySet<number> = new Set([
  200, 202, 301, 302, 400, 401, 403, 404, 405, 406, 407, 408, 410, 413, 415, 416, 420, 422, 423,
  429, 480, 481, 482, 483, 484, 486, 487, 488, 489, 491, 500, 501, 502, 503, 504, 513, 600, 603,
  604, 606,
]);

/** The method, or `other` for one that no RFC names. */
export function methodLabel(method: string): string {
  return METHODS.has(method) ? method : 'other';
}

/** The status itself when it is a common one, else its class such as `4xx`, else `other`. */
export function statusLabel(status: number): string {
  if (STATUSES.has(status)) return String(status);
  const statusClass = Math.trunc(status / 100);
  return statusClass >= 1 && statusClass <= 6 ? `${statusClass}xx` : 'other';
}
