/**
 * What an application says: the token line of a payload as one union.
 *
 *   <id>|authenticate|<secret>|<tag,tag>      <id>|route|<method>      <id>|remove_route|<method>      <id>|ping
 *   <id>|sip|<transactionId>|<dialogId>[|<next hop>] CRLF <SIP message>
 */
export type AppMessage =
  | {
      readonly type: 'authenticate';
      readonly messageId: string;
      readonly secret: string;
      /** What the application says of itself. */
      readonly tags: readonly string[];
    }
  | { readonly type: 'route'; readonly messageId: string; readonly method: string }
  | { readonly type: 'removeRoute'; readonly messageId: string; readonly method: string }
  | { readonly type: 'ping'; readonly messageId: string }
  | SipCommand
  | { readonly type: 'unsupported'; readonly messageId: string; readonly verb: string };

/** A SIP message the application wants sent. Absent tokens are empty strings. */
export interface SipCommand {
  readonly type: 'sip';
  readonly messageId: string;
  readonly transactionId: string;
  readonly dialogId: string;
  readonly nextHop: string;
  /** The SIP message as the application wrote it. */
  readonly text: Buffer;
}

/** Reads one payload; undefined when it has no message id and verb. */
export function parseAppMessage(payload: Buffer): AppMessage | undefined {
  const lineEnd = payload.indexOf('\r');
  const line = payload.toString('utf8', 0, lineEnd < 0 ? payload.length : lineEnd);
  const [messageId = '', verb = '', ...tokens] = line.split('|');
  if (messageId === '' || verb === '') return undefined;
  const [first = '', second = '', third = ''] = tokens;
  switch (verb) {
    case 'authenticate':
      return { type: 'authenticate', messageId, secret: first, tags: second.split(',') };
    case 'route':
      return { type: 'route', messageId, method: first.toLowerCase() };
    case 'remove_route':
      return { type: 'removeRoute', messageId, method: first.toLowerCase() };
    case 'ping':
      return { type: 'ping', messageId };
    case 'sip': {
      const text = lineEnd < 0 ? Buffer.alloc(0) : payload.subarray(lineEnd + 2);
      const ids = { transactionId: first, dialogId: second, nextHop: third };
      return { type: 'sip', messageId, ...ids, text };
    }
    default:
      return { type: 'unsupported', messageId, verb };
  }
}
