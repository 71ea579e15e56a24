/**
 * Whether one end of a call was shown anything of the other one: every byte that the SBC sent to it is searched for what
 * names the other end, as it is, with URI escapes, in base64 and in hexadecimal.
 */

import type { SipPeer } from './sip-peer.ts';
import { branchOf, headerValue, headerValues, tagIn } from './sip-text.ts';

export interface Secret {
  /** What it is, for the message. */
  readonly what: string;
  readonly text: string;
}

/** What names `owner`: address, ports, and from its own messages Call-IDs, tags, branches, o= lines, software. */
export function secretsOf(owner: SipPeer, sbcPorts: readonly number[] = []): Secret[] {
  const secrets: Secret[] = [
    { what: 'address', text: owner.address },
    // A port of the SBC may have the same number on another address.
    ...(sbcPorts.includes(owner.port) ? [] : [{ what: 'SIP port', text: `:${owner.port}` }]),
  ];
  for (const { message, direction } of owner.log) {
    const callId = headerValue(message, 'Call-ID');
    if (callId !== undefined) secrets.push({ what: 'Call-ID', text: callId });
    // Requests of both directions: the tags and the branches that the SBC chose on this leg are of this leg, too.
    for (const name of ['From', 'To']) {
      const tag = tagIn(headerValue(message, name) ?? '');
      if (tag !== undefined) secrets.push({ what: `${name} tag`, text: tag });
    }
    if (headerValue(message, 'Via') !== undefined) {
      secrets.push({ what: 'branch', text: branchOf(message) });
    }
    if (direction === 'received') continue;
    for (const name of ['User-Agent', 'Server']) {
      for (const text of headerValues(message, name)) secrets.push({ what: name, text });
    }
    const origin = /^o=(\S+ \d+) /m.exec(message.body)?.[1];
    if (origin !== undefined) secrets.push({ what: 'o=', text: `o=${origin} ` });
    for (const [, port = ''] of message.body.matchAll(/^m=\S+ (\d+) /gm)) {
      secrets.push({ what: 'media port', text: port });
    }
  }
  const unique = new Map(secrets.map((secret) => [secret.text, secret]));
  return [...unique.values()].filter(({ text }) => text !== '' && text !== '0');
}

/** The secrets found in what the SBC sent to `reader`, one line each. */
export function leaksTo(reader: SipPeer, secrets: readonly Secret[]): string[] {
  return reader.log
    .filter(({ direction }) => direction === 'received')
    .flatMap(({ text }) =>
      secrets
        .filter((secret) => holds(text, secret.text))
        .map(({ what, text: found }) => `${what} ${found} in\n${text}`),
    );
}

function holds(text: string, secret: string): boolean {
  // Ports as whole numbers; a=rtcp names one of the SBC's own, of which nothing is known here.
  if (/^:?\d+$/.test(secret)) {
    const before = secret.startsWith(':') ? '(?<!a=rtcp)' : '(?<![\\w.])';
    return new RegExp(`${before}${secret}(?![\\w.])`).test(text);
  }
  const lower = text.toLowerCase();
  const forms = [secret, secret.replaceAll('.', '%2e'), Buffer.from(secret).toString('hex')];
  const isFound = forms.some((form) => lower.includes(form.toLowerCase()));
  return isFound || base64Forms(secret).some((form) => text.includes(form));
}

/** The part of the base64 text that does not depend on what stands before or behind, at each of the three places. */
function base64Forms(secret: string): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.from(`${' '.repeat(shift)}${secret}`).toString('base64');
    const from = shift === 0 ? 0 : 4;
    return encoded.slice(from, Math.floor((shift + secret.length) / 3) * 4);
  });
}
