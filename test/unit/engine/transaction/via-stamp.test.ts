import { describe, expect, test } from 'vitest';
import { responseTarget, stampVia } from '../../../../src/engine/transaction/via-stamp.ts';
import type { Flow } from '../../../../src/engine/transport/flow.ts';
import { getHeader } from '../../../../src/wire/sip-message.ts';
import { sampleRequest } from './sample-messages.ts';

const UDP: Flow = {
  protocol: 'udp',
  localAddress: '127.0.0.1',
  localPort: 5066,
  remoteAddress: '203.0.113.9',
  remotePort: 4242,
};
const TCP: Flow = { ...UDP, protocol: 'tcp', connectionId: 7 };

describe('stampVia', () => {
  test.each([
    [
      'the right host: nothing to add',
      'SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bK1',
      'SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bK1',
    ],
    [
      'another host',
      'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1',
      'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=203.0.113.9',
    ],
    [
      'rport asked for',
      'SIP/2.0/UDP 203.0.113.9;rport;branch=z9hG4bK1',
      'SIP/2.0/UDP 203.0.113.9;rport=4242;branch=z9hG4bK1;received=203.0.113.9',
    ],
    [
      'rport at the end',
      'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1; RPORT ',
      'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;rport=4242;received=203.0.113.9',
    ],
    [
      'forged values',
      'SIP/2.0/UDP 10.0.0.1;received=192.0.2.66;rport=9;branch=z9hG4bK1',
      'SIP/2.0/UDP 10.0.0.1;rport=4242;branch=z9hG4bK1;received=203.0.113.9',
    ],
    [
      'a longer name',
      'SIP/2.0/UDP 203.0.113.9;rporty=1;branch=z9hG4bK1',
      'SIP/2.0/UDP 203.0.113.9;rporty=1;branch=z9hG4bK1',
    ],
    [
      'several in one field',
      'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1,SIP/2.0/UDP a;branch=2',
      'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=203.0.113.9, SIP/2.0/UDP a;branch=2',
    ],
  ])('%s', (_what, via, expected) => {
    const request = sampleRequest({ method: 'OPTIONS', via });
    stampVia(request, UDP);
    expect(getHeader(request, 'via')).toBe(expected);
  });

  test('IPv6 in brackets is the same address', () => {
    const request = sampleRequest({
      method: 'OPTIONS',
      via: 'SIP/2.0/UDP [2001:DB8::1];branch=z9hG4bK1',
    });
    stampVia(request, { ...UDP, remoteAddress: '2001:db8::1' });
    expect(getHeader(request, 'via')).toBe('SIP/2.0/UDP [2001:DB8::1];branch=z9hG4bK1');
  });

  test('a message without Via is left alone', () => {
    const request = sampleRequest({ method: 'OPTIONS' });
    request.headers = [];
    stampVia(request, UDP);
    expect(request.headers).toEqual([]);
  });
});

describe('responseTarget', () => {
  test.each<[string, Flow, string, object]>([
    [
      'rport: back to the source port',
      UDP,
      'SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;rport',
      { address: '203.0.113.9', port: 4242 },
    ],
    [
      'no rport: the port of the Via',
      UDP,
      'SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1',
      { address: '203.0.113.9', port: 5070 },
    ],
    [
      'no port: the default one',
      UDP,
      'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1',
      { address: '203.0.113.9', port: 5060 },
    ],
    [
      'maddr is not obeyed',
      UDP,
      'SIP/2.0/UDP 10.0.0.1;maddr=255.255.255.255;branch=z9hG4bK1',
      { address: '203.0.113.9', port: 5060 },
    ],
    [
      'TCP: the connection, else the port of the Via',
      TCP,
      'SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bK1;rport',
      { address: '203.0.113.9', port: 5070, connectionId: 7 },
    ],
    [
      'TLS without a connection number',
      { ...UDP, protocol: 'tls' },
      'SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1',
      { address: '203.0.113.9', port: 5061 },
    ],
  ])('%s', (_what, flow, via, expected) => {
    expect(responseTarget(sampleRequest({ method: 'OPTIONS', via }), flow)).toEqual(expected);
  });
});
