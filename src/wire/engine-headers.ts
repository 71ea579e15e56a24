/** Header fields between the application and the embedded SIP engine, which never cross the network. */

/** Value `keep`: the request stays on the transport of its dialog, whatever its size. */
export const TRANSPORT_FIELD = 'X-Tonebridge-Transport';

/** The body in base64, where it is no UTF-8 and would not survive as text. */
export const BODY_FIELD = 'X-Tonebridge-Body';

/** Bodies above this are not carried in a header field. */
export const MAX_FIELD_BODY_BYTES = 16_384;

/** Whether a field, by its name in lower case, is one of these. */
export function isEngineField(key: string): boolean {
  return key === TRANSPORT_FIELD.toLowerCase() || key === BODY_FIELD.toLowerCase();
}
