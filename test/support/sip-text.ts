/** SIP messages as the test peers read and write them: plain text and header lists, no product code. */

export type Header = readonly [name: string, value: string];

export interface SipText {
  readonly startLine: string;
  readonly headers: readonly Header[];
  readonly body: string;
}

const COMPACT_NAMES: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  c: 'content-type',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
};

/** Reads one whole message; folded lines are joined. */
export function parseSipText(text: string): SipText {
  const split = text.indexOf('\r\n\r\n');
  const head = split < 0 ? text : text.slice(0, split);
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = lines.slice(1).map((line): Header => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  return { startLine: lines[0] ?? '', headers, body: split < 0 ? '' : text.slice(split + 4) };
}

/** Writes the message with its exact Content-Length as the last header. */
export function formatSipText(message: SipText): string {
  const lines = message.headers
    .filter(([name]) => longName(name) !== 'content-length')
    .map(([name, value]) => `${name}: ${value}`);
  lines.push(`Content-Length: ${Buffer.byteLength(message.body)}`);
  return `${message.startLine}\r\n${lines.join('\r\n')}\r\n\r\n${message.body}`;
}

/** Every value of a header, compact form and any case included. */
export function headerValues(message: SipText, name: string): string[] {
  const wanted = longName(name);
  return message.headers.filter(([key]) => longName(key) === wanted).map(([, value]) => value);
}

/** The first value of a header. */
export function headerValue(message: SipText, name: string): string | undefined {
  return headerValues(message, name)[0];
}

/** The first value of a header that must be there. */
export function requiredHeader(message: SipText, name: string): string {
  const value = headerValue(message, name);
  if (value === undefined) throw new Error(`no ${name} in:\n${formatSipText(message)}`);
  return value;
}

/** The comma-separated tokens of all values of a header. */
export function headerTokens(message: SipText, name: string): string[] {
  return headerValues(message, name)
    .flatMap((value) => value.split(','))
    .map((token) => token.trim())
    .filter((token) => token !== '');
}

/** The message with one header replaced, or added at the end. */
export function withHeader(message: SipText, name: string, value: string): SipText {
  const wanted = longName(name);
  const rest = message.headers.filter(([key]) => longName(key) !== wanted);
  return { ...message, headers: [...rest, [name, value]] };
}

/** The status code, or `undefined` for a request. */
export function statusOf(message: SipText): number | undefined {
  const match = /^SIP\/2\.0 (\d{3})/.exec(message.startLine);
  return match === null ? undefined : Number(match[1]);
}

/** The method of a request, or the one the CSeq of a response names. */
export function methodOf(message: SipText): string {
  if (statusOf(message) === undefined) return message.startLine.split(' ')[0] ?? '';
  return requiredHeader(message, 'CSeq').split(' ')[1] ?? '';
}

export function cseqOf(message: SipText): number {
  return Number(requiredHeader(message, 'CSeq').split(' ')[0]);
}

/** The branch of the topmost Via. */
export function branchOf(message: SipText): string {
  return /branch=([^;,\s]+)/.exec(requiredHeader(message, 'Via'))?.[1] ?? '';
}

/** The tag of a From or To value. */
export function tagIn(value: string): string | undefined {
  return /;\s*tag=([^;,\s]+)/.exec(value)?.[1];
}

/** The URI of a name-addr or addr-spec value. */
export function uriIn(value: string): string {
  const bracketed = /<([^>]*)>/.exec(value)?.[1];
  return bracketed ?? (value.split(';')[0] ?? '').trim();
}

/** Host and port a SIP URI points at; IPv6 without brackets. */
export function addressIn(uri: string): { address: string; port: number } {
  const rest = uri.replace(/^sips?:/, '').replace(/^[^@]*@/, '');
  const match = /^(\[[^\]]*\]|[^:;?]*)(?::(\d+))?/.exec(rest);
  const host = match?.[1] ?? '';
  return { address: host.replaceAll(/[[\]]/g, ''), port: Number(match?.[2] ?? 5060) };
}

/** `host:port` as it stands in a URI or Via. */
export function hostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function longName(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT_NAMES[lower] ?? lower;
}

/** The CANCEL of an INVITE (RFC 3261 §9.1). */
export function cancelOf(invite: SipText, added: readonly Header[] = []): SipText {
  const kept = new Set(['via', 'from', 'to', 'call-id', 'max-forwards', 'route']);
  const headers = invite.headers.map(([name, value]): Header =>
    name === 'CSeq' ? [name, value.replace('INVITE', 'CANCEL')] : [name, value],
  );
  return {
    startLine: invite.startLine.replace(/^INVITE/, 'CANCEL'),
    headers: [
      ...headers.filter(([name]) => name === 'CSeq' || kept.has(name.toLowerCase())),
      ...added,
    ],
    body: '',
  };
}
