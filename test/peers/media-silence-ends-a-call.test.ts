/**
 *   alice             SBC             bob
 *     | re-INVITE sendonly              |
 *     |--------------->|--------------->|     on hold: hold-timeout counts, not inactivity-timeout
 *     |   silence      |                |
 *     |            BYE | BYE            |     media-timeout
 *     |<---------------|--------------->|
 */
import { expect, test } from 'vitest';
import { aliceCallsBob, callRecords, openCallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { statusOf } from '../support/sip-text.ts';

checkLeaksAfterEach();

const HOLD_TIMEOUT_MS = 3000;

test('a held call may be silent for longer than a running one, but not for ever', async () => {
  const stage = await openCallStage({
    edit: (yaml) =>
      yaml.replace('workers: 1,', 'workers: 1, inactivity-timeout: 1s, hold-timeout: 3s,'),
  });
  const call = await aliceCallsBob(stage);
  expect(statusOf(await call.alice.reinvite('sendonly'))).toBe(200);
  call.alice.rtp.stopAudio();
  call.bob.rtp.stopAudio();
  await Promise.all([call.alice.waitForEnd(), call.bob.waitForEnd()]);
  const silentMs = performance.now() - call.alice.rtp.lastSentAtMs;

  // Some time less, never as little as the other timer.
  expect(silentMs).toBeGreaterThan(HOLD_TIMEOUT_MS - 500);
  const [record] = await callRecords(stage.running, 1);
  expect(record?.release).toMatchObject({ side: 'sbc', internalCode: 'media-timeout' });
});
