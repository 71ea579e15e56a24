import { describe, expect, test } from 'vitest';
import { destinationOf } from '../../../../src/engine/core/destination.ts';
import type { ListenPoint } from '../../../../src/engine/transport/flow.ts';
import { Resolver } from '../../../../src/engine/transport/resolve.ts';
import { Routes } from '../../../../src/engine/transport/routes.ts';
import { FakeNames } from '../../../support/fake-names.ts';

const UDP: ListenPoint = { protocol: 'udp', address: '192.0.2.7', port: 5060 };
const TCP: ListenPoint = { protocol: 'tcp', address: '192.0.2.7', port: 5060 };
const TLS: ListenPoint = { protocol: 'tls', address: '192.0.2.7', port: 5061 };
const UDP6: ListenPoint = { protocol: 'udp', address: '2001:db8::7', port: 5060 };
const ALL = [UDP, TCP, TLS];

const HOSTS = {
  'plain.example': ['198.51.100.1', '2001:db8::1', '198.51.100.2'],
  'a.example': ['198.51.100.11'],
  'b.example': ['198.51.100.12', '198.51.100.13'],
  'many.example': Array.from({ length: 20 }, (_, index) => `198.51.100.${100 + index}`),
  'six.example': ['2001:db8::1'],
};

const SERVICES = {
  '_sip._udp.both.example': ['20 0 5070 b.example', '10 0 5060 a.example'],
  '_sip._tcp.both.example': ['10 0 5080 a.example'],
  '_sip._tcp.tcp.example': ['10 0 5080 a.example', '20 0 5080 a.example'],
  '_sips._tcp.both.example': ['10 0 5061 b.example'],
  '_sip._udp.closed.example': ['0 0 0 .'],
  '_sip._udp.lost.example': ['1 0 5060 nowhere.example'],
  '_sip._udp.many.example': ['1 0 5060 many.example'],
};

async function targetsOf(uri: string, points: readonly ListenPoint[]): Promise<string> {
  const names = new FakeNames(HOSTS, SERVICES);
  const routes = new Routes(points, new Resolver(1000, names));
  const destination = destinationOf(uri, points);
  if (destination === undefined) return 'no destination';
  const targets = await routes.targets(destination);
  if (typeof targets === 'string') return targets;
  return targets.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`).join(', ');
}

describe('where a URI leads (RFC 3263)', () => {
  test.each([
    ['an address', 'sip:b@198.51.100.9', 'udp 198.51.100.9 5060'],
    ['a name with port', 'sip:a.example:5090', 'udp 198.51.100.11 5090'],
    [
      'a name with port asks for no service',
      'sip:both.example:5060',
      'dns: no address for both.example',
    ],
    ['a name without services', 'sip:a.example', 'udp 198.51.100.11 5060'],
    [
      'services, UDP first',
      'sip:both.example',
      'udp 198.51.100.11 5060, udp 198.51.100.12 5070, udp 198.51.100.13 5070',
    ],
    ['another transport if UDP is not offered', 'sip:tcp.example', 'tcp 198.51.100.11 5080'],
    ['the transport that is asked for', 'sip:both.example;transport=tcp', 'tcp 198.51.100.11 5080'],
    ['only that one', 'sip:tcp.example;transport=udp', 'dns: no address for tcp.example'],
    ['sips', 'sips:both.example', 'tls 198.51.100.12 5061, tls 198.51.100.13 5061'],
    [
      'transport=tls',
      'sip:both.example;transport=tls',
      'tls 198.51.100.12 5061, tls 198.51.100.13 5061',
    ],
    [
      'a service that is denied',
      'sip:closed.example',
      'dns: closed.example offers no such service',
    ],
    ['servers without address', 'sip:lost.example', 'dns: no address for lost.example'],
    ['maddr', 'sip:bob@both.example;maddr=198.51.100.9', 'udp 198.51.100.9 5060'],
    ['only families we have', 'sip:plain.example', 'udp 198.51.100.1 5060, udp 198.51.100.2 5060'],
    ['no family we have', 'sip:six.example', 'no udp transport for the addresses of six.example'],
  ])('%s: %s', async (_what, uri, expected) => {
    expect(await targetsOf(uri, ALL)).toBe(expected);
  });

  test('both families where we have both', async () => {
    const both = 'udp 198.51.100.1 5060, udp 2001:db8::1 5060, udp 198.51.100.2 5060';
    expect(await targetsOf('sip:plain.example', [UDP, UDP6])).toBe(both);
  });

  test('services of transports we do not have are not asked for', async () => {
    expect(await targetsOf('sip:tcp.example', [UDP])).toBe('dns: no address for tcp.example');
    expect(await targetsOf('sip:both.example', [TCP])).toBe('tcp 198.51.100.11 5080');
    expect(await targetsOf('sip:both.example', [TLS])).toMatch(/^tls 198.51.100.12 5061/);
  });

  test('no more than 8 addresses are tried', async () => {
    expect((await targetsOf('sip:many.example', [UDP])).split(', ')).toHaveLength(8);
  });

  test('names of this machine have no services', async () => {
    const names = new FakeNames({ localhost: ['192.0.2.7'] });
    const routes = new Routes([UDP], new Resolver(1000, names));
    const destination = destinationOf('sip:localhost', [UDP]);
    expect(destination).toBeDefined();
    if (destination !== undefined) await routes.targets(destination);
    expect(names.asked).toEqual(['localhost']);
  });
});

function setUp(): Routes {
  return new Routes(ALL, new Resolver(1000, new FakeNames(HOSTS)));
}

describe('the order of addresses', () => {
  const destination = { protocol: 'udp', address: 'b.example', port: 5060 } as const;
  const first = { protocol: 'udp', address: '198.51.100.12', port: 5060 } as const;

  async function order(routes: Routes, preferredAddress?: string): Promise<string[]> {
    const preferred = { address: preferredAddress ?? '', port: 40_000 };
    const preference = preferredAddress === undefined ? {} : { preferred };
    const targets = await routes.targets({ ...destination, ...preference });
    return typeof targets === 'string' ? [targets] : targets.map(({ address }) => address);
  }

  test('one that could not be reached is tried after the others', async () => {
    const routes = setUp();
    expect(await order(routes)).toEqual(['198.51.100.12', '198.51.100.13']);
    routes.noteUnreachable(first);
    expect(await order(routes)).toEqual(['198.51.100.13', '198.51.100.12']);
  });

  test('the peer of the dialog comes first in any case', async () => {
    const routes = setUp();
    expect(await order(routes, '198.51.100.13')).toEqual(['198.51.100.13', '198.51.100.12']);
    routes.noteUnreachable(first);
    expect(await order(routes, '198.51.100.12')).toEqual(['198.51.100.12', '198.51.100.13']);
    expect(await order(routes, '203.0.113.1')).toEqual(['198.51.100.13', '198.51.100.12']);
  });

  test('of two servers at one address the one of the dialog comes first', async () => {
    const services = { '_sip._udp.two.example': ['1 0 5060 a.example', '2 0 5070 a.example'] };
    const routes = new Routes(ALL, new Resolver(1000, new FakeNames(HOSTS, services)));
    const preferred = { address: '198.51.100.11', port: 5070 };
    const two = { ...destination, address: 'two.example', services: ['udp'], preferred } as const;
    expect(await routes.targets(two)).toMatchObject([{ port: 5070 }, { port: 5060 }]);
  });

  test('a route carries the name its address was found by, for the certificate', async () => {
    expect(await setUp().find(destination)).toMatchObject({
      listenPoint: UDP,
      remote: { address: '198.51.100.12', port: 5060, host: 'b.example' },
    });
  });
});
