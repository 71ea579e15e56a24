import { expect, test } from 'vitest';
import { sentTransport, transportOfVia } from '../../../src/call/sent-transport.ts';

test.each([
  ['SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKx', 'tcp'],
  [' SIP / 2.0 / udp 192.0.2.1', 'udp'],
  ['SIP/2.0/TLS [2001:db8::1]:5061, SIP/2.0/UDP 192.0.2.1', 'tls'],
  ['SIP/2.0/WSS 192.0.2.1', undefined],
  ['', undefined],
])('Via %j: %s', (via, transport) => {
  expect(transportOfVia(via)).toBe(transport);
});

test.each([
  ['out', 'INVITE sip:x SIP/2.0', 'a request of ours', 'tcp'],
  ['in', 'SIP/2.0 200 OK', 'what answers it', 'tcp'],
  ['in', 'INVITE sip:x SIP/2.0', 'a request of a peer', undefined],
  ['out', 'SIP/2.0 200 OK', 'our answer to it', undefined],
] as const)('%s %s, %s: %s', (direction, line, _what, transport) => {
  const text = `${line}\r\nVia: SIP/2.0/TCP a\r\nVia: SIP/2.0/UDP b\r\n\r\n`;
  expect(sentTransport(direction, text)).toBe(transport);
});
