/** Usual reason phrases (RFC 3261 §21) of the answers that are told to others. */
const PHRASES: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  181: 'Call Is Being Forwarded',
  182: 'Queued',
  183: 'Session Progress',
  200: 'OK',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  484: 'Address Incomplete',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  491: 'Request Pending',
  500: 'Server Internal Error',
  503: 'Service Unavailable',
  600: 'Busy Everywhere',
  603: 'Decline',
};

/** Never empty; that of the class for a status without a phrase of its own. */
export function phraseOf(status: number): string {
  const ofClass = status < 200 ? 'Progress' : status < 300 ? 'OK' : 'Failure';
  return PHRASES[status] ?? ofClass;
}
