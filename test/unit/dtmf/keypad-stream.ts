/** The RTP of a keypad as telephones and gateways send it, written without the product's sender. */
import { buildEvent, KEYS } from '../../support/rtp-packet.ts';
import type { StreamPacket } from './lossy-link.ts';

export interface KeyPress {
  readonly key: string;
  readonly atMs: number;
  readonly durationMs: number;
}

/** The habits of one sender. */
export interface KeypadHabits {
  readonly clockRate: number;
  readonly intervalMs: number;
  readonly firstTimestamp: number;
  readonly firstSequenceNumber: number;
  /** None, between the keys, or beside them as well. */
  readonly audio: 'none' | 'between' | 'beside';
  /** The repeats of the end: one interval apart, behind the next key if it comes early, or at once. */
  readonly repeats: 'paced' | 'burst';
  /** How many of the three final packets have the end bit; RFC 4733 §5 shows 2. */
  readonly endBits: 1 | 2 | 3;
}

/** A packet without the numbers that the whole stream gives it. */
type Draft = Omit<StreamPacket, 'sequenceNumber'>;

const FINAL_PACKETS = 3;
const MAX_TICKS = 0xffff;

export function drawHabits(random: () => number): KeypadHabits {
  const pick = <T>(...choices: readonly [T, ...T[]]): T =>
    choices[Math.floor(random() * choices.length)] ?? choices[0];
  return {
    clockRate: pick(8000, 8000, 8000, 16_000, 48_000),
    intervalMs: pick(10, 20, 20, 30, 50),
    firstTimestamp: pick(0xffff_fc00, Math.floor(random() * 2 ** 32)),
    firstSequenceNumber: pick(65_500, Math.floor(random() * 65_536)),
    audio: pick('none', 'between', 'beside'),
    repeats: pick('paced', 'burst'),
    endBits: pick(1, 2, 3),
  };
}

/** All packets of the stream in sending order. */
export function keypadStream(presses: readonly KeyPress[], habits: KeypadHabits): StreamPacket[] {
  const drafts = presses.flatMap((press, index) => pressDrafts(press, index, habits));
  if (habits.audio !== 'none') drafts.push(...audioDrafts(presses, habits));
  drafts.sort((a, b) => a.atMs - b.atMs);
  return drafts.map((draft, index) => ({
    ...draft,
    sequenceNumber: (habits.firstSequenceNumber + index) % 65_536,
  }));
}

function pressDrafts(press: KeyPress, index: number, habits: KeypadHabits): Draft[] {
  const { clockRate, intervalMs, repeats, endBits } = habits;
  const eventCode = KEYS.indexOf(press.key);
  const totalTicks = Math.round((press.durationMs * clockRate) / 1000);
  const startTicks = Math.round((press.atMs * clockRate) / 1000);
  const drafts: Draft[] = [];
  let segmentTicks = 0;
  const add = (atMs: number, durationTicks: number, isEnd: boolean): void => {
    drafts.push({
      atMs,
      press: index,
      isEnd,
      marker: drafts.length === 0,
      timestamp: (habits.firstTimestamp + startTicks + segmentTicks) % 2 ** 32,
      payload: buildEvent({ eventCode, isEnd, volume: 10, durationTicks }),
    });
  };
  for (let step = 1; ; step += 1) {
    const atMs = press.atMs + (step - 1) * intervalMs;
    const ticks = Math.min(Math.round((step * intervalMs * clockRate) / 1000), totalTicks);
    if (ticks - segmentTicks > MAX_TICKS) {
      for (let copy = 0; copy < FINAL_PACKETS; copy += 1) add(atMs, MAX_TICKS, false);
      segmentTicks += MAX_TICKS;
    }
    if (ticks < totalTicks) {
      add(atMs, ticks - segmentTicks, false);
      continue;
    }
    for (let copy = 0; copy < FINAL_PACKETS; copy += 1) {
      const spacingMs = repeats === 'paced' ? intervalMs : 1;
      add(atMs + copy * spacingMs, ticks - segmentTicks, copy >= FINAL_PACKETS - endBits);
    }
    return drafts;
  }
}

/** 20 ms frames on their own grid, before, between and behind the keys. */
function audioDrafts(presses: readonly KeyPress[], habits: KeypadHabits): Draft[] {
  const last = presses.at(-1);
  const endMs = last === undefined ? 0 : last.atMs + last.durationMs + 300;
  const drafts: Draft[] = [];
  for (let atMs = 7; atMs < endMs; atMs += 20) {
    const isSounding = presses.some(
      (press) => atMs >= press.atMs && atMs < press.atMs + press.durationMs,
    );
    if (isSounding && habits.audio === 'between') continue;
    const ticks = Math.round((atMs * habits.clockRate) / 1000);
    const timestamp = (habits.firstTimestamp + ticks) % 2 ** 32;
    drafts.push({
      atMs,
      press: undefined,
      isEnd: false,
      marker: false,
      timestamp,
      payload: Buffer.alloc(0),
    });
  }
  return drafts;
}
