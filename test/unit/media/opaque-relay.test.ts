/** Streams whose packets are left alone: SRTP and anything else over UDP. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LegMedia } from '../../../src/media/media-engine.ts';
import { Relay } from '../../../src/media/relay.ts';
import { audioPacket, eventPacket, sampleLeg, sampleUpdate } from './media-samples.ts';
import { CALLEE, CALLER } from './virtual-call.ts';

const STRANGER = { address: '9.9.9.9', port: 4000 };
const DTLS = Buffer.from('16fefd0000000000000000', 'hex');
const STUN = Buffer.from('000100002112a442000000000000000000000000', 'hex');

function openRelay(caller: Partial<LegMedia> = {}, callee: Partial<LegMedia> = {}): Relay {
  const relay = new Relay(
    {
      renameSource: (name) => name,
      random: () => 0.5,
      inactivityTimeoutMs: 1000,
      holdTimeoutMs: 9000,
    },
    0,
  );
  const common = { transport: 'srtp', event: undefined } as const;
  const legs = [
    sampleLeg(CALLER.port, { ...common, ...caller }),
    sampleLeg(CALLEE.port, { ...common, ...callee }),
  ] as const;
  relay.update(sampleUpdate(...legs), 0);
  return relay;
}

test.each<[string, LegMedia['transport'], Buffer]>([
  ['SRTP', 'srtp', audioPacket()],
  ['an event as it would look in plain RTP', 'srtp', eventPacket()],
  ['DTLS', 'srtp', DTLS],
  ['STUN', 'srtp', STUN],
  ['fax', 'datagrams', Buffer.from('0001', 'hex')],
])('%s passes byte for byte', (_, transport, packet) => {
  const relay = openRelay({ transport }, { transport });
  const before = Buffer.from(packet);
  expect(relay.receiveRtp('caller', packet, CALLER, 5)).toBe('forward');
  expect(packet).toEqual(before);
  expect(relay.rtpDestination('callee')).toEqual(CALLEE);
  expect(relay.takeOutputs()).toEqual([]);
  expect(relay.counters(5).callee).toMatchObject({ sentPackets: 1, sentBytes: packet.length });
});

test('no bytes are changed, whatever they are, on either port', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, isRtcp) => {
      const relay = openRelay();
      const packet = Buffer.from(bytes);
      const rtcp = { ...CALLER, port: CALLER.port + 1 };
      const verdict = isRtcp
        ? relay.receiveRtcp('caller', packet, rtcp)
        : relay.receiveRtp('caller', packet, CALLER, 1);
      expect(verdict).toBe('forward');
      expect(packet).toEqual(Buffer.from(bytes));
    }),
  );
});

test.each([
  ['sdp', 0],
  ['learn-once', 5],
] as const)('with media-source %s a stranger gets at most %i datagrams in', (mediaSource, most) => {
  const relay = openRelay({ mediaSource });
  let passed = 0;
  for (let packet = 0; packet < 5; packet++) {
    if (relay.receiveRtp('caller', Buffer.from(DTLS), STRANGER, packet) === 'forward') passed += 1;
  }
  expect(passed).toBeLessThanOrEqual(most);
  expect(relay.receiveRtp('caller', Buffer.from(DTLS), CALLER, 9)).toBe('forward');
  expect(relay.receiveRtp('caller', Buffer.from(DTLS), STRANGER, 9)).toBe('drop');
  expect(relay.counters(9).caller.dropped['unknown-source']).toBeGreaterThan(0);
});

test('a hold stops SRTP but not the keys', () => {
  const relay = openRelay({}, { maySend: false });
  expect(relay.receiveRtp('caller', audioPacket(), CALLER, 1)).toBe('drop');
  expect(relay.receiveRtp('caller', Buffer.from(DTLS), CALLER, 1)).toBe('forward');
  expect(relay.counters(1).caller.dropped['media-inactive']).toBe(1);
});

test('a digit is refused, since nobody could read it', () => {
  const relay = openRelay();
  relay.playDigit('callee', { digitId: 'a', eventCode: 5, durationMs: 100 });
  expect(relay.takeOutputs()).toEqual([
    { type: 'digitDropped', to: 'callee', digitId: 'a', reason: 'event-not-negotiated' },
  ]);
});

test('silence is noticed as everywhere', () => {
  const relay = openRelay();
  relay.receiveRtp('caller', Buffer.from(DTLS), CALLER, 500);
  expect(relay.checkInactivity(1400)).toBeUndefined();
  expect(relay.checkInactivity(1600)).toBe(1100);
});
