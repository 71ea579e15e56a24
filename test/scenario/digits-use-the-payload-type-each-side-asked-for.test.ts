/**
 * Rows A19, A28, A29 and C45 of the interop matrix: payload types of telephone-event per leg and direction.
 *
 *   phone                           SBC                        trunk
 *     | INVITE, 101 is another codec |                              |
 *     |----------------------------->| INVITE, telephone-event 102  |
 *     |                              |----------------------------->|
 *     |                              |          200 with 96         |
 *     |                              |<-----------------------------|
 *     |                              |== events with 96 ===========>|
 *     |                              |<= events with 102 ===========|
 */
import { describe, expect, test } from 'vitest';
import { messagesLike, moreAudio, shareSbc, phoneCallsTrunk } from '../support/digit-call.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { Rfc2833Trunk } from '../support/rfc2833-trunk.ts';
import type { TrunkCall } from '../support/rfc2833-trunk.ts';
import { readSdp } from '../support/sdp-text.ts';
import type { SipText } from '../support/sip-text.ts';
import { startLoopbackSbc } from '../support/start-sbc.ts';

const open = shareSbc();

checkLeaksAfterEach();

/** Makes 101 the number of another codec in every description. */
function withTaken101(message: SipText): SipText {
  const body = message.body
    .replace(/^(m=audio .*)$/m, '$1 101')
    .replace(/^(a=ptime)/m, 'a=rtpmap:101 G726-32/8000\r\n$1');
  return { ...message, body };
}

/** Packets of key presses as the far end should get them: all but the payload type. */
function eventsSentBy(call: TrunkCall): unknown[] {
  return call.rtp.sent
    .filter((packet) => packet.payload.length === 4)
    .map(({ sequenceNumber, timestamp, ssrc, marker, payload }) => ({
      sequenceNumber,
      timestamp,
      ssrc,
      marker,
      payload,
    }));
}

function eventsReceivedBy(call: TrunkCall): unknown[] {
  return call.rtp.received
    .filter((packet) => packet.payload.length === 4)
    .map(({ sequenceNumber, timestamp, ssrc, marker, payload }) => ({
      sequenceNumber,
      timestamp,
      ssrc,
      marker,
      payload,
    }));
}

function eventNumbers(call: TrunkCall): number[] {
  const events = call.rtp.received.filter((packet) => packet.payload.length === 4);
  return [...new Set(events.map((packet) => packet.payloadType))];
}

describe('telephone-event has the number', () => {
  test('after the configured one, where the offer uses that for a codec (A19)', async () => {
    const stage = await open({ phoneOptions: { rewriteSent: withTaken101 } });

    const call = await phoneCallsTrunk(stage);
    await call.phone.press('5');
    await call.trunk.waitForDigits(1);
    const problems = await call.finish();

    const [invite] = messagesLike(stage.trunk.sip, '< INVITE');
    expect(problems).toEqual([]);
    expect(readSdp(invite?.body ?? '')).toMatchObject({
      payloadTypes: [0, 8, 101, 102],
      eventPayloadType: 102,
      events: '0-15',
    });
    expect(call.trunk.digits).toBe('5');
    expect(eventNumbers(call.trunk)).toEqual([102]);
  });

  test('of the answer towards the one who answered, of the offer the other way (A28)', async () => {
    const stage = await open({ trunkOptions: { eventPayloadType: 96 } });

    const call = await phoneCallsTrunk(stage);
    await call.phone.listen();
    await Promise.all([call.phone.press('5'), call.trunk.press('6')]);
    await Promise.all([call.trunk.waitForDigits(1), call.phone.listener.waitForDigits(1)]);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(call.trunk.remote.eventPayloadType).toBe(101);
    expect(call.trunk.digits).toBe('5');
    expect(eventNumbers(call.trunk)).toEqual([96]);
    expect(call.phone.listener.digits).toBe('6');
  });

  test('that each end chose for itself, and nothing else of a relayed event changes (A29)', async () => {
    const a = closeAfterTest(await Rfc2833Trunk.open({ user: 'a', eventPayloadType: 97 }));
    const b = closeAfterTest(await Rfc2833Trunk.open({ user: 'b', eventPayloadType: 101 }));
    const running = closeAfterTest(await startLoopbackSbc({ carrier: b.sip }));

    const [one, two] = await Promise.all([a.call({ to: '5', via: running.access }), b.answer()]);
    await Promise.all([one.press('12'), two.press('34')]);
    await Promise.all([two.waitForDigits(2), one.waitForDigits(2)]);
    await one.hangUp();
    await two.waitForEnd();

    expect([one.remote.eventPayloadType, two.remote.eventPayloadType]).toEqual([97, 97]);
    expect([one.digits, two.digits]).toEqual(['34', '12']);
    expect([eventNumbers(one), eventNumbers(two)]).toEqual([[97], [101]]);
    expect(eventsReceivedBy(two)).toEqual(eventsSentBy(one));
    expect(eventsReceivedBy(one)).toEqual(eventsSentBy(two));
    expect([...one.audioProblems(), ...two.audioProblems()]).toEqual([]);
  });

  test('nobody agreed on: the phone’s own RTP events do not double its KPML keys (C45)', async () => {
    const stage = await open();

    const call = await phoneCallsTrunk(stage);
    const { phone, trunk } = call;
    await phone.keypad.waitForSubscription();
    await phone.rtp.press('8', { payloadType: 101 });
    await phone.press('8');
    await trunk.waitForDigits(1);
    await moreAudio(trunk);
    const problems = await call.finish();

    expect(problems).toEqual([]);
    expect(trunk.digits).toBe('8');
    expect(call.ledger).toEqual(['caller-to-callee 8 notify -> rtp']);
  });
});
