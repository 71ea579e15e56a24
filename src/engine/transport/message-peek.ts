/** What the few fields say by which a message is tied to something under way. Not validated: a guess to look up. */
export type PeekedMessage =
  | {
      readonly type: 'response';
      readonly method: string;
      readonly branch: string;
      readonly callId: string;
    }
  | { readonly type: 'request'; readonly callId: string };

/** Fields behind this many bytes are not seen; honest messages name themselves early. */
const PEEKED_BYTES = 4096;

/** Reads those fields without parsing the message, for a decision that must cost next to nothing. */
export function peekMessage(bytes: Buffer): PeekedMessage {
  const text = bytes.toString('latin1', 0, PEEKED_BYTES);
  const callId = /\n(?:call-id|i)[ \t]*:[ \t]*(\S+)/i.exec(text)?.[1] ?? '';
  if (!text.startsWith('SIP/')) return { type: 'request', callId };
  const branch = /;[ \t]*branch[ \t]*=[ \t]*([^;,\s]+)/i.exec(text)?.[1] ?? '';
  const method = /\ncseq[ \t]*:[ \t]*\d+[ \t]+(\S+)/i.exec(text)?.[1] ?? '';
  return { type: 'response', method, branch, callId };
}
