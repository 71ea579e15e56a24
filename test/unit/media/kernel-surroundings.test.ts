import { describe, expect, test } from 'vitest';
import {
  findMediaDevices,
  isSameDevices,
  parseDevices,
} from '../../../src/media/kernel/media-devices.ts';
import { MediaRoutes, parseRoutes } from '../../../src/media/kernel/media-routes.ts';

const OURS = '198.51.100.1';

/** What `ip` prints of a route. */
function route(dst: string, fields: object): string {
  return `${JSON.stringify([{ dst, from: OURS, flags: [], ...fields }])}\n`;
}

describe('the way to a peer', () => {
  test.each([
    ['on the same network', { dev: 'eth1' }, { address: '203.0.113.5', device: 'eth1' }],
    [
      'behind a gateway',
      { gateway: '198.51.100.254', dev: 'eth1' },
      { address: '198.51.100.254', device: 'eth1' },
    ],
    ['on this machine', { type: 'local', dev: 'lo' }, undefined],
    ['that is everybody', { type: 'broadcast', dev: 'eth1' }, undefined],
    ['by a neighbour of another family', { via: { host: 'fe80::1' }, dev: 'eth1' }, undefined],
  ])('%s', (_name, fields, hop) => {
    const dst = '203.0.113.5';
    expect(parseRoutes(route(dst, fields)).get(`${OURS} ${dst}`)).toEqual(hop);
  });

  test.each([
    '',
    'RTNETLINK answers: Network is unreachable\n',
    '[{"dst":',
    '[1,null,"x"]\n',
    '{}\n',
  ])('there is none in %j', (answer) => {
    expect(parseRoutes(answer).size).toBe(0);
  });

  test('is asked for once by many, and remembered', async () => {
    const asked: string[] = [];
    const routes = new MediaRoutes((commands) => {
      asked.push(commands);
      return Promise.resolve(route('203.0.113.5', { dev: 'eth1' }));
    });
    const find = (to: string): Promise<unknown> => routes.find(OURS, to, performance.now());
    const hop = { address: '203.0.113.5', device: 'eth1' };
    expect(await Promise.all([find('203.0.113.5'), find('203.0.113.5')])).toEqual([hop, hop]);
    expect(await find('203.0.113.5')).toEqual(hop);
    expect(asked).toHaveLength(1);
    expect(await find('203.0.113.9')).toBeUndefined();
    expect(asked).toEqual([
      `route get 203.0.113.5 from ${OURS}\n`,
      `route get 203.0.113.9 from ${OURS}\n`,
    ]);
  });

  test('is asked for anew when it was forgotten while the answer was on its way', async () => {
    const answers = ['eth1', 'eth2'].map((dev) => {
      return { text: route('203.0.113.5', { dev }), gate: Promise.withResolvers<undefined>() };
    });
    let asked = 0;
    const routes = new MediaRoutes(async () => {
      const answer = answers[asked];
      asked += 1;
      await answer?.gate.promise;
      return answer?.text ?? '';
    });
    const found = routes.find(OURS, '203.0.113.5', performance.now());
    await expect.poll(() => asked).toBe(1);
    routes.forget();
    for (const { gate } of answers) gate.resolve(undefined);
    expect(await found).toEqual({ address: '203.0.113.5', device: 'eth2' });
    expect(asked).toBe(2);
  });

  test('is asked for in bounded portions', async () => {
    const sizes: number[] = [];
    const routes = new MediaRoutes((commands) => {
      sizes.push(commands.split('\n').length - 1);
      return Promise.resolve('');
    });
    const peers = Array.from({ length: 450 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    await Promise.all(peers.map((peer) => routes.find(OURS, peer, performance.now())));
    expect(sizes).toEqual([200, 200, 50]);
  });
});

/** What `ip` prints of devices: eth0 and eth1 carry media. */
function devices(numbers: Readonly<Record<string, number>>): string {
  const listed = [
    { ifname: 'lo', link_type: 'loopback', addr_info: [{ local: '127.0.0.1' }] },
    { ifname: 'eth1', link_type: 'ether', addr_info: [{ local: '10.0.0.1' }, { local: OURS }] },
    { ifname: 'eth0', link_type: 'ether', addr_info: [{ local: '192.0.2.1' }] },
    { ifname: 'eth2', link_type: 'ether', addr_info: [{ local: '192.0.2.77' }, null] },
    { ifname: 'wg0', link_type: 'none' },
  ];
  const numbered = listed.map((device) => ({ ...device, ifindex: numbers[device.ifname] ?? 1 }));
  return `${JSON.stringify(numbered)}\n`;
}

describe('the devices of our media', () => {
  const addresses = ['127.0.0.1', OURS, '192.0.2.1', '2001:db8::1'];
  const before = parseDevices(devices({ eth0: 4, eth1: 5, eth2: 6 }), addresses);

  test('are those that carry its addresses, loopback excepted', () => {
    expect(before.names).toEqual(['eth0', 'eth1']);
    expect(before.indexes.get('eth2')).toBe(6);
    expect(before.indexes.size).toBe(5);
  });

  test('are others when one of them was made again', () => {
    const isSame = (numbers: Readonly<Record<string, number>>): boolean =>
      isSameDevices(before, parseDevices(devices(numbers), addresses));
    expect(isSame({ eth0: 4, eth1: 5, eth2: 7 })).toBe(true);
    expect(isSame({ eth0: 4, eth1: 7, eth2: 6 })).toBe(false);
    expect(isSameDevices(before, parseDevices(devices({}), [OURS]))).toBe(false);
  });

  test('are not known when the system does not say', async () => {
    expect(await findMediaDevices(addresses, () => Promise.resolve(''))).toBeUndefined();
  });
});
