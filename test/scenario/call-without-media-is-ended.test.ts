/**
 *   alice             SBC             bob
 *     |==== RTP ======>|==== RTP ======>|
 *     |   silence      |   silence      |     inactivity-timeout
 *     |            BYE | BYE            |
 *     |<---------------|--------------->|
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  callRecords,
  openCallStage,
  shareSbcInFile,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { headerValue } from '../support/sip-text.ts';

shareSbcInFile();
checkLeaksAfterEach();

test('after the inactivity time, on both legs', async () => {
  const stage = await openCallStage({
    edit: (yaml) => yaml.replace('workers: 1,', 'workers: 1, inactivity-timeout: 1s,'),
  });
  const call = await aliceCallsBob(stage);

  call.alice.rtp.stopAudio();
  call.bob.rtp.stopAudio();
  await Promise.all([call.alice.waitForEnd(), call.bob.waitForEnd()]);

  const bye = await call.bob.dialog.waitForRequest('BYE');
  expect(headerValue(bye, 'Reason')).toBe('Q.850;cause=102;text="media timeout"');
  const [record] = await callRecords(stage.running, 1);
  expect(record?.release).toMatchObject({ side: 'sbc', internalCode: 'media-timeout' });
  expect(record?.media?.perLeg.ingress).toMatchObject({ inactive: true });
});
