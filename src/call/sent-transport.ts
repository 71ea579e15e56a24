/** Over which transport a message of ours really left: its Via knows (RFC 3261 §18.1.1). */
import type { Transport } from '../config/config.ts';

const TOP_VIA = /^(?:via|v)[ \t]*:([^\r\n]*)/im;
const PROTOCOL = /^\s*SIP\s*\/\s*2\.0\s*\/\s*(udp|tcp|tls)\b/i;
const RESPONSE = /^SIP\//i;

/** `via`: the value of the topmost Via; `undefined` when it names no transport of ours. */
export function transportOfVia(via: string): Transport | undefined {
  const name = PROTOCOL.exec(via)?.[1]?.toLowerCase();
  return name === 'udp' || name === 'tcp' || name === 'tls' ? name : undefined;
}

/** Of a request of ours and of what answers it; what a peer writes about its own way says nothing. */
export function sentTransport(direction: 'in' | 'out', text: string): Transport | undefined {
  const isOfOurs = (direction === 'out') !== RESPONSE.test(text);
  return isOfOurs ? transportOfVia(TOP_VIA.exec(text)?.[1] ?? '') : undefined;
}
