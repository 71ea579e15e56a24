import { expect, test } from 'vitest';
import { widerThanWritten } from '../../../src/config/lint-networks.ts';
import { lintConfig } from '../../../src/config/lint.ts';
import { edited, validOf } from './sample.ts';

test.each([
  ['127.38.5.7', undefined],
  ['127.38.5.7/32', undefined],
  ['127.38.5.0/24', undefined],
  ['127.38.5.7/24', '127.38.5.0/24'],
  ['255.255.255.255/1', '128.0.0.0/1'],
  ['10.0.0.1/0', '0.0.0.0/0'],
  ['0.0.0.0/0', undefined],
  ['2001:db8::/32', undefined],
  ['2001:db8::1', undefined],
  ['::1/128', undefined],
  ['2001:db8::7/64', '2001:db8::/64'],
  ['2001:db8:1:2:3:4:5:6/48', '2001:db8:1::/48'],
  ['2001:db8:1:2:3:4:5:6/112', '2001:db8:1:2:3:4:5:0/112'],
  ['::ffff:10.0.0.7/120', '0:0:0:0:0:ffff:a00:0/120'],
  ['::1/0', '::/0'],
])('%s is written for %s', (text, expected) => {
  const wider = widerThanWritten(text);
  expect(wider === undefined ? undefined : canonical(wider)).toBe(
    expected === undefined ? undefined : canonical(expected),
  );
});

/** IPv6 as URLs write it. */
function canonical(network: string): string {
  const [address = '', prefix] = network.split('/');
  const host = address.includes(':') ? new URL(`http://[${address}]`).hostname : address;
  return `${host}/${prefix}`;
}

test('a network with host bits is pointed out where it stands', () => {
  const CORE = 'tcp/127.0.0.1:6062 ]';
  const networks = 'allow: [ 192.0.2.1, 127.38.5.7/24 ], deny: [ "2001:db8::1/32" ]';
  const findings = lintConfig(validOf(edited([CORE, `${CORE}, ${networks}`])));
  expect(findings).toMatchObject([
    {
      code: 'network-host-bits',
      line: 6,
      message: '127.38.5.7/24 stands for all of 127.38.5.0/24',
    },
    { code: 'network-host-bits', message: '2001:db8::1/32 stands for all of 2001:db8::/32' },
  ]);
});
