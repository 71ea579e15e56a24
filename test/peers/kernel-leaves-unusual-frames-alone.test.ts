/** Packets that the kernel would not forward as they should be go by the relay thread, one by one. */
import { expect, test } from 'vitest';
import type { FrameOrder } from '../support/frame-host.ts';
import { CALLER_SSRC, KernelStage, numberProblems, PEER_PORT } from '../support/kernel-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { CALLER, isKernelMissing, RELAY } from '../support/media-namespaces.ts';

checkLeaksAfterEach();

const COUNT = 50;

function forwarded(text: string): number {
  const counts = [...text.matchAll(/counter packets (\d+)/gu)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

test.skipIf(isKernelMissing())(
  'low TTL, a VLAN tag or no UDP checksum: none of the kernel path',
  async () => {
    const stage = closeAfterTest(new KernelStage('u'));
    await stage.carry();
    const before = await stage.pause();
    let sequenceNumber = ((before.callee.heard.at(-1)?.sequenceNumber ?? 0) + 1) % 65_536;

    const { table } = await stage.view();
    const frames = stage.hosts.start('caller', './frame-host.ts');
    const take = async (change: Partial<FrameOrder>): Promise<object> => {
      const known = forwarded(stage.hosts.nft('list', 'table', 'netdev', table));
      const to = { address: RELAY.caller, port: stage.local?.caller.rtpPort };
      const from = { address: CALLER, port: PEER_PORT };
      const order = { device: 'wire', from, to, ssrc: CALLER_SSRC, sequenceNumber, count: COUNT };
      await frames.ask({ order: { ...order, ...change } });
      const { heard } = (await stage.pause()).callee;
      if (heard.length > 0) sequenceNumber = (sequenceNumber + COUNT) % 65_536;
      expect(numberProblems(heard, CALLER_SSRC)).toEqual([]);
      const after = forwarded(stage.hosts.nft('list', 'table', 'netdev', table));
      return { heard: heard.length, isForwarded: after > known };
    };
    expect(await take({})).toEqual({ heard: COUNT, isForwarded: true });
    expect(await take({ isChecked: false })).toEqual({ heard: COUNT, isForwarded: false });
    expect(await take({ ttl: 31 })).toEqual({ heard: COUNT, isForwarded: false });
    expect(await take({ vlan: 77 })).toEqual({ heard: 0, isForwarded: false });
    expect(await take({ ttl: 32 })).toEqual({ heard: COUNT, isForwarded: true });
    expect((await stage.view()).carried).toBe(2);
  },
);
