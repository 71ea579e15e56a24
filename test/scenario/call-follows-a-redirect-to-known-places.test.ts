/**
 * Rows B24 and F11: a callee answers with other places for the call.
 *
 *   caller            SBC              first             second
 *     | INVITE         | INVITE          |                 |
 *     |--------------->|---------------->|                 |
 *     |                |    302 Contacts |                 |
 *     |                |<----------------|                 |
 *     |                | INVITE, as the leg to the second asks for
 *     |                |---------------------------------->|
 *     |            200 |                               200 |
 *     |<---------------|<----------------------------------|
 */
import { expect, test } from 'vitest';
import { callRecords, openCallStage, plainOffer, shareSbcInFile } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { moreAudio, openStage } from '../support/digit-call.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import type { LegParameters } from '../support/loopback-config.ts';
import { readSdp } from '../support/sdp-text.ts';
import type { OutgoingCall } from '../support/sip-calls.ts';
import { SipPeer } from '../support/sip-peer.ts';
import { headerValue, statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

interface RedirectStage extends CallStage {
  /** The agent that calls from access go to; `carrier` is known, but no route leads there. */
  readonly first: SipPeer;
}

async function openRedirecting(core: LegParameters = {}): Promise<RedirectStage> {
  const first = closeAfterTest(await SipPeer.open({ address: '127.0.0.3' }));
  const stage = await openCallStage({
    core,
    edit: (yaml) =>
      yaml
        .replace(
          'session-agents:\n',
          `session-agents:\n${agentLine('first', 'core', first, ', rfc2833-mode: transparent')}`,
        )
        .replace('to: "*", next-hop: carrier }', 'to: "*", next-hop: first }'),
  });
  return { ...stage, first };
}

function agentLine(
  name: string,
  realm: string,
  ...[{ address, port }, leg]: [SipPeer, string?]
): string {
  return `  - { name: ${name}, realm: ${realm}, address: "${address}:${port}", transport: udp${leg ?? ''} }\n`;
}

function dial({ alice, running }: CallStage): OutgoingCall {
  return alice.sip.invite({ to: '5', via: running.access, body: plainOffer(alice.sip) });
}

/** The Request-URI users of the calls of a peer, in order. */
function usersCalled(peer: SipPeer): string[] {
  return peer.incoming.map(
    ({ invite }) => /^INVITE sip:([^@]*)@/.exec(invite.startLine)?.[1] ?? '',
  );
}

async function redirect(peer: SipPeer, contacts: readonly string[], status = 302): Promise<void> {
  const incoming = await peer.nextCall();
  incoming.reject(status, {
    reason: 'Moved',
    headers: contacts.map((contact) => ['Contact', contact]),
  });
}

test('the next hop is the known agent with the highest q, in an attempt of its own', async () => {
  const stage = await openRedirecting();
  const { first, bob, running } = stage;
  const { port } = bob.sip;
  const outgoing = dial(stage);
  await redirect(first, [
    `<sip:low@127.0.0.3:${port}>;q=0.1, "Mail, Voice" <sip:mail@127.0.0.9>;q=1.0`,
    `<sip:high@127.0.0.3:${port};method=BYE;transport=udp?Subject=x>;q=0.9;expires=60`,
  ]);
  const call = await bob.answer();
  const dialog = await outgoing.answered();
  await dialog.bye();
  await call.waitForEnd();

  expect(usersCalled(bob.sip)).toEqual(['high']);
  expect(bob.sip.incoming[0]?.invite.startLine).toBe(
    `INVITE sip:high@127.0.0.3:${port};transport=udp SIP/2.0`,
  );
  expect(call.dialog.callId).not.toBe(first.incoming[0]?.dialog.callId);
  const [record] = await callRecords(running, 1);
  expect(record?.attempts.map(({ agent, code }) => [agent, code])).toEqual([
    ['first', 302],
    ['carrier', 200],
  ]);
});

test('digits take the way that the second place asks for', async () => {
  const desk = closeAfterTest(await SipPeer.open());
  const stage = await openStage({
    access: { 'kpml-interworking': 'disabled' },
    core: { 'rfc2833-mode': 'preferred' },
    phoneLeg: { 'kpml-interworking': 'enabled' },
    edit: (yaml) =>
      yaml
        .replace('session-agents:\n', `session-agents:\n${agentLine('desk', 'access', desk)}`)
        .replace(
          'from-realm: core, to: "*", next-hop: phone',
          'from-realm: core, to: "*", next-hop: desk',
        ),
  });
  const { phone, trunk, running } = stage;
  const calling = trunk.call({ to: '7', via: running.core });
  await redirect(desk, [`<sip:7@127.0.0.1:${phone.sip.port}>`]);
  const [call, answered] = await Promise.all([calling, phone.answer()]);
  await answered.listen();
  await moreAudio(answered);
  await call.press('19');
  await answered.listener.waitForDigits(2);
  await call.hangUp();
  await answered.waitForEnd();

  expect(
    headerValue(desk.incoming[0]?.invite ?? call.remoteMessage, 'Allow-Events'),
  ).toBeUndefined();
  expect(headerValue(phone.sip.incoming[0]?.invite ?? call.remoteMessage, 'Allow-Events')).toBe(
    'kpml',
  );
  expect(answered.listener.digits).toBe('19');
  expect(answered.problems()).toEqual([]);
});

test('nobody is called twice when two places name each other', async () => {
  const stage = await openRedirecting();
  const { first, bob, running } = stage;
  const outgoing = dial(stage);
  await redirect(first, [`<sip:5@127.0.0.3:${bob.sip.port}>`]);
  await redirect(bob.sip, [
    `<sip:5@127.0.0.3:${first.port}>`,
    `<sip:5@127.0.0.3:${bob.sip.port}>, <sip:5@127.0.0.4:${running.core.port}>`,
  ]);
  const final = await outgoing.finished();

  expect(statusOf(final)).toBe(480);
  expect([usersCalled(first), usersCalled(bob.sip)]).toEqual([['5'], ['5']]);
});

test('the next place is tried when one refuses, five of them at most', async () => {
  const stage = await openRedirecting();
  const { first, bob } = stage;
  const outgoing = dial(stage);
  const users = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  await redirect(first, [users.map((user) => `<sip:${user}@127.0.0.3:${bob.sip.port}>`).join(',')]);
  for (const status of [404, 486, 503, 302, 403]) (await bob.sip.nextCall()).reject(status);
  const final = await outgoing.finished();

  expect(statusOf(final)).toBe(403);
  expect(usersCalled(bob.sip)).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test.each<[string, LegParameters, number, string]>([
  ['a stranger is not called', {}, 302, 'Moved (not followed: no-agent, not-sip, not-readable)'],
  ['a proxy is not asked', { 'follow-redirects': 'any' }, 305, 'Moved'],
  [
    'nobody is called',
    { 'follow-redirects': 'disabled' },
    302,
    'Moved (not followed: disabled, not-readable)',
  ],
])('%s on account of a redirect: %j, %i', async (_, core, ...[status, text]) => {
  const stage = await openRedirecting(core);
  const stranger = closeAfterTest(await SipPeer.open({ address: '127.0.0.3' }));
  const { first, bob, running } = stage;
  const known = core['follow-redirects'] === undefined ? stranger : bob.sip;
  const outgoing = dial(stage);
  await redirect(first, [`<sip:5@127.0.0.3:${known.port}>, <tel:+4930>`, '<sip:broken'], status);

  expect(statusOf(await outgoing.finished())).toBe(480);
  const [record] = await callRecords(running, 1);
  expect(record?.attempts).toHaveLength(1);
  expect(record?.release).toMatchObject({ sipCode: 480, text });
  expect([...bob.sip.incoming, ...stranger.incoming]).toEqual([]);
});

test('with `any` a place that is no agent is called, from the interface of the redirect', async () => {
  const stage = await openRedirecting({ 'follow-redirects': 'any', 'rfc2833-mode': 'preferred' });
  const stranger = closeAfterTest(await SipPeer.open({ address: '127.0.0.3' }));
  const outgoing = dial(stage);
  await redirect(stage.first, [`<sip:5@127.0.0.3:${stranger.port}>`]);
  const incoming = await stranger.nextCall();
  await incoming.answer({ body: plainOffer(stranger) });
  const dialog = await outgoing.answered();
  await dialog.bye();
  await waitFor('end', () => incoming.dialog.isEnded);

  const offers = [stage.first.incoming[0], incoming].map((call) => call?.invite.body ?? '');
  expect(offers.map((offer) => readSdp(offer).eventPayloadType)).toEqual([undefined, 101]);
  expect(headerValue(incoming.invite, 'Contact')).toContain('127.0.0.4');
});
