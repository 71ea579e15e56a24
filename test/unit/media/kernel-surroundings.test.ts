import { describe, expect, test } from 'vitest';
import { parseDevices } from '../../../src/media/kernel/media-devices.ts';
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
});

test('the devices of our media are those that carry its addresses, loopback excepted', () => {
  const devices = [
    { ifname: 'lo', link_type: 'loopback', addr_info: [{ local: '127.0.0.1' }] },
    { ifname: 'eth1', link_type: 'ether', addr_info: [{ local: '10.0.0.1' }, { local: OURS }] },
    { ifname: 'eth0', link_type: 'ether', addr_info: [{ local: '192.0.2.1' }] },
    { ifname: 'eth2', link_type: 'ether', addr_info: [{ local: '192.0.2.77' }, null] },
    { ifname: 'wg0', link_type: 'none' },
  ];
  const addresses = ['127.0.0.1', OURS, '192.0.2.1', '2001:db8::1'];
  expect(parseDevices(`${JSON.stringify(devices)}\n`, addresses)).toEqual(['eth0', 'eth1']);
  expect(parseDevices('', addresses)).toEqual([]);
});
