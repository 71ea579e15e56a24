/** Addresses, ports and switches as media streams get them; edge cases of the interop matrix. */
import { describe, expect, test } from 'vitest';
import type { Side } from '../../../src/wire/side.ts';
import {
  LOCAL,
  ourSdp,
  PEERS,
  sdpOf,
  stream,
  te,
  TestCall,
  text,
} from './offer-answer-fixtures.ts';

const KPML = { kpmlInterworking: true } as const;
const PREFERRED = { rfc2833Mode: 'preferred' } as const;

/** The packet times of both legs after an exchange with these attributes. */
function packetTimes(offered: readonly string[], answered: readonly string[]): number[] {
  const call = new TestCall();
  call.offer('caller', sdpOf('caller', '0', ...offered));
  const { legs } = stream(call.answer('callee', sdpOf('callee', '0', ...answered)));
  return [legs.caller.audio.packetTimeMs, legs.callee.audio.packetTimeMs];
}

describe('edge cases', () => {
  test('an rtpmap without its number on the m-line is no telephone-event (A34)', () => {
    const call = new TestCall(KPML, PREFERRED);
    const offer = call.offer('caller', sdpOf('caller', '0', ...te(101)));
    expect(offer.sdp).toBe(ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0 101', ...te(101)));
  });

  test('kept telephone-event without a list of events gets 0-15 (A32)', () => {
    const call = new TestCall(PREFERRED, KPML);
    call.offer('caller', sdpOf('caller', '0 101', 'a=rtpmap:101 telephone-event/8000'));
    const answer = call.answer('callee', sdpOf('callee', '0'));
    expect(answer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 0 101', ...te(101)));
  });

  test('an offer of telephone-event and comfort noise alone gets nothing inserted', () => {
    const call = new TestCall(KPML, PREFERRED);
    const offer = call.offer('caller', sdpOf('caller', '13'), true);
    expect(offer.sdp).toBe(ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 13'));
    expect(offer.decision).toMatchObject({ insertTelephoneEvent: false, rule: 'R2, R9' });
  });

  test('an answer of telephone-event and comfort noise alone passes, without translator (A35)', () => {
    const call = new TestCall(KPML, PREFERRED);
    call.offer('caller', sdpOf('caller', '0'), true);
    const answer = call.answer('callee', sdpOf('callee', '13 101', ...te(101)));
    expect(answer.sdp).toBe(ourSdp('caller', 1, 'm=audio 20000 RTP/AVP 13 101', ...te(101)));
    expect(answer.plan).toMatchObject({ callerToCallee: { translator: 'none' }, subscribeTo: [] });
    expect(stream(answer).legs.callee.event).toBeUndefined();
  });

  test('refused audio: no translator, no media (A36)', () => {
    const call = new TestCall(KPML, PREFERRED);
    call.offer('caller', sdpOf('caller', '0'), true);
    const refused = sdpOf('callee', '0').replace('m=audio 5000', 'm=audio 0');
    const answer = call.answer('callee', refused);
    expect(answer.sdp).toContain('m=audio 0 RTP/AVP 0\r\n');
    expect(answer.plan).toMatchObject({ callerToCallee: { translator: 'none' }, subscribeTo: [] });
    expect(stream(answer).legs.caller.remote).toBeUndefined();
  });

  test('of two audio lines the first accepted one decides (A37)', () => {
    const call = new TestCall(KPML, PREFERRED);
    const offered = sdpOf('caller', '0') + text('m=audio 4100 RTP/AVP 8');
    const offer = call.offer('caller', offered, true);
    expect(offer.sdp).toBe(
      ourSdp(
        'callee',
        1,
        'm=audio 30000 RTP/AVP 0 101',
        ...te(101),
        'm=audio 30002 RTP/AVP 8 101',
        ...te(101),
      ),
    );
    const first = sdpOf('callee', '0').replace('m=audio 5000', 'm=audio 0');
    const answer = call.answer('callee', first + text('m=audio 5100 RTP/AVP 8 101', ...te(101)));
    expect(answer.plan?.callerToCallee.translator).toBe('kpml-to-2833');
    expect(answer.streams[0]?.events.callee.detect).toBe(false);
    expect(answer.streams[1]?.events.callee).toEqual({ mode: 'absorb', detect: true });
  });

  test('an answer with m-lines missing counts as refusing them', () => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0') + text('m=video 4100 RTP/AVP 31 34'));
    const answer = call.answer('callee', sdpOf('callee', '0'));
    expect(answer.sdp).toContain('m=video 0 RTP/AVP 31 34\r\n');
    expect(answer.streams[1]?.legs.callee.remote).toBeUndefined();
  });

  test('IPv6 on one leg, IPv4 on the other (A38)', () => {
    const call = new TestCall();
    const v6 = sdpOf('caller', '0').replaceAll('IP4 10.1.1.1', 'IP6 2001:db8::1');
    expect(call.offer('caller', v6).sdp).toBe(ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0'));
    call.negotiation.receiveAnswer('callee', sdpOf('callee', '0'), false);
    const ours = [{ address: '2001:db8::f', rtpPort: 7000, rtcpPort: 7001 }];
    const answer = call.negotiation.forwardAnswer(ours, true);
    expect(answer.sdp).toContain('o=- 1001 1 IN IP6 2001:db8::f\r\n');
    expect(answer.sdp).toContain('c=IN IP6 2001:db8::f\r\n');
    expect(stream(answer).legs.caller.remote?.address).toBe('2001:db8::1');
  });

  test('a hold of the caller is one for an IPv6 callee too', () => {
    const call = new TestCall();
    const held = sdpOf('caller', '0')
      .replace('t=0 0\r\n', 't=0 0\r\n')
      .replace('c=IN IP4 10.1.1.1', 'c=IN IP4 0.0.0.0');
    call.negotiation.receiveOffer('caller', held, false);
    const { sdp } = call.negotiation.forwardOffer([
      { address: '2001:db8::f', rtpPort: 7000, rtcpPort: 7001 },
    ]);
    expect(sdp).toContain('m=audio 7000 RTP/AVP 0\r\nc=IN IP6 ::\r\n');
  });

  // oxfmt-ignore
  test.each([
    ['a host name', 'media.example.com'], ['a multicast address', '224.2.1.1/127'], ['broadcast', '255.255.255.255'],
    ['nothing readable', ''],
  ])('media is never sent to %s', (_, address) => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0').replace('c=IN IP4 10.1.1.1', `c=IN IP4 ${address}`));
    expect(stream(call.answer('callee', sdpOf('callee', '0'))).legs.caller.remote).toBeUndefined();
  });

  // oxfmt-ignore
  test.each([
    ['a=rtcp:4444', 4000, 4444], ['a=rtcp:4444 IN IP4 10.1.1.9', 4000, 4444], ['a=rtcp:0', 4000, 4001], ['a=x', 65_535, 65_535],
  ])('RTCP goes where the peer says: %s', (line, port, rtcpPort) => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0', line).replace('m=audio 4000', `m=audio ${port}`));
    const { remote } = stream(call.answer('callee', sdpOf('callee', '0'))).legs.caller;
    expect(remote).toEqual({ address: '10.1.1.1', rtpPort: port, rtcpPort });
  });

  test('packet time of the peer, else of our description, else 20 ms', () => {
    expect(packetTimes(['a=ptime:30'], ['a=ptime:10'])).toEqual([30, 10]);
    expect(packetTimes(['a=ptime:30'], [])).toEqual([30, 30]);
    expect(packetTimes([], [])).toEqual([20, 20]);
  });

  test('the switches of a leg reach its stream', () => {
    const call = new TestCall(
      { dtmfGapMs: 70, dtmfPacketIntervalMs: 50, mediaSource: 'learn-once' },
      { dtmfRepairMovedEnd: false, dtmfMergeWindowMs: 200 },
    );
    call.offer('caller', sdpOf('caller', '0'));
    const { legs } = stream(call.answer('callee', sdpOf('callee', '0')));
    expect(legs.caller).toMatchObject({
      digitGapMs: 70,
      digitPacketIntervalMs: 50,
      mediaSource: 'learn-once',
    });
    expect(legs.callee).toMatchObject({ repairMovedEnd: false, mergeWindowMs: 200 });
  });
});

describe('streams', () => {
  // oxfmt-ignore
  test.each([
    ['one audio line', [], 1, 0],
    ['audio and video', ['m=video 4100 RTP/AVP 31'], 2, 0],
    ['a message session over TCP', ['m=message 2855 TCP/MSRP *'], 1, 0],
    ['a refused line at the end', ['m=video 0 RTP/AVP 31'], 1, 0],
    ['more lines than we relay', Array.from({ length: 9 }, () => 'm=video 4100 RTP/AVP 31'), 4, 0],
  ])('for %s', (_, media, streamCount, digitStream) => {
    const call = new TestCall();
    const facts = call.negotiation.receiveOffer('caller', sdpOf('caller', '0') + text(...media), false);
    expect(facts).toEqual({ hasSdp: true, streamCount, digitStream, switchedOff: [] });
  });

  test('none for a request without SDP or an SDP without media', () => {
    const { negotiation } = new TestCall();
    const none = { streamCount: 0, digitStream: undefined, switchedOff: [] };
    expect(negotiation.receiveOffer('caller', undefined, false)).toEqual({
      hasSdp: false,
      ...none,
    });
    expect(negotiation.receiveOffer('caller', 'v=0\r\n', false)).toEqual({ hasSdp: true, ...none });
    expect(negotiation.forwardOffer([]).sdp).toBe('v=0\r\no=- 2002 1 IN IP4 0.0.0.0\r\n');
  });

  test('what is not relayed is offered with port 0 and stays refused', () => {
    const call = new TestCall();
    const msrp = 'm=message 2855 TCP/MSRP *';
    const offer = call.offer(
      'caller',
      sdpOf('caller', '0') + text(msrp, 'a=path:msrp://10.1.1.1:2855/x;tcp'),
    );
    expect(offer.sdp).toBe(
      ourSdp('callee', 1, 'm=audio 30000 RTP/AVP 0', 'm=message 0 TCP/MSRP *'),
    );
    const answer = call.answer('callee', sdpOf('callee', '0') + text('m=message 9 RTP/AVP 0'));
    expect(answer.sdp).toContain('m=message 0 RTP/AVP 0\r\n');
  });

  test('a line without ports of ours is refused', () => {
    const call = new TestCall();
    call.offer('caller', sdpOf('caller', '0') + text('m=video 4100 RTP/AVP 31'));
    call.negotiation.receiveAnswer(
      'callee',
      sdpOf('callee', '0') + text('m=video 5100 RTP/AVP 31'),
      false,
    );
    const answer = call.negotiation.forwardAnswer(LOCAL.caller.slice(0, 1), true);
    expect(answer.sdp).toContain('m=video 0 RTP/AVP 31\r\n');
    expect(answer.streams[1]?.legs.caller.remote).toBeUndefined();
  });
});

/** The SDP of a side with another address in its c= line. */
function at(side: Side, address: string, ...attributes: string[]): string {
  const family = address.includes(':') ? 'IP6' : 'IP4';
  const own = `c=IN IP4 ${PEERS[side].address}`;
  return sdpOf(side, '0 101', ...te(101), ...attributes).replace(own, `c=IN ${family} ${address}`);
}

/** A call with both sides at their addresses. */
function openCall(): TestCall {
  const call = new TestCall();
  call.offer('caller', sdpOf('caller', '0 101', ...te(101)));
  call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
  return call;
}

describe('an old-style hold', () => {
  const caller = { address: '10.1.1.1', rtpPort: 4000, rtcpPort: 4001 };
  const callee = { address: '10.2.2.2', rtpPort: 5000, rtcpPort: 5001 };

  test.each(['0.0.0.0', '::'])(
    'of %s keeps the holder’s address and sends it nothing',
    (nowhere) => {
      const call = openCall();
      call.offer('caller', at('caller', nowhere));
      const { legs } = stream(call.answer('callee', sdpOf('callee', '0 101', ...te(101))));
      expect(legs.caller).toMatchObject({ remote: caller, maySend: false, maySendRtcp: false });
      expect(legs.callee).toMatchObject({ remote: callee, maySend: true, maySendRtcp: true });
      expect(legs.caller.event).toBeDefined();
    },
  );

  test('by the callee, repeated, with another port and with a direction is the same', () => {
    const call = openCall();
    for (const attributes of [[], [], ['a=sendonly'], ['a=inactive']]) {
      call.offer('callee', at('callee', '0.0.0.0', ...attributes).replace('5000', '5008'));
      const { legs } = stream(call.answer('caller', sdpOf('caller', '0 101', ...te(101))));
      expect(legs.callee).toMatchObject({ remote: callee, maySend: false, maySendRtcp: false });
    }
  });

  test('of both sides keeps both addresses', () => {
    const call = openCall();
    call.offer('caller', at('caller', '0.0.0.0'));
    const { legs } = stream(call.answer('callee', at('callee', '0.0.0.0')));
    expect(legs.caller).toMatchObject({ remote: caller, maySend: false });
    expect(legs.callee).toMatchObject({ remote: callee, maySend: false });
  });

  test('ends with an address, which may be another one', () => {
    const call = openCall();
    call.offer('caller', at('caller', '0.0.0.0'));
    call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
    call.offer('caller', at('caller', '10.1.1.7'));
    const { legs } = stream(call.answer('callee', sdpOf('callee', '0 101', ...te(101))));
    const moved = { ...caller, address: '10.1.1.7' };
    expect(legs.caller).toMatchObject({ remote: moved, maySend: true, maySendRtcp: true });
  });

  test('that is refused changes nothing', () => {
    const call = openCall();
    call.offer('caller', at('caller', '0.0.0.0'));
    call.negotiation.abandonOffer();
    call.offer('callee', sdpOf('callee', '0 101', ...te(101)));
    const { legs } = stream(call.answer('caller', sdpOf('caller', '0 101', ...te(101))));
    expect(legs.caller).toMatchObject({ remote: caller, maySend: true });
  });

  test.each([
    ['in the first SDP', []],
    ['behind a host name', [at('caller', 'media.example.com')]],
    ['behind port 0', [sdpOf('caller', '0').replace('m=audio 4000', 'm=audio 0')]],
  ])('%s: no address is known', (_name, offers) => {
    const call = new TestCall();
    for (const offer of offers) {
      call.offer('caller', offer);
      call.answer('callee', sdpOf('callee', '0 101', ...te(101)));
    }
    call.offer('caller', at('caller', '0.0.0.0'));
    const { legs } = stream(call.answer('callee', sdpOf('callee', '0 101', ...te(101))));
    expect(legs.caller).toMatchObject({ remote: undefined, maySend: false });
  });

  test('reaches the next callee, who is tried with the same offer', () => {
    const first = openCall();
    const second = new TestCall({}, {}, first);
    second.offer('caller', at('caller', '0.0.0.0'));
    const { legs } = stream(second.answer('callee', sdpOf('callee', '0 101', ...te(101))));
    expect(legs.caller.remote).toEqual(caller);
  });

  test.each(['sendonly', 'inactive'])('is not a=%s with an address', (direction) => {
    const call = openCall();
    call.offer('caller', at('caller', '10.1.1.1', `a=${direction}`));
    const { legs } = stream(call.answer('callee', sdpOf('callee', '0 101', ...te(101))));
    expect(legs.caller).toMatchObject({ remote: caller, maySend: false, maySendRtcp: true });
  });
});
