/**
 *   alice             SBC             bob
 *     | INVITE offer 2 | INVITE offer 2 |
 *     |--------------->|--------------->|
 *     |            491 | INVITE offer 3 |     one offer at a time in the whole call
 *     |                |<---------------|
 *     |            488 |            488 |     refused: the session before it goes on
 *     |<---------------|<---------------|
 */
import { describe, expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioBothWays,
  callRecords,
  finish,
  openCallStage,
  plainOffer,
  shareSbcInFile,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { sleep } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

test('a re-INVITE the other end refuses changes nothing', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  call.bob.dialog.handle('INVITE', () => ({ status: 488, reason: 'Not Like This' }));

  const refused = await call.alice.reinvite('sendonly');
  await audioBothWays(call);
  await finish(call);

  expect(refused.startLine).toBe('SIP/2.0 488 Not Like This');
});

test('a re-INVITE that carries no SDP worth the name gets 488 and is not passed on', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);

  const refused = await call.alice.dialog.request('INVITE', { body: 'hello' });
  await audioBothWays(call);
  await finish(call);

  expect(statusOf(refused)).toBe(488);
  expect(call.bob.dialog.received.map(({ startLine }) => startLine.split(' ')[0])).toEqual(['BYE']);
});

test('offers of both ends at once: at least one gets 491, the call goes on', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const { address, rtpPort } = call.bob.rtp;
  call.bob.dialog.handle('INVITE', async () => {
    await sleep(100);
    return {
      status: 200,
      body: buildSdp({ address, rtpPort, version: 9 }),
    };
  });

  const first = call.alice.reinvite('sendrecv');
  await call.bob.dialog.waitForRequest('INVITE');
  const crossing = await call.bob.reinvite('sendrecv');
  const answer = await first;
  await audioBothWays(call);
  await finish(call);

  expect(statusOf(crossing)).toBe(491);
  expect(statusOf(answer)).toBe(200);
});

test('a second offer of the same end is refused while the first is open (RFC 3311 §5.2)', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  call.bob.dialog.handle('INVITE', async () => {
    await sleep(100);
    return { status: 488 };
  });

  const first = call.alice.reinvite('sendonly');
  await call.bob.dialog.waitForRequest('INVITE');
  const update = await call.alice.dialog.request('UPDATE', { body: plainOffer(stage.alice.sip) });
  const answer = await first;
  await finish(call);

  expect(statusOf(update)).toBe(500);
  expect(headerValue(update, 'Retry-After')).toBeDefined();
  expect(statusOf(answer)).toBe(488);
});

test.each([
  ['alice', 'an offer', 500],
  ['alice', 'no offer', 500],
  ['bob', 'an offer', 491],
  ['bob', 'no offer', 200],
] as const)(
  'while an UPDATE of alice is under way, one of %s with %s gets %i (RFC 3311 §5.2)',
  async (sender, what, status) => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { address, rtpPort } = call.bob.rtp;
    call.bob.dialog.handle('UPDATE', async () => {
      await released;
      return { status: 200, body: buildSdp({ address, rtpPort, version: 5 }) };
    });

    const first = call.alice.dialog.request('UPDATE', { body: plainOffer(stage.alice.sip) });
    await call.bob.dialog.waitForRequest('UPDATE');
    const body = what === 'an offer' ? plainOffer(stage[sender].sip) : '';
    const second = await call[sender].dialog.request('UPDATE', { body });
    release();
    const answer = await first;
    await finish(call);

    expect(statusOf(second)).toBe(status);
    expect(headerValue(second, 'Retry-After') !== undefined).toBe(status === 500);
    expect(statusOf(answer)).toBe(200);
  },
);

describe('a re-INVITE without offer', () => {
  test.each(['alice', 'bob'] as const)(
    'of %s fetches the offer of the other end',
    async (asking) => {
      const stage = await openCallStage();
      const call = await aliceCallsBob(stage);
      const { address, rtpPort } = call[asking].rtp;

      const response = await call[asking].dialog.request('INVITE', {
        ackBody: () => buildSdp({ address, rtpPort, version: 7 }),
      });
      const other = asking === 'alice' ? 'bob' : 'alice';
      const ack = await call[other].dialog.waitForAck(other === 'bob' ? 2 : 1);
      await audioBothWays(call);
      await finish(call);

      expect(readSdp(response.body).rtpPort).toBe(call[asking].remote.rtpPort);
      expect(readSdp(ack.body).rtpPort).toBe(call[other].remote.rtpPort);
    },
  );

  test('whose ACK brings no answer leaves the session as it was', async () => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);

    const response = await call.alice.dialog.request('INVITE');
    await call.bob.dialog.waitForAck(2);
    await audioBothWays(call);
    await finish(call);

    expect(statusOf(response)).toBe(200);
  });
});

describe('UPDATE', () => {
  test('without SDP is answered by the SBC', async () => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);

    const answer = await call.alice.dialog.request('UPDATE');
    await finish(call);

    expect(statusOf(answer)).toBe(200);
    expect(headerValue(answer, 'Contact')).toBeDefined();
    expect(call.bob.dialog.received.map(({ startLine }) => startLine.split(' ')[0])).toEqual([
      'BYE',
    ]);
  });

  test('with SDP is an offer like a re-INVITE', async () => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    const { address, rtpPort } = call.bob.rtp;
    call.bob.dialog.handle('UPDATE', () => ({
      status: 200,
      body: buildSdp({ address, rtpPort, direction: 'recvonly', version: 4 }),
    }));

    const offer = buildSdp({
      address: call.alice.rtp.address,
      rtpPort: call.alice.rtp.rtpPort,
      direction: 'sendonly',
      version: 4,
    });
    const answer = await call.alice.dialog.request('UPDATE', { body: offer });
    const update = await call.bob.dialog.waitForRequest('UPDATE');
    await finish(call);

    expect(readSdp(update.body).direction).toBe('sendonly');
    expect(readSdp(answer.body).direction).toBe('recvonly');
  });
});

test.each([481, 408])(
  'a leg that answers %i to a re-INVITE has lost the call: it ends on both',
  async (status) => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    call.bob.dialog.handle('INVITE', () => ({ status }));

    const refused = await call.alice.reinvite('sendrecv');
    await call.alice.waitForEnd();
    await call.bob.waitForEnd();

    expect(statusOf(refused)).toBe(status);
    const [record] = await callRecords(stage.running, 1);
    expect(record?.release).toMatchObject({ side: 'callee', internalCode: 'dialog-lost' });
  },
);

test('a re-INVITE of the callee that overtakes the caller’s ACK waits for it', async () => {
  const stage = await openCallStage();
  const { alice, bob, running } = stage;
  const outgoing = alice.sip.invite({
    to: '1',
    via: running.access,
    body: plainOffer(alice.sip),
  });
  outgoing.dialog.handle('INVITE', () => ({ status: 200, body: plainOffer(alice.sip) }));
  const incoming = await bob.sip.nextCall();

  const dialog = await incoming.answer({ body: plainOffer(bob.sip) });
  const answer = await dialog.request('INVITE', { body: plainOffer(bob.sip, 40_002) });
  await outgoing.answered();
  await outgoing.dialog.bye();
  await dialog.waitForEnd();

  expect(statusOf(answer)).toBe(200);
});
