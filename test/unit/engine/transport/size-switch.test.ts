import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Target } from '../../../../src/engine/transport/locate.ts';
import { SizeSwitch } from '../../../../src/engine/transport/size-switch.ts';
import type { SwitchedTransports } from '../../../../src/engine/transport/size-switch.ts';

const PEER: Target = { protocol: 'udp', address: '192.0.2.1', port: 5060 };
const OTHER: Target = { ...PEER, address: '192.0.2.2' };
const OPEN = { isTransportFixed: false };

/** Transports with an own TCP end whose peers take connections as told; counts the attempts. */
class FakeTransports implements SwitchedTransports {
  attempts = 0;
  hasTcp = true;
  connect: () => Promise<boolean> = () => Promise.resolve(true);

  readonly routes: SwitchedTransports['routes'] = {
    serves: () => this.hasTcp,
    routeTo: ({ protocol, ...remote }) => {
      const local = { protocol, address: '192.0.2.7', port: 5060 };
      return Promise.resolve({ listenPoint: local, local, remote });
    },
  };

  openRoute(): Promise<boolean> {
    this.attempts += 1;
    return this.connect();
  }
}

let transports = new FakeTransports();
let sizeSwitch = new SizeSwitch(transports, 1300);

beforeEach(() => {
  transports = new FakeTransports();
  sizeSwitch = new SizeSwitch(transports, 1300);
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

async function isSwitched(target = PEER, sizeBytes = 1301): Promise<boolean> {
  return (await sizeSwitch.tcpRoute(target, sizeBytes, OPEN)) !== undefined;
}

describe('a request above 1300 bytes', () => {
  test('goes over TCP to the same address and port', async () => {
    expect(await sizeSwitch.tcpRoute(PEER, 1301, OPEN)).toMatchObject({
      local: { protocol: 'tcp' },
      remote: { address: '192.0.2.1', port: 5060 },
    });
  });

  test.each<[string, boolean, () => void]>([
    ['without an own TCP end', false, () => (transports.hasTcp = false)],
    ['when the switch is off', false, () => (sizeSwitch = new SizeSwitch(transports, 0))],
    ['when the bound is higher', false, () => (sizeSwitch = new SizeSwitch(transports, 1301))],
    ['in any other case', true, () => undefined],
  ])('%s: %s', async (_what, expected, prepare) => {
    prepare();
    expect(await isSwitched()).toBe(expected);
    expect(transports.attempts).toBe(expected ? 1 : 0);
  });

  test('keeps a transport that was chosen by name', async () => {
    const fixed = { isTransportFixed: true };
    expect(await sizeSwitch.tcpRoute(PEER, 60_000, fixed)).toBeUndefined();
    expect(transports.attempts).toBe(0);
  });

  test.each(['tcp', 'tls'] as const)('stays on %s', async (protocol) => {
    expect(await isSwitched({ ...PEER, protocol })).toBe(false);
  });

  test('a peer that refuses TCP is asked again after five minutes only; others are not affected', async () => {
    transports.connect = () => Promise.resolve(false);
    expect(await isSwitched()).toBe(false);
    transports.connect = () => Promise.resolve(true);
    vi.advanceTimersByTime(299_000);
    expect(await isSwitched()).toBe(false);
    expect(transports.attempts).toBe(1);
    expect(await isSwitched(OTHER)).toBe(true);
    vi.advanceTimersByTime(1001);
    expect(await isSwitched()).toBe(true);
  });

  test('a peer that does not answer the connect at all costs one second, once', async () => {
    transports.connect = async () => await new Promise<never>(() => undefined);
    const first = isSwitched();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await first).toBe(false);
    expect(await isSwitched()).toBe(false);
    expect(transports.attempts).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a peer that took the connection and was silent on it counts as one that refuses', async () => {
    sizeSwitch.noteRefusal(PEER);
    expect(await isSwitched()).toBe(false);
  });
});

test('a request of 1300 bytes is a datagram', async () => {
  expect(await isSwitched(PEER, 1300)).toBe(false);
});
