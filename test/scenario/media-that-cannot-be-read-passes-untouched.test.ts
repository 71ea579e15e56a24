/**
 *   alice             SBC             bob
 *     | RTP/SAVP       | RTP/SAVP       |     keys pass, so does every byte on either port:
 *     |==== SRTP =====>|==== SRTP =====>|     SRTP, DTLS, STUN, fax; from the ends alone
 *   mallory ==========>|                      a stranger stays one
 */
import { expect, test } from 'vitest';
import { callRecords, openCallStage, shareSbcInFile } from '../support/call-stage.ts';
import type { CallStage } from '../support/call-stage.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { RtpPeer } from '../support/rtp-peer.ts';
import { buildEvent, buildRtp } from '../support/rtp-packet.ts';
import { buildSdp } from '../support/sdp-text.ts';
import type { SipDialog } from '../support/sip-dialog.ts';
import { statusOf } from '../support/sip-text.ts';
import { waitFor } from '../support/wait-for.ts';

shareSbcInFile();
checkLeaksAfterEach();

const DTLS = Buffer.from('16fefd0000000000000000', 'hex');
const STUN = Buffer.from('000100002112a442000000000000000000000000', 'hex');
const SRTCP = Buffer.from('80c900010000aaaa0123456789abcdef80000001', 'hex');
const EVENT_PAYLOAD_TYPE = 101;

/** What looks like the third packet of a key, with an authentication tag. */
const ENCRYPTED_EVENT = buildRtp({
  payloadType: EVENT_PAYLOAD_TYPE,
  marker: false,
  sequenceNumber: 7,
  timestamp: 1600,
  ssrc: 0xaaaa,
  payload: Buffer.concat([
    buildEvent({ eventCode: 5, isEnd: true, volume: 10, durationTicks: 800 }),
    Buffer.alloc(10, 0x5a),
  ]),
});

interface Joined {
  readonly alice: RtpPeer;
  readonly bob: RtpPeer;
  readonly dialog: SipDialog;
  readonly incoming: SipDialog;
  /** What each end was sent. */
  readonly offer: string;
  readonly answer: string;
}

async function openRtp(address: string): Promise<RtpPeer> {
  return closeAfterTest(await RtpPeer.open({ address }));
}

/** A call whose ends write what `describe` makes of their ports. */
async function join(
  { alice, bob, running }: CallStage,
  describe: (rtp: RtpPeer) => string,
): Promise<Joined> {
  const [aliceRtp, bobRtp] = [await openRtp('127.0.0.2'), await openRtp('127.0.0.3')];
  const outgoing = alice.sip.invite({ to: '1', via: running.access, body: describe(aliceRtp) });
  const incoming = await bob.sip.nextCall();
  const answered = incoming.answer({ body: describe(bobRtp) });
  const dialog = await outgoing.answered();
  await answered;
  const [offer, answer] = [incoming.invite.body, outgoing.final?.body ?? ''];
  aliceRtp.setRemote({ address: '127.0.0.1', rtpPort: portIn(answer) });
  bobRtp.setRemote({ address: '127.0.0.4', rtpPort: portIn(offer) });
  return { alice: aliceRtp, bob: bobRtp, dialog, incoming: incoming.dialog, offer, answer };
}

function portIn(body: string): number {
  return Number(/^m=\S+ (\d+)/m.exec(body)?.[1]);
}

async function hangUp({ dialog, incoming }: Joined): Promise<void> {
  await dialog.bye();
  await incoming.waitForEnd();
}

function secured(protocol: string, ...keys: string[]): (rtp: RtpPeer) => string {
  return ({ address, rtpPort }) =>
    buildSdp({ address, rtpPort, eventPayloadType: EVENT_PAYLOAD_TYPE })
      .replace('RTP/AVP', protocol)
      .concat(keys.map((key) => `${key}\r\n`).join(''));
}

const CRYPTO = 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj';
const FINGERPRINT = 'a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B';

test.each([
  ['SDES', secured('RTP/SAVP', CRYPTO), [CRYPTO]],
  [
    'DTLS-SRTP',
    secured('UDP/TLS/RTP/SAVPF', FINGERPRINT, 'a=setup:actpass'),
    [FINGERPRINT, 'a=setup:actpass'],
  ],
])('%s: keys and every packet, no digit is seen', async (_, describe, keys) => {
  const stage = await openCallStage();
  const call = await join(stage, describe);
  const { alice, bob } = call;
  for (const key of keys) {
    expect(call.offer).toContain(`${key}\r\n`);
    expect(call.answer).toContain(`${key}\r\n`);
  }
  for (const bytes of [DTLS, STUN, ENCRYPTED_EVENT]) {
    alice.sendRaw(bytes);
    bob.sendRaw(bytes);
  }
  alice.sendRtcp(SRTCP);
  bob.sendRtcp(SRTCP);
  await waitFor('all of it', () =>
    [alice, bob].every(
      ({ garbage, received, receivedRtcp }) =>
        garbage.length === 2 && received.length === 1 && receivedRtcp.length === 1,
    ),
  );
  for (const { garbage, received, receivedRtcp } of [alice, bob]) {
    expect(garbage).toEqual([DTLS, STUN]);
    expect(buildRtp(at(received))).toEqual(ENCRYPTED_EVENT);
    expect(receivedRtcp).toEqual([SRTCP]);
  }
  await hangUp(call);
  const [record] = await callRecords(stage.running, 1);
  expect([record?.ingress.srtp, record?.egress?.srtp]).toEqual([true, true]);
  expect(record?.dtmf).toMatchObject({ digitsIn: 0, digitsOut: 0, decision: '-/-' });
});

test('keys by SIP INFO pass once: they are signalling', async () => {
  const call = await join(await openCallStage(), secured('RTP/SAVP', CRYPTO));
  const contentType = 'application/dtmf-relay';
  const body = 'Signal=5\r\nDuration=160\r\n';
  const answer = await call.dialog.request('INFO', { contentType, body });
  await hangUp(call);
  expect(statusOf(answer)).toBe(200);
  const requests = call.incoming.received.filter(({ startLine }) => startLine.startsWith('INFO'));
  expect(requests.map((request) => request.body)).toEqual([body]);
});

test('a stranger gets nothing in', async () => {
  const call = await join(await openCallStage(), secured('RTP/SAVP', CRYPTO));
  const mallory = await openRtp('127.0.0.9');
  mallory.setRemote({ address: '127.0.0.1', rtpPort: portIn(call.answer) });
  for (let packet = 0; packet < 50; packet++) {
    mallory.sendRaw(DTLS);
    mallory.sendRaw(ENCRYPTED_EVENT);
    mallory.sendRtcp(SRTCP);
  }
  call.alice.sendRaw(STUN);
  call.alice.sendRtcp(SRTCP);
  await waitFor('alice', () => call.bob.garbage.length > 0 && call.bob.receivedRtcp.length > 0);
  expect(call.bob.garbage).toEqual([STUN]);
  expect(call.bob.received).toEqual([]);
  expect(mallory.garbage).toEqual([]);
  await hangUp(call);
});

/** A fax and, beside it, a chat over TCP. */
const describeFax = ({ address, rtpPort }: RtpPeer): string =>
  [
    'v=0',
    `o=- 77 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=image ${rtpPort} udptl t38`,
    'a=T38FaxVersion:0',
    'm=message 2855 TCP/MSRP *',
    'a=accept-types:text/plain',
    '',
  ].join('\r\n');

test('fax over UDPTL crosses both ways, MSRP over TCP is refused', async () => {
  const call = await join(await openCallStage(), describeFax);
  const page = Buffer.from('00010102030405060708', 'hex');
  call.alice.sendRaw(page);
  call.bob.sendRaw(page);
  await waitFor('the page', () => [call.alice, call.bob].every((end) => end.garbage.length === 1));
  expect([call.alice.garbage, call.bob.garbage]).toEqual([[page], [page]]);
  for (const body of [call.offer, call.answer])
    expect(body).toContain('m=message 0 TCP/MSRP *\r\n');
  await hangUp(call);
});

function at<T>(values: readonly T[]): T {
  const [value] = values;
  if (value === undefined) throw new Error('nothing arrived');
  return value;
}
