import { expect, test } from 'vitest';
import { withUsableRemote } from '../../../src/media/remote-address.ts';
import { sampleLeg } from './media-samples.ts';

type Remote = [address: string, rtpPort: number, rtcpPort: number];

test.each<[Remote, string, Remote | undefined]>([
  [['192.0.2.1', 4000, 4001], '127.0.0.1', ['192.0.2.1', 4000, 4001]],
  [['2001:DB8:0:0::1', 4000, 4001], '::1', ['2001:db8::1', 4000, 4001]],
  [['192.0.2.1', 4000, 0], '127.0.0.1', ['192.0.2.1', 4000, 4001]],
  [['192.0.2.1', 65_535, 65_536], '127.0.0.1', ['192.0.2.1', 65_535, 65_535]],
  [['0.0.0.0', 4000, 4001], '127.0.0.1', undefined],
  [['0:0::0', 4000, 4001], '::1', undefined],
  [['192.0.2.1', 0, 1], '127.0.0.1', undefined],
  [['192.0.2.1', 70_000, 1], '127.0.0.1', undefined],
  [['192.0.2.1', 1.5, 1], '127.0.0.1', undefined],
  [['2001:db8::1', 4000, 4001], '127.0.0.1', undefined],
  [['192.0.2.1', 4000, 4001], '::1', undefined],
  [['::ffff:192.0.2.1', 4000, 4001], '127.0.0.1', ['192.0.2.1', 4000, 4001]],
  [['0:0::FFFF:c000:201', 4000, 4001], '127.0.0.1', ['192.0.2.1', 4000, 4001]],
  [['::ffff:0.0.0.0', 4000, 4001], '127.0.0.1', undefined],
  [['::ffff:192.0.2.1', 4000, 4001], '::1', undefined],
  [['media.example', 4000, 4001], '127.0.0.1', undefined],
])('%j seen from %s is %j', ([address, rtpPort, rtcpPort], localAddress, expected) => {
  const media = sampleLeg(1, { remote: { address, rtpPort, rtcpPort } });
  const { remote } = withUsableRemote(media, localAddress);
  expect(remote && [remote.address, remote.rtpPort, remote.rtcpPort]).toEqual(expected);
});

test('no remote address stays none', () => {
  const media = sampleLeg(1, { remote: undefined });
  expect(withUsableRemote(media, '127.0.0.1')).toBe(media);
});
