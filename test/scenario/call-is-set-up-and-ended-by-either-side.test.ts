/**
 *   caller            SBC            callee
 *     | INVITE         |                |
 *     |--------------->| INVITE         |
 *     |                |--------------->|
 *     |            180 |            180 |
 *     |<---------------|<---------------|
 *     |            200 |            200 |
 *     |<---------------|<---------------|
 *     | ACK            | ACK            |
 *     |--------------->|--------------->|
 *     |==== RTP ======>|==== RTP ======>|
 *     |<===== RTP =====|<===== RTP =====|
 *     | BYE            | BYE            |
 *     |--------------->|--------------->|
 */
import { describe, expect, test } from 'vitest';
import {
  aliceCallsBob,
  bobCallsAlice,
  openCallStage,
  plainOffer,
  shareSbcInFile,
} from '../support/call-stage.ts';
import type { CallStageOptions } from '../support/call-stage.ts';
import { messagesOf } from '../support/digit-call.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { RtpPeer } from '../support/rtp-peer.ts';
import { buildSdp, readSdp } from '../support/sdp-text.ts';
import { headerValue } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

const IPV6: CallStageOptions = {
  alice: { address: '::1' },
  bob: { address: '::1' },
  host: '::1',
  coreHost: '::1',
  // One address for all: only names can be told apart.
  hidesTopology: false,
};

describe('a call', () => {
  test.each<readonly [string, 'alice' | 'bob', 'alice' | 'bob', CallStageOptions]>([
    ['UDP', 'alice', 'alice', {}],
    ['UDP', 'alice', 'bob', {}],
    ['UDP', 'bob', 'alice', {}],
    ['UDP', 'bob', 'bob', {}],
    ['TCP', 'alice', 'bob', { transport: 'tcp' }],
    ['TCP', 'bob', 'bob', { transport: 'tcp' }],
    ['IPv6', 'alice', 'alice', IPV6],
    ['IPv6', 'bob', 'alice', IPV6],
  ])('over %s from %s, hung up by %s', async (_name, calls, hangsUp, options) => {
    const stage = await openCallStage(options);

    const call = await (calls === 'alice' ? aliceCallsBob(stage) : bobCallsAlice(stage));
    const other = hangsUp === 'alice' ? 'bob' : 'alice';
    await call[hangsUp].hangUp();
    await call[other].waitForEnd();

    const [caller, callee] =
      calls === 'alice' ? (['alice', 'bob'] as const) : (['bob', 'alice'] as const);
    expect(messagesOf(stage[caller].sip).slice(0, 5)).toEqual([
      '> INVITE',
      '< 100 INVITE',
      '< 180 INVITE',
      '< 200 INVITE',
      '> ACK',
    ]);
    expect(messagesOf(stage[callee].sip).slice(0, 5)).toEqual([
      '< INVITE',
      '> 100 INVITE',
      '> 180 INVITE',
      '> 200 INVITE',
      '< ACK',
    ]);
    expect(call[hangsUp].dialog.received).toEqual([]);
    expect(call[other].dialog.received.map(({ startLine }) => startLine.split(' ')[0])).toEqual([
      'BYE',
    ]);
    expect([...call.alice.audioProblems(), ...call.bob.audioProblems()]).toEqual([]);
    expect([...call.alice.dialog.problems, ...call.bob.dialog.problems]).toEqual([]);
  });
});

test('Max-Forwards goes down by one, the caller’s name and number are kept', async () => {
  const stage = await openCallStage();
  const { alice, bob, running } = stage;

  const outgoing = alice.sip.invite({
    to: '+4930123',
    via: running.access,
    body: plainOffer(alice.sip),
    headers: [['Subject', 'lunch']],
  });
  const incoming = await bob.sip.nextCall();
  incoming.reject(486);
  await outgoing.finished();

  expect(headerValue(incoming.invite, 'Max-Forwards')).toBe('69');
  expect(headerValue(incoming.invite, 'From')).toMatch(/^<sip:alice@127\.0\.0\.4/);
  expect(headerValue(incoming.invite, 'Subject')).toBe('lunch');
  expect(incoming.invite.startLine).toBe(`INVITE sip:+4930123@127.0.0.3:${bob.sip.port} SIP/2.0`);
});

test('early media: the 183 carries the answer, and RTP flows before the 200', async () => {
  const stage = await openCallStage();
  const { alice, bob, running } = stage;
  const aliceRtp = closeAfterTest(await RtpPeer.open({ address: '127.0.0.2' }));
  const bobRtp = closeAfterTest(await RtpPeer.open({ address: '127.0.0.3' }));

  const offer = buildSdp({ address: '127.0.0.2', rtpPort: aliceRtp.rtpPort });
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: offer });
  const incoming = await bob.sip.nextCall();
  const answer = buildSdp({ address: '127.0.0.3', rtpPort: bobRtp.rtpPort });
  incoming.ring({ status: 183, body: answer });
  const early = readSdp((await outgoing.provisional(183)).body);
  aliceRtp.setRemote(early);
  bobRtp.setRemote(readSdp(incoming.invite.body));
  aliceRtp.startAudio();
  bobRtp.startAudio();
  await waitFor('early media', () => aliceRtp.received.length > 2 && bobRtp.received.length > 2);
  const finalBefore = outgoing.final;
  const answered = incoming.answer({ body: answer });
  const dialog = await outgoing.answered();
  await answered;
  await dialog.bye();
  await incoming.dialog.waitForEnd();

  const final = readSdp(outgoing.final?.body ?? '');
  expect(finalBefore).toBeUndefined();
  expect(early.address).toBe('127.0.0.1');
  expect(final).toEqual(early);
});
