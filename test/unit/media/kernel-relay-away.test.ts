import { describe, expect, test } from 'vitest';
import { Relay } from '../../../src/media/relay.ts';
import { audioPacket, eventPacket, sampleLeg, sampleUpdate } from './media-samples.ts';

const CALLER = { address: '127.0.0.1', port: 4000 };
const CALLEE = { address: '127.0.0.1', port: 5000 };
const SSRC = 0x11223344;

/** A stream on which both have talked for `packets`. */
function talking(packets = 10, changes: Parameters<typeof sampleUpdate>[2] = {}): Relay {
  const relay = new Relay(
    {
      random: () => 0.5,
      renameSource: (name) => name,
      inactivityTimeoutMs: 10_000,
      holdTimeoutMs: 60_000,
    },
    0,
  );
  relay.update(sampleUpdate(sampleLeg(4000), sampleLeg(5000), changes), 0);
  for (let number = 0; number < packets; number++) send(relay, number);
  return relay;
}

function send(relay: Relay, number: number, ssrc = SSRC): void {
  const fields = { sequenceNumber: number, timestamp: 160 * number, ssrc };
  relay.receiveRtp('caller', audioPacket(fields), CALLER, 20 * number);
}

describe('a direction is steady', () => {
  test('while its audio leaves as it came', () => {
    const relay = talking();
    expect(relay.steadyFlow('caller')).toEqual({
      source: CALLER,
      destination: CALLEE,
      head: 0x8000,
      ssrc: SSRC,
    });
    expect(relay.steadyFlow('callee')).toBeUndefined();
  });

  test.each<[string, (relay: Relay) => void]>([
    [
      'the receiver is on hold',
      (relay) => {
        const held = sampleLeg(5000, { maySend: false });
        relay.update(sampleUpdate(sampleLeg(4000), held), 200);
      },
    ],
    [
      'a digit is put in',
      (relay) => relay.playDigit('callee', { digitId: 'd', eventCode: 1, durationMs: 100 }),
    ],
    [
      'the payload type is mapped',
      (relay) => {
        const caller = sampleLeg(4000, { payloadTypeMap: [[0, 8]] });
        relay.update(sampleUpdate(caller, sampleLeg(5000)), 200);
      },
    ],
    [
      'the receiver is still looked for',
      (relay) => {
        const learning = sampleLeg(5002, { mediaSource: 'learn-once' });
        relay.update(sampleUpdate(sampleLeg(4000), learning), 200);
      },
    ],
    [
      'it is not read',
      (relay) => {
        const opaque = { transport: 'srtp' } as const;
        relay.update(sampleUpdate(sampleLeg(4000, opaque), sampleLeg(5000, opaque)), 200);
      },
    ],
  ])('but not while %s', (_name, change) => {
    const relay = talking();
    change(relay);
    expect(relay.steadyFlow('caller')).toBeUndefined();
  });

  test('no more once an event of it was absorbed', () => {
    const relay = talking(10, { caller: { mode: 'absorb', detect: true } });
    expect(relay.steadyFlow('caller')).toBeDefined();
    expect(relay.translatesDigits).toBe(true);
    const event = eventPacket({ sequenceNumber: 10, timestamp: 1600, ssrc: SSRC });
    relay.receiveRtp('caller', event, CALLER, 200);
    expect(relay.steadyFlow('caller')).toBeUndefined();
  });
});

describe('packets that went by elsewhere', () => {
  test('are received, sent, and a sign of life', () => {
    const relay = talking();
    relay.beginAway('caller', 200);
    relay.countAway('caller', { packets: 50, bytes: 8600, askedAtMs: 8990 }, 9000);
    const { caller, callee } = relay.counters(9000);
    expect([caller.receivedPackets, caller.quietMs]).toEqual([60, 0]);
    expect([callee.sentPackets, callee.sentBytes - 8600]).toEqual([60, 10 * 172]);
    expect(relay.checkInactivity(18_000)).toBeUndefined();
    expect(relay.checkInactivity(19_000)).toBe(10_000);
  });

  test.each([
    ['none is lost', 0],
    ['some are lost', 40],
  ])(
    'where %s, that is known at once but for the last of them, and exactly when they come here again',
    (_name, lost) => {
      const relay = talking();
      relay.beginAway('caller', 200);
      // Each second 50 packets are sent, the samples among them come here.
      let number = 10;
      for (let second = 0; second < 20; second++) {
        let elsewhere = 50 - lost / 20;
        for (let count = 0; count < 50; count++, number++) {
          if (number % 64 !== 0) continue;
          send(relay, number);
          elsewhere -= 1;
        }
        const nowMs = 20 * number;
        relay.countAway('caller', { packets: elsewhere, bytes: 0, askedAtMs: nowMs }, nowMs);
      }
      const estimate = relay.counters(20 * number).caller.lostPackets;
      expect(estimate).toBeLessThanOrEqual(lost);
      expect(estimate).toBeGreaterThanOrEqual(lost - 20);
      relay.endAway('caller');
      send(relay, number);
      expect(relay.counters(20 * number).caller.lostPackets).toBe(lost);
    },
  );

  test('may be none: what is lost of those that come here is known, and nobody counts as heard', () => {
    const relay = talking();
    relay.beginAway('caller', 200);
    for (const number of [10, 11, 13]) send(relay, number);
    relay.countAway('caller', { packets: 0, bytes: 0, askedAtMs: 1000 }, 1010);
    expect(relay.counters(1010).caller).toMatchObject({ lostPackets: 1, quietMs: 750 });
  });

  test('are taken from the numbers behind them where their last count is missing', () => {
    const relay = talking();
    relay.beginAway('caller', 200);
    relay.countAway('caller', { packets: 20, bytes: 20 * 172, askedAtMs: 600 }, 610);
    for (const number of [64, 128]) send(relay, number);
    relay.missAway('caller', 2700);
    relay.endAway('caller');
    send(relay, 140);
    const { caller, callee } = relay.counters(2800);
    expect([caller.lostPackets, caller.receivedPackets]).toEqual([0, 141]);
    expect([callee.sentPackets, callee.sentBytes]).toEqual([141, 141 * 172]);
    expect(relay.counters(2800).caller.receivedPackets).toBe(141);
    // What is lost from now on is lost.
    for (const number of [150, 152]) send(relay, number);
    expect(relay.counters(3100).caller.lostPackets).toBe(1);
  });

  test('leave their numbers and their time to a digit behind them, even in silence', () => {
    const relay = talking();
    relay.beginAway('caller', 200);
    relay.countAway('caller', { packets: 30, bytes: 0, askedAtMs: 790 }, 800);
    relay.endAway('caller');
    relay.playDigit('callee', { digitId: 'd', eventCode: 1, durationMs: 100 });
    relay.poll(820);
    const [first] = relay
      .takeOutputs()
      .flatMap((output) => (output.type === 'packet' ? [output.bytes] : []));
    expect(first?.readUInt16BE(2)).toBe(40);
    expect(first?.readUInt32BE(4)).toBe((820 * 8000) / 1000);
  });

  test('are counted late: who alone is heard is judged less often', () => {
    const relay = talking();
    relay.checkOneWay(1000);
    expect(relay.isLookDue(2000)).toBe(true);
    relay.beginAway('caller', 1000);
    expect(relay.isLookDue(3900)).toBe(false);
    expect(relay.isLookDue(4000)).toBe(true);
  });
});
