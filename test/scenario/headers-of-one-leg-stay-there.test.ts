/**
 *   alice 127.0.0.2 ── [SBC] ── bob 127.0.0.3
 *
 * Every header in which an end can name itself, and every such line of SDP, in requests and answers of both ends: no byte
 * sent to one end names the other, whether the two trust each other or not.
 */

import { describe, expect, test } from 'vitest';
import { type CallStage, openCallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import type { Reply, SipDialog } from '../support/sip-dialog.ts';
import type { SipPeer } from '../support/sip-peer.ts';
import { type Header, headerValue } from '../support/sip-text.ts';
import { leaksTo, type Secret, secretsOf } from '../support/topology-scan.ts';

checkLeaksAfterEach();

/** Ports that the SBC cannot have chosen for itself. */
const MEDIA_PORTS = { alice: 1018, bob: 1016 } as const;

/** Names inside the SBC, and of hosts behind the ends; none may be seen anywhere. */
const INTERNAL = ['zone-inside', 'zone-outside', 'agent-inside', 'agent-outside'];
const DOMAINS = { alice: 'pbx.alice-office.example', bob: 'core.bob-carrier.example' } as const;

type End = keyof typeof DOMAINS;

function headersOf(end: End, peer: SipPeer): Header[] {
  const { address } = peer;
  const domain = DOMAINS[end];
  const hosts = [address, `${address}:${peer.port}`, domain];
  const callId = `dialog-of-${end}@${address}`;
  return [
    ['User-Agent', `${end}Phone/1.0`],
    ['Server', `${end}Switch/2.0`],
    // A side is known by the hosts of its Via, From, Contact and the like; the domain stands in some of them only.
    ['Record-Route', `<sip:${domain};lr>`],
    ...hosts.flatMap((host): Header[] => [
      ['Subject', `call from ${host}`],
      ['Reason', `SIP;cause=200;text="handled by ${host}"`],
      ['User-to-User', `at=${host};encoding=text`],
      ['Retry-After', `5 (${host} is busy)`],
      ['Priority', host],
      ['Session-ID', host],
      ['Accept-Language', host],
      ['Call-Info', `<http://${host}/picture>;purpose=icon`],
      ['Alert-Info', `<http://${host}/ring>, <urn:alert:source:${host}>`],
      ['Error-Info', `<sip:error@${host}>`],
      ['Geolocation', `<sips:where@${host}>`],
      ['Warning', `399 ${host} "no", 399 x "${host}"`],
      ['In-Reply-To', callId],
      ['Referred-By', `<sip:${end}@${host}>`],
      ['Reply-To', `<sip:${end}@${host}>`],
      ['Organization', `Office at ${host}`],
      ['History-Info', `<sip:1@${host}?Reason=SIP%3Btext%3D%22${host}%22>;index=1;from=${host}`],
      ['Diversion', `"${host}" <sip:1@${host}>;reason=unknown;ext="${host}"`],
      [
        'P-Asserted-Identity',
        `"${host}" <sip:+491@${host};tgrp=${host}>, <tel:1;phone-context=${domain}>`,
      ],
      ['P-Preferred-Identity', `<sip:1@${host}>`],
      ['Remote-Party-ID', `<sip:1@${host}>;party=calling`],
      ['P-Charging-Vector', `icid-value=1;icid-generated-at=${host};orig-ioi=${domain}`],
      ['P-Charging-Function-Addresses', `ccf=${host}`],
      ['P-Access-Network-Info', `3GPP-E-UTRAN;np=${host}`],
      ['P-Visited-Network-ID', host],
      ['P-Called-Party-ID', `<sip:1@${host}>`],
      ['Identity', `e30.e30.c2ln;info=<https://${host}/cert>;alg=ES256`],
      ['Date', host],
      ['Resource-Priority', host],
      ['P-Early-Media', host],
      ['Accept-Contact', `*;+sip.instance="${host}"`],
      ['Authorization', `Digest realm="${host}"`],
      ['X-Internal', host],
      ['x-route', `${host}, ${callId}`],
    ]),
  ];
}

/** Those that change how the peer treats the message, and are no part of an answer or of a request of another kind. */
const withoutRoute = (headers: readonly Header[]): Header[] =>
  headers.filter(([name]) => name !== 'Record-Route');

function sdpOf(end: End, peer: SipPeer): string {
  const { address } = peer;
  const port = MEDIA_PORTS[end];
  return [
    'v=0',
    `o=${end} 987654321 1 IN IP4 ${address}`,
    `s=session at ${address}`,
    `i=info ${DOMAINS[end]}`,
    `u=http://${DOMAINS[end]}/`,
    `e=me@${DOMAINS[end]}`,
    `c=IN IP4 ${address}`,
    't=0 0',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:abcdefghijklmnopqrstuv',
    'a=ice-options:trickle',
    'a=fingerprint:sha-256 01:02:03',
    `a=tool:${end}Phone/1.0`,
    `m=audio ${port} RTP/AVP 0 101`,
    `i=${address}`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    `a=rtcp:${port + 1} IN IP4 ${address}`,
    `a=candidate:1 1 UDP 1 ${address} ${port} typ host`,
    `a=x-relay:${address}`,
    '',
  ].join('\r\n');
}

/** Answers every request of a dialog with all there is to leak. */
function answerAll(dialog: SipDialog, end: End, peer: SipPeer): void {
  const headers = withoutRoute(headersOf(end, peer));
  const body = sdpOf(end, peer);
  const reason = `Yes at ${peer.address}`;
  const session = (): Reply => ({ status: 200, reason, headers, body });
  dialog.handle('INVITE', session);
  dialog.handle('UPDATE', session);
  dialog.handle('MESSAGE', () => ({ status: 202, reason, headers }));
  dialog.handle('INFO', () => ({ status: 500, reason: `No at ${peer.address}`, headers }));
}

/** Requests of every kind in both directions. */
async function talk({ alice, bob, running }: CallStage): Promise<void> {
  const ofAlice = withoutRoute(headersOf('alice', alice.sip));
  const ofBob = withoutRoute(headersOf('bob', bob.sip));
  const [offer, answer] = [sdpOf('alice', alice.sip), sdpOf('bob', bob.sip)];
  const via = running.access;
  const outgoing = alice.sip.invite({ to: '1', via, headers: ofAlice, body: offer });
  const incoming = await bob.sip.nextCall();
  const reason = `Progress at ${bob.sip.address}`;
  incoming.ring({ status: 183, reason, headers: ofBob, body: answer });
  const answered = incoming.answer({ headers: ofBob, body: answer });
  const fromAlice = await outgoing.answered();
  const fromBob = await answered;
  answerAll(fromAlice, 'alice', alice.sip);
  answerAll(fromBob, 'bob', bob.sip);
  for (const [dialog, headers, body] of [
    [fromAlice, ofAlice, offer],
    [fromBob, ofBob, answer],
  ] as const) {
    await dialog.request('INVITE', { headers, body });
    await dialog.request('UPDATE', { headers, body });
    await dialog.request('INFO', { headers });
    await dialog.request('MESSAGE', { headers });
  }
  await fromBob.bye({ headers: ofBob });
  await fromAlice.waitForEnd();

  for (const status of [486, 488, 302, 600]) {
    const refused = alice.sip.invite({ to: '1', via, headers: ofAlice, body: offer });
    const call = await bob.sip.nextCall();
    call.reject(status, { reason: `No at ${bob.sip.address}`, headers: ofBob });
    await refused.finished();
  }
  const cancelled = alice.sip.invite({ to: '1', via, headers: ofAlice, body: offer });
  const ringing = await bob.sip.nextCall();
  ringing.ring({ headers: ofBob });
  await cancelled.provisional(180);
  await cancelled.cancel();
  await ringing.waitForCancel();
  await cancelled.finished();
}

function withNamesOfItsOwn(yaml: string): string {
  const names = {
    access: 'zone-inside',
    core: 'zone-outside',
    phone: 'agent-inside',
    carrier: 'agent-outside',
  };
  return yaml.replaceAll(/\b(access|core|phone|carrier)\b/g, (word) =>
    word === 'access' || word === 'core' || word === 'phone' || word === 'carrier'
      ? names[word]
      : word,
  );
}

function domainOf(end: End): Secret {
  return { what: 'domain', text: DOMAINS[end] };
}

describe('all headers there are, both ways', () => {
  test.each([
    ['untrusted', 'untrusted'],
    ['trusted', 'trusted'],
  ])('%s to %s', async (access, core) => {
    const stage = await openCallStage({
      edit: withNamesOfItsOwn,
      phoneLeg: { trust: access },
      carrierLeg: { trust: core, 'follow-redirects': 'disabled' },
    });
    const { alice, bob } = stage;
    await talk(stage);

    const internal = INTERNAL.map((text): Secret => ({ what: 'internal name', text }));
    const { access: onAccess, core: onCore } = stage.running;
    const ports = [onAccess.port, onCore.port];
    const ofAlice = [...secretsOf(alice.sip, ports), domainOf('alice'), ...internal];
    const ofBob = [...secretsOf(bob.sip, ports), domainOf('bob'), ...internal];
    expect(leaksTo(bob.sip, ofAlice)).toEqual([]);
    expect(leaksTo(alice.sip, ofBob)).toEqual([]);

    // The search itself works: each end's own log is full of itself.
    expect(leaksTo(alice.sip, secretsOf(alice.sip)).length).toBeGreaterThan(10);
    const invite = bob.sip.incoming[0]?.invite;
    expect(invite && headerValue(invite, 'P-Asserted-Identity') !== undefined).toBe(
      access === 'trusted',
    );
    expect(bob.sip.incoming[0]?.invite.body).toContain('a=fingerprint:sha-256 01:02:03');
  });
});
