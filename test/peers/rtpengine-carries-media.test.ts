/**
 * Streams of the media engine on a real rtpengine: digits found, translated, kept back and played, verified on the wire.
 *
 *   caller (RTP peer) <--> rtpengine <--> callee (RTP peer)
 *                             |  ^
 *           digits it found   v  | offer, answer, play DTMF, query, delete
 *                            engine
 */

import { describe, expect, test } from 'vitest';
import type { LegMedia, StreamUpdate } from '../../src/media/media-engine.ts';
import { receivedEvents, streamProblems } from '../support/rtp-analysis.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { canRunRtpengine } from '../support/rtpengine-daemon.ts';
import { buildRtp, KEYS } from '../support/rtp-packet.ts';
import { openBed, openCall, talk } from '../support/rtpengine-bed.ts';
import type { RtpPeer } from '../support/rtp-peer.ts';
import { sleep, waitFor } from '../support/wait-for.ts';
import { KEYPAD } from '../unit/media/media-samples.ts';

checkLeaksAfterEach();

/** A report comes with the first end packet; the repeats follow. */
const LAST_PACKETS_MS = 300;
/** rtpengine counts in whole seconds. */
const SILENT_MS = 3000;

function eventOn(number: number): LegMedia['event'] {
  return {
    sendPayloadType: number,
    receivePayloadTypes: [number],
    clockRate: 8000,
    events: KEYPAD,
  };
}

function withEvent(media: LegMedia, number: number | undefined): LegMedia {
  return { ...media, event: number === undefined ? undefined : eventOn(number) };
}

/** What each side has negotiated; `undefined`: no telephone-event. */
function agreedOn(caller: number | undefined, callee: number | undefined) {
  return ({ legs }: StreamUpdate): StreamUpdate => {
    const mode = caller === undefined || callee === undefined ? 'absorb' : 'relay';
    return {
      legs: { caller: withEvent(legs.caller, caller), callee: withEvent(legs.callee, callee) },
      events: { caller: { mode, detect: true }, callee: { mode, detect: true } },
    };
  };
}

/** Keys that arrived, with their payload type and length: `5 on 101, 120 ms`. */
function heard(peer: RtpPeer): string[] {
  const numbers = new Set(peer.received.map(({ payloadType }) => payloadType));
  return [...numbers].flatMap((number) =>
    receivedEvents(peer.received, number).map(({ digit, reports }) => {
      const lengthMs = Math.max(...reports.map(({ durationTicks }) => durationTicks)) / 8;
      const ends = reports.filter(({ isEnd }) => isEnd).length;
      return `${digit} on ${number}, ${lengthMs} ms, ${ends} ends`;
    }),
  );
}

/** What has been heard, so many keys with all their packets, once more would have come as well. */
async function allHeard(peer: RtpPeer, count: number): Promise<string[]> {
  await waitFor('whole keys', () => heard(peer).join('\n').split(' 3 ends').length > count, {
    details: () => heard(peer).join('\n'),
  });
  await sleep(LAST_PACKETS_MS);
  return heard(peer);
}

describe.skipIf(!canRunRtpengine)('on rtpengine', () => {
  test.each([
    [101, 101],
    [101, 96],
    [97, 110],
  ])('keys on %i reach a peer that wants them on %i, and back', async (caller, callee) => {
    const { engine } = await openBed();
    const call = await openCall(engine, agreedOn(caller, callee));
    await talk(call);
    await call.caller.press('1#', { payloadType: caller });
    await call.callee.press('2', { payloadType: callee });
    await waitFor('reports', () => call.listener.released.length === 3);
    const { pressed, released } = call.listener;
    expect(pressed.map(({ side, digit }) => `${side} ${digit}`).toSorted()).toEqual([
      'callee 2',
      'caller #',
      'caller 1',
    ]);
    expect(released.map(({ durationMs }) => durationMs)).toEqual([100, 100, 100]);
    expect(await allHeard(call.callee, 2)).toEqual([
      `1 on ${callee}, 100 ms, 3 ends`,
      `# on ${callee}, 100 ms, 3 ends`,
    ]);
    expect(await allHeard(call.caller, 1)).toEqual([`2 on ${caller}, 100 ms, 3 ends`]);
    const sources = new Set(call.callee.received.map(({ ssrc }) => ssrc));
    expect(sources.size).toBe(1);
    // Only what needs no translation keeps the name of its source.
    expect(sources.has(call.caller.ssrc)).toBe(caller === callee);
    expect(streamProblems(call.callee.received, { eventPayloadType: callee })).toEqual([]);
  });

  test('a leg without telephone-event gets none, and digits are played to the other in their own number', async () => {
    const { engine } = await openBed();
    const call = await openCall(engine, agreedOn(undefined, 96));
    await talk(call);
    await call.callee.press('78', { payloadType: 96 });
    await waitFor('reports', () => call.listener.released.length === 2);
    for (const [index, eventCode] of KEYPAD.entries()) {
      call.stream.playDigit('callee', { digitId: `d${index}`, eventCode, durationMs: 120 });
    }
    await waitFor('all keys', () => call.listener.sent.length === KEYPAD.length);
    expect(await allHeard(call.callee, KEYPAD.length)).toEqual(
      KEYS.split('').map((key) => `${key} on 96, 120 ms, 3 ends`),
    );
    expect(heard(call.caller)).toEqual([]);
    expect(call.listener.pressed.map(({ side, digit }) => `${side} ${digit}`)).toEqual([
      'callee 7',
      'callee 8',
    ]);
    expect(call.listener.dropped).toEqual([]);
  });

  test('a digit played between relayed ones is as long as it should be', async () => {
    const { engine } = await openBed();
    const call = await openCall(engine, agreedOn(101, 96));
    await talk(call);
    const play = async (digitId: string, eventCode: number): Promise<void> => {
      call.stream.playDigit('callee', { digitId, eventCode, durationMs: 160 });
      await waitFor('digit', () => call.listener.sent.some((sent) => sent.digitId === digitId));
      await sleep(150);
    };
    await call.caller.press('0', { durationMs: 200 });
    await waitFor('report', () => call.listener.released.length === 1);
    await sleep(LAST_PACKETS_MS);
    await play('one', 1);
    await call.caller.press('23', { durationMs: 200 });
    await waitFor('reports', () => call.listener.released.length === 3);
    await play('four', 4);
    await play('five', 5);
    expect(await allHeard(call.callee, 6)).toEqual([
      '0 on 96, 200 ms, 3 ends',
      '1 on 96, 160 ms, 3 ends',
      '2 on 96, 200 ms, 3 ends',
      '3 on 96, 200 ms, 3 ends',
      '4 on 96, 160 ms, 3 ends',
      '5 on 96, 160 ms, 3 ends',
    ]);
  });

  test('a digit waits for the first packet of the stream it goes into, but not for ever', async () => {
    const { engine } = await openBed();
    const call = await openCall(engine, agreedOn(undefined, 101));
    call.stream.playDigit('callee', { digitId: 'early', eventCode: 5, durationMs: 120 });
    await sleep(300);
    await talk(call);
    await waitFor('digit', () => call.listener.sent.length === 1);
    call.caller.stopAudio();
    await sleep(SILENT_MS);
    call.stream.playDigit('callee', { digitId: 'never', eventCode: 6, durationMs: 120 });
    await waitFor('drop', () => call.listener.dropped.length === 1);
    expect(call.listener.dropped).toEqual([
      { to: 'callee', digitId: 'never', reason: 'media-inactive' },
    ]);
    expect(await allHeard(call.callee, 1)).toEqual(['5 on 101, 120 ms, 3 ends']);
  });

  test('ports stay through holds, new addresses and changed numbers', async () => {
    const { engine } = await openBed();
    const call = await openCall(engine, agreedOn(101, 101));
    await talk(call);
    const before = structuredClone(call.stream.local);
    const { legs, events } = call.update;
    const held = { ...legs.caller, maySend: false };
    call.stream.update({ legs: { ...legs, caller: held }, events });
    const nowhere = { ...legs.caller, remote: undefined };
    call.stream.update({ legs: { ...legs, caller: nowhere }, events });
    call.stream.update(agreedOn(undefined, 96)(call.update));
    call.stream.update(agreedOn(101, 96)(call.update));
    await call.stream.counters();
    const heardBefore = call.callee.received.length;
    await waitFor('more audio', () => call.callee.received.length > heardBefore + 5);
    await call.caller.press('9');
    await waitFor('report', () => call.listener.released.length === 1);
    expect(call.listener.lostFor).toEqual([]);
    expect(call.stream.local).toEqual(before);
    expect(await allHeard(call.callee, 1)).toEqual(['9 on 96, 100 ms, 3 ends']);
    const counters = await call.stream.close();
    expect(counters.caller.receivedPackets).toBeGreaterThan(10);
    expect(counters.caller.source).toBe(`127.0.0.1:${call.caller.rtpPort}`);
    expect(counters.callee.sentPackets).toBe(counters.caller.receivedPackets);
  });

  test.each([
    ['srtp', rtpLike(Buffer.alloc(190, 0xa7))],
    ['datagrams', Buffer.from('00010b74696e79207564707464', 'hex')],
  ] as const)('%s pass byte for byte', async (transport, bytes) => {
    const { engine } = await openBed();
    const call = await openCall(engine, ({ legs, events }) => ({
      legs: {
        caller: { ...legs.caller, transport, event: undefined },
        callee: { ...legs.callee, transport, event: undefined },
      },
      events,
    }));
    const arrived = (): string[] => [
      ...call.callee.received.map((fields) => buildRtp(fields).toString('hex')),
      ...call.callee.garbage.map((datagram) => datagram.toString('hex')),
    ];
    await waitFor('bytes', () => {
      call.caller.sendRaw(bytes);
      return arrived().length > 0;
    });
    expect(arrived()[0]).toBe(bytes.toString('hex'));
    expect(call.listener.lostFor).toEqual([]);
  });
});

function rtpLike(payload: Buffer): Buffer {
  return buildRtp({
    payloadType: 0,
    marker: false,
    sequenceNumber: 7,
    timestamp: 8,
    ssrc: 9,
    payload,
  });
}
