/**
 * One string of keys on its way through everything between two wires, each way, in virtual time:
 *
 *   keypad RTP -> lossy link -> DigitDetector -> plan -> KpmlNotifier -> document -> KpmlSubscriber
 *   document -> KpmlSubscriber -> plan -> DigitSender -> RTP -> lossy link -> DigitDetector
 *
 * The same seed gives the same journey.
 */
import { DigitDetector } from '../../../src/dtmf/digit-detector.ts';
import { DigitSender, type DigitPacket } from '../../../src/dtmf/digit-sender.ts';
import { decidePlan, type Translator } from '../../../src/dtmf/interworking-plan.ts';
import {
  readRtpPayload,
  rtpMarker,
  rtpSequenceNumber,
  rtpTimestamp,
} from '../../../src/wire/rtp.ts';
import { TELEPHONE_EVENT_BYTES, writeTelephoneEvent } from '../../../src/wire/telephone-event.ts';
import { buildRtp, KEYS } from '../../support/rtp-packet.ts';
import { createRandom } from './detector-play.ts';
import { drawHabits, keypadStream, type KeyPress } from './keypad-stream.ts';
import { KpmlLine } from './kpml-line.ts';
import { KpmlTypist } from './kpml-typist.ts';
import { carry, drawFaults, type Arrivals, type StreamPacket } from './lossy-link.ts';

export interface Journey {
  /** All keys pressed. */
  readonly pressed: string;
  /** The presses that were heard, by their place in `pressed`. */
  readonly heard: readonly number[];
  /** What came out at the far end: the keys of `heard`. */
  readonly keys: string;
  /** Presses nobody can ask for: no packet arrived, or the first one behind a later press. */
  readonly vanished: ReadonlySet<number>;
  readonly overtaken: ReadonlySet<number>;
  readonly sentPackets: number;
  readonly arrivedPackets: number;
}

/** What went wrong on a journey, in presses. */
export interface Damage {
  /** A packet arrived in its turn, and the press was not heard. */
  readonly lost: number;
  readonly doubled: number;
  /** Heard behind a later press. */
  readonly reordered: number;
  /** Heard as another key, or lost, doubled or reordered behind the detector. */
  readonly garbled: number;
}

interface Heard {
  readonly press: number;
  readonly digit: string;
  readonly atMs: number;
}

export const JOURNEYS: readonly (readonly [name: string, travel: (seed: number) => Journey])[] = [
  ['telephone-event -> KPML', travelToKpml],
  ['KPML -> telephone-event', travelToEvents],
];

const LONGEST_STRING = 12;
const SSRC = 0x1234_5678;
const PAYLOAD_TYPE = 101;

/** Long enough for every queue to run empty. */
const SETTLE_MS = 60_000;

export function damageOf(journey: Journey): Damage {
  const { pressed, heard, keys, vanished, overtaken } = journey;
  const known = new Set<number>();
  let newest = -1;
  let reordered = 0;
  for (const press of heard) {
    if (!known.has(press) && press < newest) reordered += 1;
    known.add(press);
    newest = Math.max(newest, press);
  }
  const isWanted = (press: number): boolean => !vanished.has(press) && !overtaken.has(press);
  const lost = Array.from(pressed).filter((_, press) => isWanted(press) && !known.has(press));
  const heardKeys = heard.map((press) => pressed.charAt(press)).join('');
  const garbled = heardKeys === keys ? 0 : Math.abs(heardKeys.length - keys.length) || 1;
  return { lost: lost.length, doubled: heard.length - known.size, reordered, garbled };
}

function travelToKpml(seed: number): Journey {
  const random = randomOf(seed);
  const presses = drawPresses(random);
  const habits = drawHabits(random);
  const sent = keypadStream(presses, habits);
  const arrivals = carry(sent, presses.length, drawFaults(random, habits.intervalMs), random);
  checkPlan('2833-to-kpml');

  const line = new KpmlLine(7200, () => random() * 150);
  line.start();
  line.wait(1000);
  const originMs = line.nowMs;
  const detected = detect(arrivals, habits.clockRate);
  for (const [index, { digit, atMs }] of detected.entries()) {
    line.wait(originMs + atMs - line.nowMs);
    line.press(String(index), digit);
  }
  line.wait(SETTLE_MS);
  return journeyOf(presses, detected, { keys: line.heard.join(''), sent, arrivals });
}

function travelToEvents(seed: number): Journey {
  const random = randomOf(seed);
  const presses = drawPresses(random);
  checkPlan('kpml-to-2833');

  const { clockRate, intervalMs } = drawHabits(random);
  const durationMs = drawMs(random, 40, 2000);
  const options = { clockRate, packetIntervalMs: intervalMs, gapMs: drawMs(random, 40, 1000) };
  const line = new SendingLine(options, random);
  let count = 0;
  for (const { atMs, digits } of new KpmlTypist(random).type(presses)) {
    line.run(atMs);
    for (const digit of digits) {
      line.sender.enqueue({ digitId: String(count), eventCode: KEYS.indexOf(digit), durationMs });
      count += 1;
    }
  }
  line.run(Infinity);
  const { sent } = line;
  const arrivals = carry(sent, presses.length, drawFaults(random, intervalMs), random);
  const detected = detect(arrivals, clockRate);
  const keys = detected.map(({ digit }) => digit).join('');
  return journeyOf(presses, detected, { keys, sent, arrivals });
}

/** Runs a sender as its owner does, mostly in time, and keeps what it sends. */
class SendingLine {
  readonly sender: DigitSender;
  readonly sent: StreamPacket[] = [];
  readonly #clockRate: number;
  readonly #random: () => number;
  readonly #firstTimestamp: number;
  #sequenceNumber: number;
  #nowMs = 0;

  constructor(options: ConstructorParameters<typeof DigitSender>[0], random: () => number) {
    this.sender = new DigitSender(options);
    this.#clockRate = options.clockRate;
    this.#random = random;
    this.#firstTimestamp = Math.floor(random() * 2 ** 32);
    this.#sequenceNumber = Math.floor(random() * 65_536);
  }

  run(untilMs: number): void {
    for (;;) {
      const { nextAtMs } = this.sender;
      if (nextAtMs === undefined || Math.max(nextAtMs, this.#nowMs) > untilMs) break;
      this.#nowMs = Math.max(nextAtMs, this.#nowMs) + this.#latenessMs();
      const elapsedTicks = Math.round((this.#nowMs * this.#clockRate) / 1000);
      const timestamp = (this.#firstTimestamp + elapsedTicks) % 2 ** 32;
      const packet = this.sender.poll(this.#nowMs, timestamp);
      if (packet !== undefined) this.#send(packet);
    }
    if (untilMs < Infinity) this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** A busy loop wakes up late now and then, and very late sometimes. */
  #latenessMs(): number {
    const luck = this.#random();
    if (luck < 0.002) return 200;
    return luck < 0.1 ? this.#random() * 30 : 0;
  }

  #send(packet: DigitPacket): void {
    const { eventCode: code, isEnd, durationTicks, marker, rtpTimestamp: timestamp } = packet;
    const payload = Buffer.alloc(TELEPHONE_EVENT_BYTES);
    writeTelephoneEvent({ code, isEnd, volume: 10, durationTicks }, payload);
    this.#sequenceNumber = (this.#sequenceNumber + 1) % 65_536;
    const sequenceNumber = this.#sequenceNumber;
    const press = Number(packet.digitId);
    const atMs = this.#nowMs;
    this.sent.push({ atMs, press, isEnd, marker, sequenceNumber, timestamp, payload });
  }
}

/** What a detector makes of the packets that arrived. */
function detect({ packets }: Arrivals, clockRate: number): Heard[] {
  const detector = new DigitDetector({ clockRate, repairMovedEnd: true, mergeWindowMs: 0 });
  const heard: Heard[] = [];
  for (const packet of packets) {
    const { atMs, press } = packet;
    detector.expire(atMs);
    if (press === undefined) {
      detector.audio(SSRC, packet.timestamp, atMs);
      continue;
    }
    for (const { type, digit } of detector.receive(throughBytes(packet), atMs)) {
      if (type === 'pressed') heard.push({ press, digit, atMs });
    }
  }
  return heard;
}

/** The packet as the relay reads it: from bytes of a whole RTP packet. */
function throughBytes(packet: StreamPacket): Parameters<DigitDetector['receive']>[0] {
  const bytes = buildRtp({ ...packet, payloadType: PAYLOAD_TYPE, ssrc: SSRC });
  return {
    ssrc: SSRC,
    sequenceNumber: rtpSequenceNumber(bytes),
    rtpTimestamp: rtpTimestamp(bytes),
    marker: rtpMarker(bytes),
    payload: readRtpPayload(bytes) ?? Buffer.alloc(0),
  };
}

function setting<T>(value: T): { value: T; origin: string } {
  return { value, origin: 'test' };
}

/** A telephone-event caller and a KPML callee, or the other way round, get the translator they need. */
function checkPlan(translator: Translator): void {
  const leg = {
    kpmlInterworking: setting(true),
    rfc2833Mode: setting('preferred' as const),
    rfc2833Payload: setting(PAYLOAD_TYPE),
    kpmlOnHairpin: setting(false),
    sipInfo: setting('disabled' as const),
  };
  const events = { telephoneEvent: true, ownTelephoneEvent: true, allowEventsKpml: false };
  const kpml = { telephoneEvent: false, ownTelephoneEvent: false, allowEventsKpml: true };
  const isToKpml = translator === '2833-to-kpml';
  const plan = decidePlan(
    { caller: leg, callee: leg },
    {
      caller: { ...(isToKpml ? events : kpml), kpmlAdvertised: 'no' },
      callee: { ...(isToKpml ? kpml : events), kpmlAdvertised: 'by-us' },
      isDelayedOffer: false,
      hasAudio: true,
    },
  );
  if (plan.callerToCallee.translator !== translator) {
    throw new Error(`expected ${translator}, got ${plan.callerToCallee.reason}`);
  }
}

function journeyOf(
  presses: readonly KeyPress[],
  detected: readonly Heard[],
  rest: { keys: string; sent: readonly StreamPacket[]; arrivals: Arrivals },
): Journey {
  const { vanished, overtaken, packets } = rest.arrivals;
  return {
    pressed: presses.map(({ key }) => key).join(''),
    heard: detected.map(({ press }) => press),
    keys: rest.keys,
    vanished,
    overtaken,
    sentPackets: rest.sent.length,
    arrivedPackets: packets.length,
  };
}

function drawPresses(random: () => number): KeyPress[] {
  const count = 1 + Math.floor(random() * LONGEST_STRING);
  // Half of the strings are typed by a hurried hand on few keys.
  const isHurried = random() < 0.5;
  const keys = isHurried ? KEYS.slice(0, 2) : KEYS;
  let atMs = 100;
  return Array.from({ length: count }, () => {
    const key = keys.charAt(Math.floor(random() * keys.length));
    const durationMs = drawMs(random, 40, isHurried ? 200 : 2000);
    const press = { key, atMs, durationMs };
    atMs += durationMs + drawMs(random, 20, isHurried ? 100 : 1000);
    return press;
  });
}

function drawMs(random: () => number, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** Neighbouring seeds must not begin alike. */
function randomOf(seed: number): () => number {
  const random = createRandom(Math.imul(seed, 0x9e37_79b1) ^ 0x5bd1_e995 || 1);
  for (let count = 0; count < 8; count += 1) random();
  return random;
}
