/**
 *   holder            SBC             held
 *     | INVITE sendonly| INVITE sendonly|
 *     |--------------->|--------------->|
 *     |   200 recvonly |   200 recvonly |
 *     |<---------------|<---------------|
 *     |==== RTP ======>|==== RTP ======>|      nothing comes back
 *     | INVITE sendrecv| INVITE sendrecv|
 *     |--------------->|--------------->|
 *     |==== RTP both ways again ========|
 */
import { expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioAt,
  audioBothWays,
  finish,
  isSilentAt,
  openCallStage,
  shareSbcInFile,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import { requiredHeader, statusOf } from '../support/sip-text.ts';

shareSbcInFile();
checkLeaksAfterEach();

test.each(['alice', 'bob'] as const)(
  '%s holds with sendonly and inactive, twice',
  async (holder) => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    const held = holder === 'alice' ? 'bob' : 'alice';

    const answers: string[] = [];
    const silences: boolean[] = [];
    for (const direction of ['sendonly', 'inactive'] as const) {
      const hold = await call[holder].reinvite(direction);
      answers.push(readSdp(hold.body).direction);
      if (direction === 'sendonly') await audioAt(call[held]);
      else silences.push(await isSilentAt(call[held]));
      silences.push(await isSilentAt(call[holder]));
      const resume = await call[holder].reinvite('sendrecv');
      answers.push(readSdp(resume.body).direction);
      await audioBothWays(call);
    }
    await finish(call);

    expect(silences).toEqual([true, true, true]);
    expect(answers).toEqual(['recvonly', 'sendrecv', 'inactive', 'sendrecv']);
    expect([...call.alice.dialog.problems, ...call.bob.dialog.problems]).toEqual([]);
  },
);

test.each(['alice', 'bob'] as const)('%s holds with c=0.0.0.0 (RFC 2543)', async (holder) => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const { address, rtpPort } = call[holder].rtp;
  const holding = buildSdp({ address, rtpPort, version: 8 }).replace(
    `c=IN IP4 ${address}`,
    'c=IN IP4 0.0.0.0',
  );

  const hold = await call[holder].dialog.request('INVITE', { body: holding });
  expect(await isSilentAt(call[holder])).toBe(true);
  const resume = await call[holder].dialog.request('INVITE', {
    body: buildSdp({ address, rtpPort, version: 9 }),
  });
  await audioBothWays(call);
  await finish(call);

  expect([statusOf(hold), statusOf(resume)]).toEqual([200, 200]);
});

test('our ports, o= id and Contact stay the same through every re-INVITE', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const before = call.bob.remote;
  const contact = requiredHeader(call.bob.remoteMessage, 'Contact');

  await call.alice.reinvite('sendonly');
  await call.alice.reinvite('sendrecv');
  const reinvite = await call.bob.dialog.waitForRequest('INVITE', 2);
  await finish(call);

  const after = readSdp(reinvite.body);
  expect(after.rtpPort).toBe(before.rtpPort);
  expect(after.originVersion).toBe(before.originVersion + 2);
  expect(/^o=(\S+ \d+)/m.exec(reinvite.body)?.[1]).toBe(
    /^o=(\S+ \d+)/m.exec(call.bob.remoteMessage.body)?.[1],
  );
  expect(requiredHeader(reinvite, 'Contact')).toBe(contact);
});
