/** Header fields between the application and the embedded SIP engine, which never cross the network. */

/** Value `keep`: the request stays on the transport of its dialog, whatever its size. */
export const TRANSPORT_FIELD = 'X-Tonebridge-Transport';

/** Value `application`, in a 2xx to SUBSCRIBE: later SUBSCRIBEs in the dialog come to the application whatever their CSeq. */
export const ORDER_FIELD = 'X-Tonebridge-Order';

/** The body in base64, where it is no UTF-8 and would not survive as text. */
export const BODY_FIELD = 'X-Tonebridge-Body';

/** Bodies above this are not carried in a header field. */
export const MAX_FIELD_BODY_BYTES = 16_384;

const ENGINE_FIELDS: ReadonlySet<string> = new Set(
  [TRANSPORT_FIELD, ORDER_FIELD, BODY_FIELD].map((name) => name.toLowerCase()),
);

/** Whether a field, by its name in lower case, is one of these. */
export function isEngineField(key: string): boolean {
  return ENGINE_FIELDS.has(key);
}
