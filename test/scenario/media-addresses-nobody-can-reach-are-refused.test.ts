/**
 *   caller            SBC            callee
 *     | INVITE, c= a host name          |
 *     |--------------->|                |
 *     |   488, Warning |                |       before anybody is called
 *     |<---------------|                |
 *     | INVITE, audio and video, c= of the video in the other family
 *     |--------------->|  INVITE, m=video 0
 *     |                |--------------->|
 */
import { expect, test } from 'vitest';
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
import { buildSdp } from '../support/sdp-text.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';

/** What the SBC has logged. */
const logLines: string[] = [];

shareSbcInFile({ logLines });
checkLeaksAfterEach();

function at(body: string, connection: string): string {
  return body.replace(/^c=.*$/m, `c=${connection}\r`).replace('\r\r', '\r');
}

/** The lines of the log with this message. */
function logged(message: string): Record<string, unknown>[] {
  return logLines
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter(({ msg }) => msg === message);
}

const HOST_NAME = 'IN IP4 media.example';

test.each([
  [HOST_NAME, '301'],
  ['IN IP6 ::1', '300'],
  ['IN IP4 127.1', '301'],
  ['IN IP4 239.1.1.1', '330'],
])('an INVITE whose media is at %s gets 488 with warning %s', async (connection, code) => {
  const { alice, bob, running } = await openCallStage();
  const body = at(plainOffer(alice.sip), connection);
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body });
  const final = await outgoing.finished();
  const [record] = await callRecords(running, 1);

  expect(statusOf(final)).toBe(488);
  expect(headerValue(final, 'Warning')).toMatch(new RegExp(`^${code} Tonebridge "c= of m-line 1 `));
  expect(record).toMatchObject({ release: { sipCode: 488, internalCode: 'bad-sdp' } });
  expect(bob.sip.incoming).toEqual([]);
});

test('an answer whose media is nowhere releases the callee, the caller gets 502', async () => {
  const { alice, bob, running } = await openCallStage();
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: plainOffer(alice.sip) });
  const incoming = await bob.sip.nextCall();
  await incoming.answer({ body: at(plainOffer(bob.sip), HOST_NAME) });
  await incoming.dialog.waitForEnd();
  const final = await outgoing.finished();
  const [record] = await callRecords(running, 1);

  expect([statusOf(final), headerValue(final, 'Warning')]).toEqual([502, undefined]);
  expect(record).toMatchObject({ release: { internalCode: 'bad-answer' } });
  expect(record?.release.text).toContain('host name');
});

test('an INVITE with one section of several at such an address is a call without that section', async () => {
  const stage = await openCallStage();
  const { alice, bob, running } = stage;
  const video = 'm=video 40004 RTP/AVP 96\r\nc=IN IP6 2001:db8::1\r\n';
  const outgoing = alice.sip.invite({
    to: '1',
    via: running.access,
    body: plainOffer(alice.sip) + video,
  });
  const incoming = await bob.sip.nextCall();
  const answer = `${plainOffer(bob.sip)}m=video 0 RTP/AVP 96\r\n`;
  await incoming.answer({ body: answer });
  const final = await outgoing.finished();
  const dialog = await outgoing.answered();
  await dialog.bye();
  await callRecords(running, 1);

  expect(incoming.invite.body).toMatch(/^m=audio [1-9][^]*^m=video 0 /m);
  expect(final.body).toMatch(/^m=audio [1-9][^]*^m=video 0 /m);
  expect(logged('media section switched off')).toEqual([
    expect.objectContaining({ side: 'caller', reason: 'c= of m-line 2 is IP6, media is IP4' }),
  ]);
});

test('media at an IPv4-mapped address goes both ways', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const { address, rtpPort } = call.alice.rtp;
  const offer = buildSdp({ address, rtpPort, version: 9 });
  const { dialog } = call.alice;
  const answer = await dialog.request('INVITE', { body: at(offer, `IN IP6 ::ffff:${address}`) });
  await audioBothWays(call);
  await finish(call);
  expect(statusOf(answer)).toBe(200);
});

test('a re-INVITE with such an address, or with fewer m-lines, gets 488 and all goes on', async () => {
  const stage = await openCallStage();
  const call = await aliceCallsBob(stage);
  const { address, rtpPort } = call.alice.rtp;
  const offer = buildSdp({ address, rtpPort, version: 9 });
  const withoutMedia = offer.slice(0, offer.indexOf('m='));
  const { dialog } = call.alice;
  const refused = [
    await dialog.request('INVITE', { body: at(offer, HOST_NAME) }),
    await dialog.request('INVITE', { body: withoutMedia }),
    await dialog.request('UPDATE', { body: withoutMedia }),
  ];
  await audioBothWays(call);
  await finish(call);

  expect(refused.map((each) => [statusOf(each), headerValue(each, 'Warning')])).toEqual([
    [488, expect.stringContaining('301 Tonebridge')],
    [488, '399 Tonebridge "expected 1 m= lines as before, got 0"'],
    [488, '399 Tonebridge "expected 1 m= lines as before, got 0"'],
  ]);
  const reasons = logged('session description refused').map(({ reason }) => reason);
  expect(reasons.slice(-3)).toEqual([
    'c= of m-line 1 is a host name or malformed address, not an IP address',
    'expected 1 m= lines as before, got 0',
    'expected 1 m= lines as before, got 0',
  ]);
  expect(call.bob.dialog.received.map(({ startLine }) => startLine.split(' ')[0])).toEqual(['BYE']);
});
