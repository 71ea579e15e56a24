/**
 *   alice 127.0.0.2 ── access 127.0.0.1 [SBC] core 127.0.0.4 ── bob 127.0.0.3
 *
 * No byte sent to one end names the other: no address, Call-ID, tag, software, o= line. Every call scenario ends with
 * that search; this one offers it all there is to leak.
 */
import { expect, test } from 'vitest';
import { expectNoTrace, openCallStage, shareSbcInFile, tracesOf } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { Header } from '../support/sip-text.ts';

shareSbcInFile();
checkLeaksAfterEach();

/** Headers in which a peer names itself. */
function selfNaming(address: string, product: string): Header[] {
  return [
    ['User-Agent', product],
    ['Server', product],
    ['Organization', product],
    ['P-Asserted-Identity', `<sip:me@${address}>`],
    ['P-Preferred-Identity', `<sip:me@${address}>`],
    ['Remote-Party-ID', `<sip:me@${address}>`],
    ['Record-Route', `<sip:${address};lr>`],
    ['Warning', `399 ${address} "x"`],
    ['Call-Info', `<http://${address}/picture>`],
    ['Alert-Info', `<http://${address}/ring>`],
    ['Error-Info', `<http://${address}/error>`],
    ['Reply-To', `<sip:me@${address}>`],
    ['History-Info', `<sip:me@${address}>;index=1`],
    ['Diversion', `<sip:me@${address}>`],
    ['X-Internal', address],
  ];
}

function sdpOf(address: string, port: number): string {
  return [
    'v=0',
    `o=owner 987654321 1 IN IP4 ${address}`,
    `s=session at ${address}`,
    `i=info ${address}`,
    `u=http://${address}/`,
    `e=me@${address}`,
    `c=IN IP4 ${address}`,
    't=0 0',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:abcdefghijklmnopqrstuv',
    `m=audio ${port} RTP/AVP 0 101`,
    `i=${address}`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    `a=rtcp:${port + 1} IN IP4 ${address}`,
    `a=candidate:1 1 UDP 1 ${address} ${port} typ host`,
    '',
  ].join('\r\n');
}

test('in set-up, early media, re-INVITE, INFO, refusal and BYE', async () => {
  const stage = await openCallStage();
  const { alice, bob, running } = stage;
  const ofAlice = selfNaming('127.0.0.2', 'AlicePhone/1.0').filter(
    ([name]) => name !== 'Record-Route',
  );
  const ofBob = selfNaming('127.0.0.3', 'BobSwitch/2.0').filter(
    ([name]) => name !== 'Record-Route',
  );

  const outgoing = alice.sip.invite({
    to: '1',
    via: running.access,
    headers: ofAlice,
    body: sdpOf('127.0.0.2', 40_000),
  });
  const incoming = await bob.sip.nextCall();
  incoming.ring({ status: 183, headers: ofBob, body: sdpOf('127.0.0.3', 42_000) });
  const answered = incoming.answer({ headers: ofBob, body: sdpOf('127.0.0.3', 42_000) });
  const dialog = await outgoing.answered();
  const bobDialog = await answered;
  bobDialog.handle('INVITE', () => ({
    status: 200,
    headers: ofBob,
    body: sdpOf('127.0.0.3', 42_002),
  }));
  bobDialog.handle('INFO', () => ({ status: 500, headers: ofBob }));
  await dialog.request('INVITE', { headers: ofAlice, body: sdpOf('127.0.0.2', 40_002) });
  await dialog.request('INFO', { headers: ofAlice });
  await dialog.bye({ headers: ofAlice });
  await bobDialog.waitForEnd();
  const busy = alice.sip.invite({ to: '1', via: running.access, body: sdpOf('127.0.0.2', 40_000) });
  (await bob.sip.nextCall()).reject(486, { headers: ofBob });
  await busy.finished();

  // The search itself works: each end's own log is full of itself.
  expect(tracesOf(alice.sip, alice.sip).length).toBeGreaterThan(3);
  expect(() => expectNoTrace(stage)).not.toThrow();
});
