/**
 * The dtmf-* parameters of a leg, each seen on the wire:
 *
 *   phone (KPML)                    SBC                        trunk (2833)
 *     | NOTIFY digits="12"           |  dtmf-duration-ms 200        |
 *     |----------------------------->|  dtmf-packet-interval-ms 40  |
 *     |                              |  dtmf-gap-ms 300             |
 *     |                              |== events of that shape =====>|
 *     |                              |<= key 5, timestamp moving ===|  dtmf-merge-window-ms 200,
 *     |   NOTIFY digits="5", once    |                              |  dtmf-repair-moved-end disabled
 *     |<-----------------------------|                              |
 */
import { expect, test } from 'vitest';
import { moreAudio, phoneCallsTrunk, shareSbc } from '../support/digit-call.ts';
import { checkLeaksAfterEach } from '../support/leak-check.ts';
import { buildEvent, buildRtp } from '../support/rtp-packet.ts';
import type { TrunkCall } from '../support/rfc2833-trunk.ts';
import { waitFor } from '../support/wait-for.ts';

const open = shareSbc({
  core: {
    'rfc2833-mode': 'preferred',
    'dtmf-duration-ms': '200',
    'dtmf-packet-interval-ms': '40',
    'dtmf-gap-ms': '300',
    'dtmf-merge-window-ms': '200',
    'dtmf-repair-moved-end': 'disabled',
  },
});

checkLeaksAfterEach();

const TICKS_PER_MS = 8;

/** Sends `count` reports of a key, each an end with a timestamp of its own, as some senders do. */
function pressMoving(trunk: TrunkCall, eventCode: number, count: number): void {
  const payloadType = trunk.remote.eventPayloadType ?? 101;
  for (let index = 0; index < count; index += 1) {
    const payload = buildEvent({ eventCode, isEnd: true, volume: 10, durationTicks: 160 });
    const header = { payloadType, marker: index === 0, ssrc: 7, payload };
    trunk.rtp.sendRaw(
      buildRtp({ ...header, sequenceNumber: 100 + index, timestamp: 9000 + index * 160 }),
    );
  }
}

test('length, spacing and pause of generated digits', async () => {
  const call = await phoneCallsTrunk(await open());
  const { phone, trunk } = call;
  await phone.keypad.waitForSubscription();
  await moreAudio(trunk);
  trunk.rtp.stopAudio();
  phone.rtp.stopAudio();
  await phone.keypad.reportRaw('12');
  await trunk.waitForDigits(2);
  const [first, second] = trunk.events;
  await phone.hangUp();
  await trunk.waitForEnd();

  const durations = first?.reports.map(({ durationTicks }) => durationTicks / TICKS_PER_MS) ?? [];
  // Every report lies on the raster of 40 ms; a machine that stalls leaves some of them out.
  expect(durations[0]).toBe(40);
  expect(durations.at(-1)).toBe(200);
  expect(durations.filter((ms) => ms % 40 !== 0)).toEqual([]);
  const stepMs = ((second?.timestamp ?? 0) - (first?.timestamp ?? 0)) >>> 0;
  expect(stepMs / TICKS_PER_MS).toBeGreaterThanOrEqual(500);
});

test('a key whose every report has a timestamp of its own is one key within the window', async () => {
  const call = await phoneCallsTrunk(await open());
  const { phone, trunk } = call;
  await phone.listener.listen();
  trunk.rtp.stopAudio();
  pressMoving(trunk, 5, 4);
  await phone.listener.waitForDigits(1);
  pressMoving(trunk, 6, 1);
  await waitFor('the next key', () => phone.listener.digits.endsWith('6'));
  await phone.hangUp();
  await trunk.waitForEnd();

  expect(phone.listener.digits).toBe('56');
});
