import { describe, expect, test } from 'vitest';
import { pathOf } from '../../../../src/engine/core/peer-path.ts';
import type { PeerPath } from '../../../../src/engine/core/peer-path.ts';
import { destinationOfSubscriber } from '../../../../src/engine/core/subscriber-destination.ts';
import type { Flow, ListenPoint } from '../../../../src/engine/transport/flow.ts';
import type { SipRequest } from '../../../../src/wire/sip-message.ts';

const POINTS: readonly ListenPoint[] = [
  { protocol: 'udp', address: '192.0.2.7', port: 5060 },
  { protocol: 'tcp', address: '192.0.2.7', port: 5060 },
  { protocol: 'tls', address: '192.0.2.7', port: 5061 },
];

function flowOf(protocol: 'udp' | 'tcp' | 'tls', remoteAddress = '198.51.100.1'): Flow {
  const flow = { protocol, localAddress: '192.0.2.7', localPort: 5060, remoteAddress };
  return { ...flow, remotePort: 40_000, ...(protocol === 'udp' ? {} : { connectionId: 3 }) };
}

function subscribe(...vias: readonly string[]): SipRequest {
  const headers = vias.map((value) => ({ name: 'Via', value }));
  return { type: 'request', method: 'SUBSCRIBE', uri: 'sip:x', headers, body: Buffer.alloc(0) };
}

const DIRECT = { isDirect: true, isSymmetric: false, isTranslated: false };

describe('the path of a SUBSCRIBE', () => {
  const VIA = 'SIP/2.0/UDP';
  test.each([
    ['its own address', [`${VIA} 198.51.100.1:40000`], DIRECT],
    ['another port without rport', [`${VIA} 198.51.100.1:5060`], DIRECT],
    ['rport, and it fits', [`${VIA} 198.51.100.1:40000;rport`], { ...DIRECT, isSymmetric: true }],
    [
      'rport, and another port',
      [`${VIA} 198.51.100.1;rport=40000`],
      { isDirect: true, isSymmetric: true, isTranslated: true },
    ],
    ['another address', [`${VIA} 10.0.0.1:40000`], { ...DIRECT, isTranslated: true }],
    ['a name', [`${VIA} phone.example:40000`], { ...DIRECT, isTranslated: true }],
    ['a proxy', [`${VIA} 198.51.100.1:40000`, `${VIA} 10.0.0.1`], { ...DIRECT, isDirect: false }],
    [
      'a proxy in one field',
      [`${VIA} 198.51.100.1:40000, ${VIA} 10.0.0.1`],
      { ...DIRECT, isDirect: false },
    ],
  ])('with %s', (_what, vias, expected) => {
    const flow = flowOf('udp');
    expect(pathOf(subscribe(...vias), flow)).toEqual({ flow, ...expected });
  });

  test('over TLS stands at port 5061 unless it says otherwise', () => {
    const flow = { ...flowOf('tls'), remotePort: 5061 };
    const path = pathOf(subscribe('SIP/2.0/TLS 198.51.100.1;rport'), flow);
    expect(path.isTranslated).toBe(false);
  });
});

/** What counts of a destination, as text: where it goes, over which connection, from which port. */
function told(
  uri: string,
  path: Partial<PeerPath> & { readonly flow: Flow },
  rest: { readonly hasRoute?: boolean; readonly isConnected?: boolean } = {},
): string | undefined {
  const subscriber = {
    path: { ...DIRECT, ...path },
    hasRoute: rest.hasRoute ?? false,
    isConnected: rest.isConnected ?? true,
  };
  const found = destinationOfSubscriber(uri, POINTS, subscriber);
  if (found === undefined) return undefined;
  const { protocol, address, port, connectionId, localPort, services } = found;
  const by = connectionId === undefined ? '' : ` connection ${connectionId}`;
  const from = localPort === undefined ? '' : ` from ${localPort}`;
  return `${protocol} ${address} ${port}${by}${from}${services === undefined ? '' : ` ${services.join()}`}`;
}

const BACK = '198.51.100.1 40000';

describe('a subscriber over a connection that stands is reached over it', () => {
  test.each([
    ['tls', 'sip:a@198.51.100.1:5061;transport=tls'],
    ['tls', 'sip:a@198.51.100.1:5060;transport=tcp'],
    ['tls', 'sip:a@10.0.0.1'],
    ['tls', 'sips:a@10.0.0.1'],
    ['tls', 'sip:a@phone.invalid;transport=udp'],
    ['tcp', 'sip:a@10.0.0.1;transport=udp'],
    ['tcp', 'sip:a@phone.example'],
  ] as const)('%s, Contact %s', (protocol, uri) => {
    expect(told(uri, { flow: flowOf(protocol) })).toBe(`${protocol} ${BACK} connection 3`);
  });

  test('also behind proxies that stay in the way', () => {
    const flow = flowOf('tls');
    const found = told('sip:proxy.example;lr', { flow, isDirect: false }, { hasRoute: true });
    expect(found).toBe(`tls ${BACK} connection 3`);
  });

  test.each([
    [
      'a proxy that does not stay in the way',
      'sip:a@203.0.113.1',
      { isDirect: false },
      'udp 203.0.113.1 5060',
    ],
    ['clear text for a sips URI', 'sips:a@203.0.113.1', {}, 'tls 203.0.113.1 5061'],
    ['no SIP URI', 'tel:2002', {}, undefined],
  ])('but not for %s', (_what, uri, path, expected) => {
    expect(told(uri, { flow: flowOf('tcp'), ...path })).toBe(expected);
  });
});

describe('a subscriber over a connection that is gone is sought at its Contact, over the same transport', () => {
  test.each([
    ['tls', 'sip:a@203.0.113.1:5070;transport=udp', 'tls 203.0.113.1 5070'],
    ['tls', 'sip:a@203.0.113.1', 'tls 203.0.113.1 5061'],
    ['tls', 'sips:a@203.0.113.1', 'tls 203.0.113.1 5061'],
    ['tcp', 'sip:a@198.51.100.1:5060', 'tcp 198.51.100.1 5060'],
    ['tcp', 'sip:a@phone.example', 'tcp phone.example 5060 tcp'],
  ] as const)('%s, Contact %s', (protocol, uri, expected) => {
    expect(told(uri, { flow: flowOf(protocol) }, { isConnected: false })).toBe(expected);
  });
});

describe('a subscriber over UDP', () => {
  const udp = { flow: flowOf('udp') };
  const lan = { flow: flowOf('udp', '192.168.1.20') };
  const NAT = `udp ${BACK} from 5060`;
  test.each([
    ['names its address', 'sip:a@198.51.100.1:5060', udp, 'udp 198.51.100.1 5060'],
    [
      'and a NAT that keeps the address',
      'sip:a@198.51.100.1:5060',
      { ...udp, isTranslated: true },
      'udp 198.51.100.1 5060',
    ],
    ['names a private address', 'sip:a@10.0.0.1:5060', udp, NAT],
    ['names a link-local one', 'sip:a@[fe80::1]', udp, NAT],
    ['names a shared one', 'sip:a@100.64.1.1;transport=udp', udp, NAT],
    ['names nobody', 'sip:a@a1b2.invalid', udp, NAT],
    ['names another public address', 'sip:a@203.0.113.1', udp, 'udp 203.0.113.1 5060'],
    ['names it behind a NAT', 'sip:a@203.0.113.1', { ...udp, isTranslated: true }, NAT],
    ['names TCP', 'sip:a@203.0.113.1;transport=tcp', udp, NAT],
    ['wants to be secure', 'sips:a@10.0.0.1', udp, 'tls 10.0.0.1 5061'],
    ['is behind a proxy', 'sip:a@10.0.0.1', { ...udp, isDirect: false }, 'udp 10.0.0.1 5060'],
    ['of the same network', 'sip:a@192.168.1.21', lan, 'udp 192.168.1.21 5060'],
    [
      'of the same network with rport',
      'sip:a@10.0.0.1',
      { ...lan, isSymmetric: true },
      'udp 192.168.1.20 40000 from 5060',
    ],
  ])('that %s', (_what, uri, path, expected) => {
    const plain = told(uri, path)?.replace(/ (?:udp|tcp)(?:,tcp)?$/, '');
    expect(plain).toBe(expected);
  });

  test('behind a proxy that stays in the way is reached through it', () => {
    const path = { ...udp, isDirect: false, isTranslated: true };
    expect(told('sip:10.0.0.1;lr', path, { hasRoute: true })).toBe('udp 10.0.0.1 5060');
  });
});
