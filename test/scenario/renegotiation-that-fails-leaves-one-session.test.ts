/**
 *   alice             SBC             bob
 *     | INVITE offer 2 | INVITE offer 2 |
 *     |--------------->|--------------->|
 *     |     what bob says, at once      |
 *     |<---------------|<---------------|      both ends go by offer 1
 *
 * An answer that cannot be used is the SBC's trouble: bob believes in offer 2, so he gets offer 1 again.
 */
import { describe, expect, test } from 'vitest';
import {
  aliceCallsBob,
  audioBothWays,
  finish,
  openCallStage,
  plainOffer,
  shareSbcInFile,
} from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import type { Reply } from '../support/sip-dialog.ts';
import { headerValue, methodOf, statusOf } from '../support/sip-text.ts';

shareSbcInFile();
checkLeaksAfterEach();

test('whatever final answer the other end gives to an offer, its sender gets', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const told: string[] = [];
  const statuses = [400, 403, 404, 413, 415, 480, 486, 488, 491, 493, 500, 503, 504, 600, 603, 606];
  for (const method of ['INVITE', 'UPDATE'] as const) {
    for (const status of statuses) {
      call.bob.dialog.handle(method, () => ({ status }));
      const answer = await call.alice.dialog.request(method, { body: plainOffer(stage.alice.sip) });
      told.push(`${method} ${statusOf(answer)}`);
    }
  }
  await audioBothWays(call);
  await finish(call);

  expect(told).toEqual(
    ['INVITE', 'UPDATE'].flatMap((method) => statuses.map((status) => `${method} ${status}`)),
  );
});

test('an end that redirects an offer inside the call, or asks for credentials, has refused it', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const told: (number | undefined)[] = [];
  for (const status of [302, 401, 407]) {
    call.bob.dialog.handle('INVITE', () => ({
      status,
      headers: [['WWW-Authenticate', 'Digest realm="bob", nonce="1"']],
    }));
    const answer = await call.alice.reinvite('sendonly');
    told.push(statusOf(answer));
    expect(headerValue(answer, 'WWW-Authenticate')).toBeUndefined();
    expect(headerValue(answer, 'Contact')).toBeUndefined();
  }
  await audioBothWays(call);
  await finish(call);

  expect(told).toEqual([480, 403, 403]);
});

test.each([
  ['no SDP at all', ''],
  ['no session description', 'hello'],
])('a 200 with %s: its sender is offered the old session again', async (_what, body) => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const { address, rtpPort } = call.bob.rtp;
  const replies: Reply[] = [{ status: 200, ...(body === '' ? {} : { body }) }];
  call.bob.dialog.handle(
    'INVITE',
    () => replies.shift() ?? { status: 200, body: buildSdp({ address, rtpPort, version: 9 }) },
  );

  const refused = await call.alice.reinvite('sendonly');
  const again = await call.bob.dialog.waitForRequest('INVITE', 2);
  await call.bob.dialog.waitForAck(3);
  await audioBothWays(call);
  await finish(call);

  expect(statusOf(refused)).toBe(488);
  expect(readSdp(again.body).direction).toBe('sendrecv');
});

describe('a re-INVITE in quick succession', () => {
  test('right behind the 200 to one of the other end is served, not refused', async () => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    const { address, rtpPort } = call.bob.rtp;
    const { promise: crossing, resolve } = Promise.withResolvers<unknown>();
    const { dialog } = call.bob;
    dialog.handle('INVITE', (request) => {
      dialog.respond(request, { status: 200, body: buildSdp({ address, rtpPort, version: 2 }) });
      resolve(dialog.request('INVITE', { body: buildSdp({ address, rtpPort, version: 3 }) }));
      return { status: 200 };
    });

    const answer = await call.alice.reinvite('sendrecv');
    const second = await crossing;
    await audioBothWays(call);
    await finish(call);

    expect(statusOf(answer)).toBe(200);
    expect(second).toMatchObject({ startLine: 'SIP/2.0 200 OK' });
  });

  test('right behind the ACK, five times each, both ends in turn', async () => {
    const stage = await openCallStage();
    const call = await aliceCallsBob(stage);
    const answers: (number | undefined)[] = [];
    for (let round = 0; round < 5; round += 1) {
      answers.push(statusOf(await call.alice.reinvite('sendonly')));
      answers.push(statusOf(await call.alice.reinvite('sendrecv')));
      answers.push(statusOf(await call.bob.reinvite('sendonly')));
      answers.push(statusOf(await call.bob.reinvite('sendrecv')));
    }
    await audioBothWays(call);
    await finish(call);

    expect(answers).toEqual(Array.from({ length: 20 }, () => 200));
    expect([...call.alice.dialog.contacts, ...call.bob.dialog.contacts]).toHaveLength(2);
  });
});

describe('while the ACK with the answer to a delayed offer is missing', () => {
  test('further offers are refused, and an ACK of an earlier re-INVITE is no answer', async () => {
    let isLosing = false;
    const lost = new Set<string>();
    const stage = await openCallStage({
      alice: {
        // Loses each ACK once; it comes again with the repeated 200.
        rewriteSent: (message) => {
          const cseq = headerValue(message, 'CSeq') ?? '';
          if (!isLosing || methodOf(message) !== 'ACK' || lost.has(cseq)) return message;
          lost.add(cseq);
          return undefined;
        },
      },
    });
    const call = await aliceCallsBob(stage);
    isLosing = true;
    const { address, rtpPort } = call.alice.rtp;

    await call.alice.reinvite('sendrecv');
    const fetched = await call.alice.dialog.request('INVITE', {
      ackBody: () => buildSdp({ address, rtpPort, version: 30 }),
    });
    const early = await call.bob.reinvite('sendrecv');
    const ack = await call.bob.dialog.waitForAck(3);
    await audioBothWays(call);
    isLosing = false;
    await finish(call);

    expect([statusOf(fetched), statusOf(early)]).toEqual([200, 500]);
    expect(readSdp(ack.body).rtpPort).toBe(call.bob.remote.rtpPort);
  });
});
