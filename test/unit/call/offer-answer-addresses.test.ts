/** Addresses of media that the relay cannot send to, and sections that are gone. */
import { describe, expect, test } from 'vitest';
import { OfferAnswer } from '../../../src/call/offer/offer-answer.ts';
import { UnacceptableSdp } from '../../../src/call/offer/received-sdp.ts';
import type { AddressFamily } from '../../../src/wire/sdp-address.ts';
import { LOCAL, sdpOf, settings, TestCall } from './offer-answer-fixtures.ts';

function negotiationOf(families: { caller: AddressFamily; callee: AddressFamily }): OfferAnswer {
  return new OfferAnswer({
    settings: { caller: settings(), callee: settings() },
    sessionIds: { caller: '1', callee: '2' },
    families,
  });
}

function at(connection: string, ...attributes: string[]): string {
  return sdpOf('caller', '0', ...attributes).replace(/c=.*/, `c=${connection}`);
}

const IP4 = { caller: 'IP4', callee: 'IP4' } as const;

describe('an address of media', () => {
  test.each<[string, AddressFamily, code: number]>([
    ['IN IP4 media.example', 'IP4', 301],
    ['IN IP4 1.2.3', 'IP4', 301],
    ['IN IP4 127.1', 'IP4', 301],
    ['IN IP4 0x7f.1', 'IP4', 301],
    ['IN IP4 192.0.2.256', 'IP4', 301],
    ['IN IP6 ::1', 'IP4', 300],
    ['IN IP4 192.0.2.1', 'IP6', 300],
    ['IN IP6 ::ffff:192.0.2.2', 'IP6', 300],
    ['IN IP6 ::ffff:239.1.1.1', 'IP4', 330],
    ['IN IP4 239.1.1.1/127', 'IP4', 330],
    ['IN IP6 ff02::1', 'IP6', 330],
    ['IN IP4 255.255.255.255', 'IP4', 301],
    ['IN IP4 240.0.0.1', 'IP4', 301],
    ['IN IP4 0.0.0.1', 'IP4', 301],
  ])('%s on a leg of %s is refused with %i', (connection, family, code) => {
    const negotiation = negotiationOf({ caller: family, callee: 'IP4' });
    const refused = (): unknown => negotiation.receiveOffer('caller', at(connection), false);
    expect(refused).toThrow(UnacceptableSdp);
    expect(refused).toThrow(expect.objectContaining({ warning: code }));
  });

  test.each<[string, AddressFamily]>([
    ['IN IP4 192.0.2.7', 'IP4'],
    ['IN IP6 2001:db8::7', 'IP6'],
    ['IN IP4 0.0.0.0', 'IP4'],
    ['IN IP6 ::', 'IP4'],
    ['IN IP4 0.0.0.0', 'IP6'],
    ['IN IP6 ::ffff:192.0.2.2', 'IP4'],
    ['IN IP6 ::FFFF:c000:202', 'IP4'],
    ['IN IP6 ::ffff:0.0.0.0', 'IP4'],
  ])('%s on a leg of %s is taken', (connection, family) => {
    const negotiation = negotiationOf({ caller: family, callee: 'IP4' });
    expect(negotiation.receiveOffer('caller', at(connection), false).streamCount).toBe(1);
  });

  test('does not matter where no media is', () => {
    const rejected = at('IN IP4 media.example').replace('m=audio 4000', 'm=audio 0');
    for (const sdp of [rejected, at('IN IP4 media.example', 'a=inactive')]) {
      expect(negotiationOf(IP4).receiveOffer('caller', sdp, false).hasSdp).toBe(true);
    }
  });

  test('of its own in a section is the one that counts', () => {
    const usable = at('IN IP4 media.example', 'c=IN IP4 192.0.2.7');
    const unusable = at('IN IP4 192.0.2.7', 'c=IN IP4 media.example');
    expect(negotiationOf(IP4).receiveOffer('caller', usable, false).hasSdp).toBe(true);
    expect(() => negotiationOf(IP4).receiveOffer('caller', unusable, false)).toThrow(
      'host name or malformed',
    );
  });

  test('in an answer leaves the offer open for another one', () => {
    const negotiation = negotiationOf(IP4);
    negotiation.receiveOffer('caller', at('IN IP4 192.0.2.7'), false);
    negotiation.forwardOffer(LOCAL.callee);
    const bad = at('IN IP4 media.example');
    expect(() => negotiation.receiveAnswer('callee', bad, false, true)).toThrow(UnacceptableSdp);
    negotiation.receiveAnswer('callee', sdpOf('callee', '0'), false, true);
    expect(negotiation.forwardAnswer(LOCAL.caller, true).plan).toBeDefined();
  });
});

const VIDEO = ['m=video 4002 RTP/AVP 96', 'c=IN IP6 2001:db8::1', 'a=rtcp:4009', ''].join('\r\n');
const NO_VIDEO_PORT = /^m=video 0 /m;

describe('among several sections', () => {
  test('one of an offer that cannot be reached is switched off, the others go on', () => {
    const negotiation = negotiationOf(IP4);
    const facts = negotiation.receiveOffer('caller', sdpOf('caller', '0') + VIDEO, false);
    expect(facts).toMatchObject({
      streamCount: 1,
      switchedOff: ['c= of m-line 2 is IP6, media is IP4'],
    });
    const offered = negotiation.forwardOffer(LOCAL.callee).sdp ?? '';
    expect(offered).toMatch(/^m=audio 30000 /m);
    expect(offered).toMatch(NO_VIDEO_PORT);

    // Even a callee that switches it on again does not get it.
    const answer = `${sdpOf('callee', '0')}m=video 5002 RTP/AVP 96\r\n`;
    negotiation.receiveAnswer('callee', answer, false, true);
    const answered = negotiation.forwardAnswer(LOCAL.caller, true);
    expect(answered.sdp).toMatch(/^m=audio 20000 /m);
    expect(answered.sdp).toMatch(NO_VIDEO_PORT);
    expect(answered.streams.map((update) => update?.legs.callee.remote?.rtpPort)).toEqual([
      5000,
      undefined,
    ]);
  });

  test('the audio of an offer may be the one that is switched off', () => {
    const sdp = `${at('IN IP4 media.example')}m=video 4002 RTP/AVP 96\r\nc=IN IP4 192.0.2.7\r\n`;
    const negotiation = negotiationOf(IP4);
    expect(negotiation.receiveOffer('caller', sdp, false)).toMatchObject({
      streamCount: 2,
      digitStream: undefined,
      switchedOff: ['c= of m-line 1 is a host name or malformed address, not an IP address'],
    });
    expect(negotiation.forwardOffer(LOCAL.callee).sdp).toMatch(/^m=audio 0 [^]*^m=video 30002 /m);
  });

  test('none that can be reached refuses the offer for the first reason', () => {
    const sdp = at('IN IP4 239.1.1.1') + VIDEO;
    expect(() => negotiationOf(IP4).receiveOffer('caller', sdp, false)).toThrow(
      'c= of m-line 1 is a multicast address',
    );
  });

  test('the first audio of an answer has to be reached, what is beside it is switched off', () => {
    const negotiation = negotiationOf(IP4);
    const offered = `${sdpOf('caller', '0')}m=video 4002 RTP/AVP 96\r\n`;
    negotiation.receiveOffer('caller', offered, false);
    negotiation.forwardOffer(LOCAL.callee);
    const unusable = `${at('IN IP6 2001:db8::1')}m=video 5002 RTP/AVP 96\r\nc=IN IP4 192.0.2.7\r\n`;
    expect(() => negotiation.receiveAnswer('callee', unusable, false, true)).toThrow(
      UnacceptableSdp,
    );

    const facts = negotiation.receiveAnswer('callee', sdpOf('callee', '0') + VIDEO, false, true);
    expect(facts.switchedOff).toEqual(['c= of m-line 2 is IP6, media is IP4']);
    const answered = negotiation.forwardAnswer(LOCAL.caller, true);
    expect(answered.sdp).toMatch(NO_VIDEO_PORT);
    expect(answered.streams[1]?.legs.callee).toMatchObject({ remote: undefined, maySend: false });
  });
});

test('media goes to the IPv4 address that an IPv6 one holds', () => {
  const negotiation = negotiationOf(IP4);
  negotiation.receiveOffer('caller', at('IN IP6 ::ffff:192.0.2.2'), false);
  const offered = negotiation.forwardOffer(LOCAL.callee).sdp;
  expect(offered).not.toContain('192.0.2.2');
  negotiation.receiveAnswer('callee', sdpOf('callee', '0'), false, true);
  const { streams } = negotiation.forwardAnswer(LOCAL.caller, true);
  expect(streams[0]?.legs.caller.remote?.address).toBe('192.0.2.2');
});

describe('a further offer', () => {
  const video = 'm=video 4002 RTP/AVP 96\r\n';

  test('with fewer m-lines than before is refused, what was agreed stays (RFC 3264 §8)', () => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0') + video);
    call.answer('callee', sdpOf('callee', '0') + video);
    const before = call.negotiation.agreedDescription('caller');

    expect(() => call.offer('caller', sdpOf('caller', '0'))).toThrow('expected 2 m= lines');
    expect(() => call.offer('callee', sdpOf('callee', '0'))).toThrow('expected 2 m= lines');
    expect(call.negotiation.agreedDescription('caller')).toBe(before);
  });

  test('with more is passed on', () => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0'));
    call.answer('callee', sdpOf('callee', '0'));
    expect(call.offer('callee', sdpOf('callee', '0') + video).sdp).toContain('m=video 20002');
  });
});
