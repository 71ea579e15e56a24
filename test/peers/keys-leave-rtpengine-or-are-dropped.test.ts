/**
 * Digits that a real rtpengine plays in place of a caller without telephone-event: each that counts as sent has reached
 * the callee, and each that is dropped never does.
 */

import { describe, expect, test } from 'vitest';
import type { LegMedia, StreamUpdate } from '../../src/media/media-engine.ts';
import { checkLeaksAfterEach, closeAfterTest } from '../support/leak-check.ts';
import { receivedEvents } from '../support/rtp-analysis.ts';
import { buildRtp } from '../support/rtp-packet.ts';
import type { RtpPeer } from '../support/rtp-peer.ts';
import { openBed, openCall, type RtpengineCall, talk } from '../support/rtpengine-bed.ts';
import { canRunRtpengine } from '../support/rtpengine-daemon.ts';
import { sleep, waitFor } from '../support/wait-for.ts';
import { KEYPAD } from '../unit/media/media-samples.ts';

checkLeaksAfterEach();

const FRAME_MS = 20;
const COMFORT_NOISE = 13;

type Numbers = Readonly<Record<'caller' | 'callee', number | undefined>>;

/** What was agreed, with these telephone-event numbers. */
function withEvents({ legs }: StreamUpdate, numbers: Numbers, payloadTypes = [0]): StreamUpdate {
  const mode = numbers.caller === undefined || numbers.callee === undefined ? 'absorb' : 'relay';
  const leg = (media: LegMedia, number: number | undefined): LegMedia => ({
    ...media,
    audio: { ...media.audio, payloadTypes },
    event:
      number === undefined
        ? undefined
        : {
            sendPayloadType: number,
            receivePayloadTypes: [number],
            clockRate: 8000,
            events: KEYPAD,
          },
  });
  return {
    legs: {
      caller: leg(legs.caller, numbers.caller),
      callee: leg(legs.callee, numbers.callee),
    },
    events: { caller: { mode, detect: true }, callee: { mode, detect: true } },
  };
}

/** Keys that have come, and how many end packets of each. */
function heard(peer: RtpPeer, payloadType = 101): string[] {
  return receivedEvents(peer.received, payloadType).map(
    ({ digit, reports }) => `${digit} ${reports.filter(({ isEnd }) => isEnd).length}`,
  );
}

async function play(call: RtpengineCall, to: 'caller' | 'callee', keys: string): Promise<void> {
  for (const key of keys) {
    const digitId = `${key} ${performance.now()}`;
    call.stream.playDigit(to, { digitId, eventCode: Number(key), durationMs: 120 });
    await waitFor('digit', () =>
      [...call.listener.sent, ...call.listener.dropped].some((one) => one.digitId === digitId),
    );
  }
}

/** Sends audio or comfort noise frame by frame, as one source. */
class Speaker {
  payloadType = 0;
  #frame = 0;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(peer: RtpPeer) {
    this.#timer = setInterval(() => {
      this.#frame += 1;
      const { payloadType } = this;
      peer.sendRaw(
        buildRtp({
          payloadType,
          marker: false,
          sequenceNumber: this.#frame,
          timestamp: this.#frame * 160,
          ssrc: 0x5eed,
          payload: payloadType === COMFORT_NOISE ? Buffer.of(64) : Buffer.alloc(160, 255),
        }),
      );
    }, FRAME_MS);
  }

  async frames(count: number): Promise<void> {
    const until = this.#frame + count;
    await waitFor('frames', () => this.#frame >= until);
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }
}

describe.skipIf(!canRunRtpengine)('on rtpengine', () => {
  test('keys reach the callee behind a spell of comfort noise', async () => {
    const { engine } = await openBed();
    const call = await openCall(engine, (update) =>
      withEvents(update, { caller: undefined, callee: 101 }, [0, COMFORT_NOISE]),
    );
    const speaker = closeAfterTest(new Speaker(call.caller));
    await speaker.frames(40);
    speaker.payloadType = COMFORT_NOISE;
    await speaker.frames(20);
    speaker.payloadType = 0;
    await speaker.frames(20);
    await play(call, 'callee', '12');
    await waitFor('keys', () => heard(call.callee).join(' ') === '1 3 2 3');
    expect(call.listener.sent).toHaveLength(2);
    const noise = call.callee.received.filter(({ payloadType }) => payloadType === COMFORT_NOISE);
    expect(noise).toHaveLength(20);
    expect(new Set(call.callee.received.map(({ ssrc }) => ssrc)).size).toBe(1);
  });

  test.each([
    ['caller', 'callee'],
    ['callee', 'caller'],
  ] as const)(
    'keys leave behind telephone-events that the %s sent before it had none',
    async (...[from, to]) => {
      const { engine } = await openBed();
      const both = { caller: 101, callee: 101 };
      const call = await openCall(engine, (update) =>
        withEvents(update, { ...both, [from]: undefined }),
      );
      await talk(call);
      await play(call, to, '1');
      call.stream.update(withEvents(call.update, both));
      await sleep(200);
      await call[from].press('2345', { durationMs: 200 });
      await waitFor('reports', () => call.listener.released.length === 4);
      call.stream.update(withEvents(call.update, { ...both, [from]: undefined }));
      await play(call, to, '67');
      const expected = '1 3 2 3 3 3 4 3 5 3 6 3 7 3';
      await waitFor('keys', () => heard(call[to]).join(' ') === expected);
      expect(call.listener.dropped).toEqual([]);
    },
  );

  test('a key that finds no audio is dropped and does not leave later, the next one does', async () => {
    const { engine } = await openBed();
    const call = await openCall(engine, (update) =>
      withEvents(update, { caller: undefined, callee: 101 }),
    );
    await talk(call);
    call.caller.stopAudio();
    await sleep(100);
    await play(call, 'callee', '1');
    expect(call.listener.dropped.map(({ reason }) => reason)).toEqual(['media-inactive']);
    call.caller.startAudio();
    await play(call, 'callee', '2');
    await waitFor('key', () => heard(call.callee).at(-1)?.endsWith(' 3'));
    expect(heard(call.callee)).toEqual(['2 3']);
  });
});
