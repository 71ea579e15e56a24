/** SRTP, fax and data channels through an anchored relay: keys untouched, nothing promised that nobody can do. */
import { describe, expect, test } from 'vitest';
import { agreedCodec } from '../../../src/call/offer/agreed-codec.ts';
import { sdpOf, stream, te, TestCall, text } from './offer-answer-fixtures.ts';

const KPML = { kpmlInterworking: true } as const;
const PREFERRED = { rfc2833Mode: 'preferred' } as const;

const CRYPTO =
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:10.1.1.1/alice+d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1c';
const FINGERPRINT = 'a=fingerprint:sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B';

function secured(sdp: string, protocol = 'RTP/SAVP'): string {
  return sdp.replace('RTP/AVP', protocol);
}

describe('what the other end is told', () => {
  test.each([
    ['RTP/SAVP', [CRYPTO]],
    ['RTP/SAVPF', [CRYPTO]],
    [
      'UDP/TLS/RTP/SAVP',
      [FINGERPRINT, 'a=setup:actpass', 'a=tls-id:91bbf309c0990a6bec11e38ba2933cee'],
    ],
    ['UDP/TLS/RTP/SAVPF', [FINGERPRINT, 'a=setup:actpass']],
  ])('%s: keys pass byte for byte', (protocol, keys) => {
    const call = new TestCall(KPML, PREFERRED);
    const offer = call.offer('caller', secured(sdpOf('caller', '0', ...keys), protocol)).sdp ?? '';
    for (const key of keys) expect(offer).toContain(`${key}\r\n`);
    expect(offer).toContain(`m=audio 30000 ${protocol} 0\r\n`);
  });

  test('candidates, ICE credentials and RTCP on the RTP port do not: media must pass the relay', () => {
    const ice = [
      'a=ice-ufrag:F7gI',
      'a=ice-pwd:x9cml/YzichV2+XlhiMu8g',
      'a=candidate:1 1 UDP 2130706431 10.1.1.1 8998 typ host',
      'a=rtcp-mux',
    ];
    const offered = secured(sdpOf('caller', '0', FINGERPRINT, ...ice), 'UDP/TLS/RTP/SAVPF');
    const offer = new TestCall().offer('caller', offered).sdp ?? '';
    expect(offer).not.toMatch(/ice|candidate|rtcp-mux/);
    expect(offer).toContain(FINGERPRINT);
  });

  test('telephone-event is neither inserted nor kept nor renumbered', () => {
    const call = new TestCall({ ...KPML, ...PREFERRED }, { ...KPML, ...PREFERRED });
    const offered = secured(sdpOf('caller', '0', CRYPTO));
    const offer = call.offer('caller', offered, true);
    expect(offer.sdp).not.toContain('telephone-event');
    expect(offer.decision).toMatchObject({ insertTelephoneEvent: false });
    const answer = call.answer('callee', secured(sdpOf('callee', '0', CRYPTO)));
    expect(answer.sdp).not.toContain('telephone-event');

    const other = new TestCall(PREFERRED, PREFERRED);
    other.offer('caller', secured(sdpOf('caller', '0 101', CRYPTO, ...te(101))));
    const renumbered = secured(sdpOf('callee', '0 97', CRYPTO, ...te(97)));
    expect(other.answer('callee', renumbered).sdp).toContain('a=rtpmap:97 telephone-event/8000');
    const kept = new TestCall(PREFERRED, PREFERRED);
    kept.offer('caller', secured(sdpOf('caller', '0 101', CRYPTO, ...te(101))));
    const refused = kept.answer('callee', secured(sdpOf('callee', '0', CRYPTO)));
    expect(refused.sdp).not.toContain('telephone-event');
    expect(refused.decision.keepTelephoneEvent).toBe(false);
  });

  test('kpml is not advertised on account of events that nobody can read', () => {
    const call = new TestCall(PREFERRED, KPML);
    const offered = secured(sdpOf('caller', '0 101', CRYPTO, ...te(101)));
    expect(call.offer('caller', offered).allowEvents).toBe('keep');
    const ringing = call.answer('callee', undefined, { final: false });
    expect(ringing.allowEvents).toBe('keep');
  });
});

describe('the plan', () => {
  test('passes telephone-event of both ends unseen', () => {
    const call = new TestCall(
      { ...KPML, ...PREFERRED },
      { ...KPML, ...PREFERRED, kpmlOnHairpin: true },
    );
    call.offer('caller', secured(sdpOf('caller', '0 101', CRYPTO, ...te(101))), true);
    const answer = call.answer('callee', secured(sdpOf('callee', '0 101', CRYPTO, ...te(101))));
    expect(answer.plan?.callerToCallee).toMatchObject({
      translator: 'rtp-relay',
      alsoNotify: false,
      row: '-',
    });
    expect(answer.plan?.callerToCallee.reason).toMatch(/pass unseen/);
    expect(answer.plan?.acceptSubscribeFrom).toEqual([]);
    const { legs, events } = stream(answer);
    expect([legs.caller.transport, legs.callee.transport]).toEqual(['srtp', 'srtp']);
    expect([legs.caller.event, legs.callee.event]).toEqual([undefined, undefined]);
    expect([events.caller.detect, events.callee.detect]).toEqual([false, false]);
    expect(agreedCodec(call.negotiation.agreed, 'caller')).toEqual({
      codec: 'PCMU/8000',
      isSecure: true,
    });
  });

  test.each([
    ['a KPML caller and a 2833 callee', '0', '0 101', true],
    ['a 2833 caller and a KPML callee', '0 101', '0', false],
    ['neither', '0', '0', false],
  ])('of %s has no translator and says why', (_, offered, answered, kpml) => {
    const call = new TestCall({ ...KPML, ...PREFERRED }, { ...KPML, ...PREFERRED });
    call.offer('caller', secured(sdpOf('caller', offered, CRYPTO, ...te(101))), kpml);
    const { plan } = call.answer('callee', secured(sdpOf('callee', answered, CRYPTO, ...te(101))));
    const directions = [plan?.callerToCallee, plan?.calleeToCaller];
    const told = directions.filter((each) => each?.translator === 'none');
    expect(told.length).toBeGreaterThan(0);
    for (const { reason = '' } of told.map((each) => ({ ...each }))) expect(reason).toMatch(/SRTP/);
    const rest = directions.filter((each) => each?.translator !== 'none');
    expect(rest.every((each) => each?.translator === 'kpml-relay')).toBe(true);
    expect(plan?.callerToCallee.row).toBe('-');
    expect(plan?.subscribeTo).toEqual([]);
  });

  test('relays KPML between ends that announce it', () => {
    const call = new TestCall(KPML, KPML);
    call.offer('caller', secured(sdpOf('caller', '0', CRYPTO)), true);
    const { plan } = call.answer('callee', secured(sdpOf('callee', '0', CRYPTO)), { kpml: true });
    expect([plan?.callerToCallee.translator, plan?.calleeToCaller.translator]).toEqual([
      'kpml-relay',
      'kpml-relay',
    ]);
  });

  test('relays and translates SIP INFO, which is signalling', () => {
    const info = { sipInfo: 'send' } as const;
    const same = new TestCall(info, info);
    same.offer('caller', secured(sdpOf('caller', '0', CRYPTO)));
    const { plan } = same.answer('callee', secured(sdpOf('callee', '0', CRYPTO)));
    expect(plan?.callerToCallee).toMatchObject({ translator: 'info-relay', row: 'I5' });
    const mixed = new TestCall(info, KPML);
    mixed.offer('caller', secured(sdpOf('caller', '0', CRYPTO)));
    const other = mixed.answer('callee', secured(sdpOf('callee', '0', CRYPTO)), { kpml: true });
    expect(other.plan?.callerToCallee.translator).toBe('info-to-kpml');
  });
});

describe('keys beside RTP/AVP', () => {
  test('that the answer takes make the media SRTP', () => {
    const call = new TestCall(KPML, PREFERRED);
    call.offer('caller', sdpOf('caller', '0', CRYPTO), true);
    const answer = call.answer('callee', sdpOf('callee', '0 101', CRYPTO, ...te(101)));
    expect(stream(answer).legs.caller.transport).toBe('srtp');
    expect(answer.plan?.callerToCallee.translator).toBe('none');
  });

  test('that the answer leaves out leave plain RTP and its translators', () => {
    const call = new TestCall(KPML, PREFERRED);
    call.offer('caller', sdpOf('caller', '0', CRYPTO), true);
    const answer = call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
    expect(stream(answer).legs.caller.transport).toBe('rtp');
    expect(answer.plan?.callerToCallee.translator).toBe('kpml-to-2833');
  });
});

describe('sections beside audio', () => {
  test.each([
    ['m=image 4006 udptl t38', 'm=image 30002 udptl t38', 'datagrams'],
    [
      'm=application 4006 UDP/DTLS/SCTP webrtc-datachannel',
      'm=application 30002 UDP/DTLS/SCTP webrtc-datachannel',
      'datagrams',
    ],
    ['m=application 4006 UDP/BFCP *', 'm=application 30002 UDP/BFCP *', 'datagrams'],
    ['m=video 4006 RTP/AVPF 99', 'm=video 30002 RTP/AVPF 99', 'rtp'],
    ['m=message 4006 TCP/MSRP *', 'm=message 0 TCP/MSRP *', undefined],
    ['m=application 4006 TCP/TLS/BFCP *', 'm=application 0 TCP/TLS/BFCP *', undefined],
    ['m=audio 4006 PSTN -', 'm=audio 0 PSTN -', undefined],
    ['m=application 4006 SCTP 5000', 'm=application 0 SCTP 5000', undefined],
  ])('%s is offered as %s', (line, expected, transport) => {
    const call = new TestCall();
    const offer = call.offer('caller', sdpOf('caller', '0') + text(line)).sdp ?? '';
    expect(offer.split('\r\n')).toContain(expected);
    const answered = text(line.replace(' 4006 ', transport === undefined ? ' 0 ' : ' 5006 '));
    const answer = call.answer('callee', sdpOf('callee', '0') + answered);
    const legs = answer.streams[1]?.legs;
    const used = legs?.caller.remote === undefined ? undefined : legs.caller.transport;
    expect([used, legs?.callee.transport]).toEqual([transport, transport ?? 'datagrams']);
  });
});

/** The same description with a fax in place of its audio. */
const asFax = (sdp: string): string =>
  sdp.replace(/m=audio (\d+) .*[^]*/, 'm=image $1 udptl t38\r\n');

test('fax in place of audio on the same m-line passes byte for byte, audio behind it is RTP again', () => {
  const call = new TestCall(KPML, PREFERRED);
  call.offer('caller', sdpOf('caller', '0 101', ...te(101)));
  const first = call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
  expect(call.offer('callee', asFax(sdpOf('callee', '0'))).sdp).toContain(
    'm=image 20000 udptl t38\r\n',
  );
  const fax = call.answer('caller', asFax(sdpOf('caller', '0')));
  expect(stream(fax).legs.caller).toMatchObject({ transport: 'datagrams', event: undefined });
  expect(fax.plan?.callerToCallee).toEqual(first.plan?.callerToCallee);
  call.offer('callee', sdpOf('callee', '0 101', ...te(101)));
  const back = call.answer('caller', sdpOf('caller', '0 101', ...te(101)));
  expect(stream(back).legs.caller.transport).toBe('rtp');
});
