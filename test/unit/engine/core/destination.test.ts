import { describe, expect, test } from 'vitest';
import {
  destinationInDialog,
  destinationOf,
  isOwnAddress,
} from '../../../../src/engine/core/destination.ts';
import { contactOf, listenPointOf } from '../../../../src/engine/core/local-address.ts';
import type { Flow, ListenPoint } from '../../../../src/engine/transport/flow.ts';

const UDP: ListenPoint = { protocol: 'udp', address: '192.0.2.7', port: 5060 };
const TCP: ListenPoint = { protocol: 'tcp', address: '192.0.2.7', port: 5060 };
const TLS: ListenPoint = { protocol: 'tls', address: '2001:db8::7', port: 5061 };
const FLOW: Flow = {
  protocol: 'tcp',
  localAddress: '192.0.2.7',
  localPort: 5060,
  remoteAddress: '192.0.2.1',
  remotePort: 40_000,
  connectionId: 3,
};

describe('destinationOf', () => {
  test.each([
    ['sip:bob@192.0.2.1', 'udp 192.0.2.1 5060'],
    ['sip:bob@192.0.2.1:5070', 'udp 192.0.2.1 5070'],
    ['sip:bob@example.com;transport=TCP', 'tcp example.com 5060'],
    ['sips:bob@example.com', 'tls example.com 5061'],
    ['sips:bob@example.com;transport=tcp', 'tls example.com 5061'],
    ['sips:bob@example.com;transport=udp', undefined],
    ['sip:bob@example.com;maddr=192.0.2.3', 'udp 192.0.2.3 5060'],
    ['sip:bob@[2001:db8::1]:5070', 'udp 2001:db8::1 5070'],
    ['sip:bob@example.com;transport=sctp', undefined],
    ['tel:+4930', undefined],
    ['nonsense', undefined],
  ])('%s -> %s', (uri, expected) => {
    const found = destinationOf(uri, [UDP, TCP, TLS]);
    expect(found && `${found.protocol} ${found.address} ${found.port}`).toBe(expected);
  });

  test('an engine without UDP uses what it has', () => {
    expect(destinationOf('sip:bob@192.0.2.1', [TCP])?.protocol).toBe('tcp');
  });

  test('a peer that came over a connection is reached over it', () => {
    const found = destinationOf('sip:alice@192.0.2.1:5070', [UDP, TCP], FLOW);
    expect(found).toEqual({ protocol: 'tcp', address: '192.0.2.1', port: 5070, connectionId: 3 });
  });

  test('the URI decides against the connection when it names another transport or host', () => {
    const udp = destinationOf('sip:alice@192.0.2.1;transport=udp', [UDP, TCP], FLOW);
    expect(udp).toMatchObject({ protocol: 'udp', address: '192.0.2.1', port: 5060 });
    expect(udp).not.toHaveProperty('connectionId');
    const other = destinationOf('sip:alice@192.0.2.99', [UDP, TCP], FLOW);
    expect(other).toMatchObject({ protocol: 'udp', address: '192.0.2.99', port: 5060 });
    expect(other).not.toHaveProperty('connectionId');
  });

  test('what came over TLS is never answered in clear text, unless the URI names another transport', () => {
    const flow: Flow = { ...FLOW, protocol: 'tls' };
    const points = [UDP, TCP, TLS];
    expect(destinationOf('sip:alice@192.0.2.99:5061', points, flow)).toMatchObject({
      protocol: 'tls',
      address: '192.0.2.99',
      lastResort: { address: '192.0.2.1', port: 40_000, connectionId: 3 },
    });
    expect(destinationOf('sip:alice@pbx.example', points, flow)).toMatchObject({
      protocol: 'tls',
      services: ['tls'],
    });
    expect(destinationOf('sip:alice@192.0.2.99;transport=udp', points, flow)?.protocol).toBe('udp');
  });

  test.each([
    ['sip:192.0.2.1', undefined, undefined],
    ['sip:192.0.2.1;transport=udp', undefined, true],
    ['sip:example.com', ['udp', 'tcp'], undefined],
    ['sip:example.com:5060', undefined, undefined],
    ['sip:example.com;transport=tcp', ['tcp'], true],
    ['sip:example.com;transport=tls', ['tls'], true],
    ['sips:example.com', ['tls'], undefined],
    ['sip:localhost', undefined, undefined],
    ['sip:pbx.localhost', undefined, undefined],
  ])('%s asks for services %j and has a fixed transport: %s', (uri, services, isFixed) => {
    const found = destinationOf(uri, [TCP, UDP, TLS]);
    expect(found?.services).toEqual(services);
    expect(found?.isTransportFixed).toBe(isFixed);
  });

  test('a dialog with a name goes to the address it was answered from, over the transport it was begun with', () => {
    const begun = destinationInDialog('sip:example.com', [UDP], {
      flow: FLOW,
      isTransportFixed: true,
    });
    expect(begun).toMatchObject({
      preferred: { address: '192.0.2.1', port: 40_000 },
      isTransportFixed: true,
    });
    const received = destinationInDialog('sip:192.0.2.1', [UDP], {
      flow: undefined,
      isTransportFixed: false,
    });
    expect(received).toEqual({ protocol: 'udp', address: '192.0.2.1', port: 5060 });
  });
});

test.each([
  [{ protocol: 'udp', address: '192.0.2.7', port: 5060 }, true],
  [{ protocol: 'udp', address: '192.0.2.7', port: 5062 }, false],
  [{ protocol: 'tls', address: '192.0.2.7', port: 5060 }, false],
] as const)('%j is our own address: %s', (destination, expected) => {
  expect(isOwnAddress(destination, [UDP, TCP])).toBe(expected);
});

describe('own addresses', () => {
  test.each([
    [UDP, '<sip:192.0.2.7:5060>'],
    [TCP, '<sip:192.0.2.7:5060;transport=tcp>'],
    [TLS, '<sip:[2001:db8::7]:5061;transport=tls>'],
  ])('the Contact of %j is %s', (point, expected) => {
    expect(contactOf(point)).toBe(expected);
  });

  const second: ListenPoint = { protocol: 'udp', address: '192.0.2.8', port: 5080 };
  test.each([
    ['the exact one', { ...FLOW, protocol: 'udp' as const, localPort: 5060 }, UDP],
    ['the one of a connection we opened', { ...FLOW, localPort: 33_333 }, TCP],
    [
      'the one with the port',
      { ...FLOW, protocol: 'udp' as const, localAddress: '::1', localPort: 5080 },
      second,
    ],
  ])('a flow belongs to %s', (_name, flow, expected) => {
    expect(listenPointOf([UDP, second, TCP], flow)).toEqual(expected);
  });

  test('behind a wildcard the flow knows the address', () => {
    const wildcard: ListenPoint = { protocol: 'tcp', address: '0.0.0.0', port: 5060 };
    expect(listenPointOf([wildcard], FLOW)).toEqual(TCP);
  });

  test('without any listen point of that protocol the flow speaks for itself', () => {
    expect(listenPointOf([UDP], FLOW)).toEqual({
      protocol: 'tcp',
      address: '192.0.2.7',
      port: 5060,
    });
  });

  test.each([
    ['its address elsewhere', 'sip:192.168.1.9:5060;transport=tcp', true],
    ['another transport', 'sip:192.168.1.9:5060;transport=udp', false],
  ])('a connection of the peer is the last resort for %s: %s', (_what, uri, isResort) => {
    const flow = { ...FLOW, protocol: 'tcp', connectionId: 7 } as const;
    const found = destinationInDialog(uri, [TCP, UDP], { flow, isTransportFixed: false });
    const connection = { address: '192.0.2.1', port: 40_000, connectionId: 7 };
    expect(found?.lastResort).toEqual(isResort ? connection : undefined);
  });
});
