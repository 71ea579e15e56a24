/**
 *   alice ══ audio ══ SBC ══ audio ══ bob
 *     |               X engine            the engine thread crashes: nobody is told, the audio goes on
 *     |            engine |               another one takes its place and knows nothing of the call
 *     | BYE           |           BYE |
 *     |<--------------|-------------->|   both ends are released, a record says why, the next call succeeds
 */
import type { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { aliceCallsBob, callRecords, finish, openCallStage } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { withEngineThread } from '../support/engine-loss.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { waitFor } from '../support/wait-for.ts';

checkLeaksAfterEach();

/** How the calls ended, in the order of their records. */
async function releases({ running }: CallStage, count: number): Promise<string[]> {
  const records = await callRecords(running, count);
  return records.map(({ release }) => `${release.side} ${release.internalCode}`);
}

async function isBack({ running }: CallStage): Promise<void> {
  const url = `http://${running.api.address}:${running.api.port}/readyz`;
  const probe = async (): Promise<number> => {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.status;
  };
  await expect.poll(probe, { timeout: 20_000 }).toBe(200);
}

test('the embedded engine crashes: it runs again on its ports, and both ends of its call are told', async () => {
  const { stage, thread } = await withEngineThread(() => openCallStage({ logsErrors: true }));
  const call = await aliceCallsBob(stage);

  await thread.terminate();
  await Promise.all([call.alice.waitForEnd(), call.bob.waitForEnd()]);
  expect(await releases(stage, 1)).toEqual(['sbc engine-lost']);

  await isBack(stage);
  await finish(await aliceCallsBob(stage));
  expect(await releases(stage, 2)).toEqual(['sbc engine-lost', 'caller hang-up']);
});

test('the embedded engine crashes again and again: it comes back each time', async () => {
  const { stage, thread } = await withEngineThread(() => openCallStage({ logsErrors: true }));
  let current = thread;
  for (let round = 0; round < 3; round += 1) {
    const successor = Promise.withResolvers<Worker>();
    process.once('worker', successor.resolve);
    await current.terminate();
    current = await successor.promise;
  }
  await waitFor('the connection', () => stage.running.sbc.stack.isUp);
  await finish(await aliceCallsBob(stage));
  expect(await releases(stage, 1)).toEqual(['caller hang-up']);
});
