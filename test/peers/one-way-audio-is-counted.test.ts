/**
 *   alice          SBC           bob
 *     | RTP ------->|------------>|     from the answer on, nothing comes back
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioAt,
  audioBothWays,
  finish,
  openCallStage,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { sleep } from '../support/wait-for.ts';

checkLeaksAfterEach();

test('seconds in which only one party is heard are counted', async () => {
  const stage = await openCallStage();
  const oneWaySeconds = async (): Promise<number> => {
    const { api } = stage.running;
    const text = await (await fetch(`http://127.0.0.1:${api.port}/metrics`)).text();
    return Number(/^sbc_rtp_one_way_seconds_total (\S+)$/m.exec(text)?.[1]);
  };
  const call = await aliceCallsBob(stage);
  await audioBothWays(call);
  const before = await oneWaySeconds();
  call.bob.rtp.stopAudio();
  await audioAt(call.bob);
  const deadlineMs = performance.now() + 15_000;
  let after = before;
  while (after < before + 0.9 && performance.now() < deadlineMs) {
    await sleep(100);
    after = await oneWaySeconds();
  }
  await finish(call);

  expect(after - before).toBeGreaterThanOrEqual(0.9);
});
