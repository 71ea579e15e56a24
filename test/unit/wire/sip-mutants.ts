import {
  DEFAULT_MESSAGE_LIMITS,
  formatSipMessage,
  parseSipMessage,
} from '../../../src/wire/sip-message.ts';
import type { SipMessage } from '../../../src/wire/sip-message.ts';
import { SipParseError } from '../../../src/wire/sip-parse-error.ts';

/** Valid messages spoilt at random, the same ones for the same seed. */

const MAX_BYTES = 65_507;

/** Latin-1 is written as UTF-8, and names get their colon and space: the head may grow. */
const ROOMY_LIMITS = { ...DEFAULT_MESSAGE_LIMITS, headBytes: 65_536 };

const BODY = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n';

/** What the mutants are made of. */
export const VALID_MESSAGES: readonly Buffer[] = [
  [
    'INVITE sip:bob;x=%40@example.com:5070;transport=tcp SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1;rport, SIP/2.0/TCP [2001:db8::1];branch=z9hG4bK2',
    'v: SIP / 2.0 / TLS',
    '  host.example.com ;branch = "q;\\"," ',
    'Max-Forwards: 70',
    'From: "Alice \\"A\\" <x>, é" <sip:alice@example.com;a=b>;tag=1;y="z"',
    't: sip:bob@example.com;tag=2',
    'Call-ID: 1@example.com',
    'CSeq: 0001 INVITE',
    'Contact: <sip:alice@192.0.2.1>;q=0.5, "B" <sips:b@[2001:db8::2]:5061;lr>',
    'Content-Type: application/sdp',
    `Content-Length: ${BODY.length}`,
    '',
    BODY,
  ],
  [
    'SIP/2.0 407 Proxy Authentication Required',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=192.0.2.9;rport=5060',
    'From: <sip:alice@example.com>;tag=1',
    'To: <sip:bob@example.com>;tag=2',
    'Call-ID: 1@example.com',
    'CSeq: 4294967295 INVITE',
    'Proxy-Authenticate: Digest realm="x", nonce="y", qop="auth,auth-int"',
    'Retry-After: 5 (busy);duration=10',
    'l: 0',
    '',
    '',
  ],
  [
    'SUBSCRIBE tel:+1-201-555-0123;phone-context=example.com SIP/2.0',
    'v:SIP/2.0/TCP host.example.com:5060',
    'f:Alice <sip:alice@example.com>',
    'To:<sip:bob@[2001:db8::1]:5060?x=y>',
    'i:2',
    'CSeq:2\tSUBSCRIBE',
    'm:*',
    'o:kpml;call-id="1;2"',
    '',
    '<kpml-request/>',
  ],
].map((lines) => Buffer.from(lines.join('\r\n')));

/** Text that parsers trip over. */
const TRAPS = [
  ...Array.from('\0\\"<>[],;:=@?%*\t\r\n é\u{1F600}\uFEFF\u00A0\u2028'),
  '\\\0',
  '%00',
  '\r\n',
  '\r\n ',
  '\r\n\r\n',
  '\n\n',
  '-1',
  '4294967296',
  '99999999999999999999',
  '0x10',
  '1e3',
  'SIP/2.0',
  'sip/2.0',
  'SIP/9.9',
  'Via:',
  'v:',
  'Content-Length: 5\r\n',
  'l:0\r\n',
  'Call-ID: x\r\n',
  'CSeq: 1 INVITE\r\n',
].map((text) => Buffer.from(text));

type Random = (below: number) => number;

/** Mutants without end. */
export function* mutants(seed: number, sources = VALID_MESSAGES): Generator<Buffer, never> {
  const random = randomFrom(seed);
  for (;;) {
    let bytes = pick(sources, random);
    for (let count = 1 + random(4); count > 0; count -= 1) bytes = mutate(bytes, sources, random);
    yield bytes.subarray(0, MAX_BYTES);
  }
}

/**
 * Reads one input and, if that is a message, writes it and reads it again.
 *
 * @returns how long the first reading took and what came of it.
 * @throws Error when anything but a SipParseError is thrown or the message is another one afterwards.
 */
export function checkInput(bytes: Buffer): { readonly ms: number; readonly isMessage: boolean } {
  const startMs = performance.now();
  let message: SipMessage | undefined;
  try {
    message = parseSipMessage(bytes);
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error;
  }
  const ms = performance.now() - startMs;
  if (message === undefined) return { ms, isMessage: false };
  const written = formatSipMessage(message);
  const again = parseSipMessage(written, ROOMY_LIMITS);
  if (!formatSipMessage(again).equals(written) || textOf(again) !== textOf(message)) {
    throw new Error(
      `not the same once written: ${JSON.stringify(written.toString('utf8', 0, 1000))}`,
    );
  }
  return { ms, isMessage: true };
}

/** All that makes up a message but Content-Length, which writing corrects. */
function textOf({ headers, body, ...start }: SipMessage): string {
  const others = headers.filter(({ name }) => !/^(?:l|content-length)$/i.test(name));
  return JSON.stringify([start, others, body.toString('hex')]);
}

function mutate(bytes: Buffer, sources: readonly Buffer[], random: Random): Buffer {
  const at = random(bytes.length + 1);
  const end = Math.min(bytes.length, at + random(random(4) === 0 ? 400 : 12));
  const trap = pick(TRAPS, random);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(end);
  switch (random(8)) {
    case 0:
      return Buffer.concat([before, Buffer.from([random(256)]), bytes.subarray(at + 1)]);
    case 1:
      return Buffer.concat([before, after]);
    case 2:
      return Buffer.concat([before, trap, after]);
    case 3:
      return Buffer.concat([before, trap, bytes.subarray(at)]);
    case 4:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 5:
      return Buffer.concat([before, repeated(trap, random), bytes.subarray(at)]);
    case 6:
      return Buffer.concat([before, repeated(bytes.subarray(at, end), random), after]);
    default: {
      const other = pick(sources, random);
      return Buffer.concat([before, other.subarray(random(other.length + 1))]);
    }
  }
}

/** Now and then as much as a datagram holds: what costs the square of its length shows then. */
function repeated(bytes: Buffer, random: Random): Buffer {
  const times = random(20) === 0 ? 1 + random(MAX_BYTES) : 1 + random(300);
  return Buffer.concat(Array.from({ length: Math.min(times, 4000) }, () => bytes)).subarray(
    0,
    MAX_BYTES,
  );
}

function pick<T>(items: readonly T[], random: Random): T {
  const item = items[random(items.length)];
  if (item === undefined) throw new RangeError('expected items');
  return item;
}

/** Mulberry32. */
function randomFrom(seed: number): Random {
  let state = Math.trunc(seed);
  return (below) => {
    state = (state + 0x6d2b79f5) % 0x1_0000_0000;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
