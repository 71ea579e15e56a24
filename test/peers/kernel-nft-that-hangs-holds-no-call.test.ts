/** While nft hangs its rules go on: they are gone before a call ends, moves, or has a key put in. */
import { kill } from 'node:process';
import { expect, test } from 'vitest';
import { CALLER_SSRC, KernelStage, numberProblems } from '../support/kernel-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { isKernelMissing } from '../support/media-namespaces.ts';
import { sleep } from '../support/wait-for.ts';

checkLeaksAfterEach();

const isMissing = isKernelMissing();
const KEY = { digitId: 'seven', eventCode: 7, durationMs: 100 };

/** Both directions go by the kernel, and nft does nothing any more. */
async function hanging(letter: string): Promise<KernelStage> {
  const stage = closeAfterTest(new KernelStage(letter));
  await stage.carry();
  const { nftPid } = await stage.view();
  if (nftPid === undefined) throw new Error('no nft');
  kill(nftPid, 'SIGSTOP');
  return stage;
}

test.skipIf(isMissing)('a stream is closed when nothing of it is forwarded any more', async () => {
  const stage = await hanging('q');
  const { sent } = await stage.report('caller');
  const counters = await stage.relay.ask({ type: 'close' });
  const { heard } = await stage.report('callee');
  await sleep(300);
  expect((await stage.report('callee')).heard).toEqual([]);
  expect(counters).toMatchObject({ caller: { lostPackets: 0 }, callee: { lostPackets: 0 } });
  expect(numberProblems(heard, CALLER_SSRC)).toEqual([]);
  const { receivedPackets } = (await stage.counters()).caller;
  expect(receivedPackets).toBeGreaterThanOrEqual(Math.max(heard.length, sent - 10));
  await stage.until('nft again', ({ isUp }) => isUp);
});

test.skipIf(isMissing)('a key is put in behind the last packet that was forwarded', async () => {
  const stage = await hanging('r');
  await stage.relay.ask({ type: 'play', to: 'callee', digit: KEY });
  await stage.until('key', ({ sent }) => sent.includes('seven'));
  await sleep(300);
  const { heard } = (await stage.pause()).callee;
  expect(heard.filter(({ eventCode }) => eventCode === 7).length).toBeGreaterThan(3);
  expect(numberProblems(heard, CALLER_SSRC)).toEqual([]);
});
