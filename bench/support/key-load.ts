/** Calls in which both ends press random keys at random times, and the delays of all these keys. */

import { KEYS } from '../../test/support/rtp-packet.ts';
import type { SipTarget } from '../../test/support/sip-peer.ts';
import { sleep } from '../../test/support/wait-for.ts';
import type { EventTrunk } from './event-trunk.ts';
import { KeyBook } from './key-book.ts';
import { KpmlLine } from './kpml-line.ts';
import type { LightSip } from '../../test/support/light-sip.ts';
import type { RtpLine } from './rtp-line.ts';

/** A key and its pause are over then, also at the SBC's usual lengths: none waits for the one before. */
export const LEAST_GAP_MS = 300;
/** Calls that are set up at a time. */
const PARALLEL = 10;
/** Longer than SIP tries to send a message. */
const ARRIVAL_LIMIT_MS = 40_000;
const POLL_MS = 20;
const SETTLE_MS = 500;

export interface KeyLoadOptions {
  readonly calls: number;
  /** Calls with PCMU in both directions besides. */
  readonly audioCalls: number;
  /** Between two keys of one end, on average. */
  readonly meanGapMs: number;
}

export interface KeyLoadPeriod {
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** Called at the begin and at the end of the measured time. */
  readonly onMeasuring?: () => void;
  readonly onMeasured?: () => void;
}

export interface KeyLoadEnds {
  readonly phones: LightSip;
  readonly trunk: EventTrunk;
  /** Where the phones send their requests. */
  readonly access: SipTarget;
}

interface Pair {
  readonly index: number;
  readonly phone: KpmlLine;
  readonly trunk: RtpLine;
}

export class KeyLoad {
  /** From the phones to the trunk. */
  readonly toRtp: KeyBook;
  /** From the trunk to the phones. */
  readonly toNotify: KeyBook;
  readonly #options: KeyLoadOptions;
  readonly #pairs: Pair[] = [];
  #isPressing = false;

  private constructor(options: KeyLoadOptions) {
    this.#options = options;
    this.toRtp = new KeyBook(options.calls);
    this.toNotify = new KeyBook(options.calls);
  }

  /** Resolves when all calls stand; nobody presses a key yet. */
  static async open(ends: KeyLoadEnds, options: KeyLoadOptions): Promise<KeyLoad> {
    const load = new KeyLoad(options);
    let next = 0;
    const setUp = async (): Promise<void> => {
      while (next < options.calls) {
        const index = next;
        next += 1;
        load.#adopt(await connect(ends, index));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, setUp));
    return load;
  }

  /** NOTIFYs of the phones that were not answered 200. */
  get refused(): number {
    return this.#pairs.reduce((sum, { phone }) => sum + phone.refused, 0);
  }

  /** Presses keys for `warmUpMs` and then `measuredMs`, whose delays count; ends when all keys have come. */
  async run(period: KeyLoadPeriod): Promise<{ startedAtMs: number; elapsedMs: number }> {
    this.#isPressing = true;
    for (const { index, phone, trunk } of this.#pairs) {
      this.#pressLater(() => this.toRtp.press(index, ...timed(phone)));
      this.#pressLater(() => this.toNotify.press(index, ...timed(trunk)));
    }
    await sleep(period.warmUpMs);
    const startedAtMs = performance.now();
    for (const book of [this.toRtp, this.toNotify]) book.reset();
    period.onMeasuring?.();
    await sleep(period.measuredMs);
    this.#isPressing = false;
    period.onMeasured?.();
    const elapsedMs = performance.now() - startedAtMs;
    const deadlineMs = performance.now() + ARRIVAL_LIMIT_MS;
    while (this.toRtp.missing + this.toNotify.missing > 0 && performance.now() < deadlineMs) {
      await sleep(POLL_MS);
    }
    // Whatever would come twice has come by then.
    await sleep(SETTLE_MS);
    return { startedAtMs, elapsedMs };
  }

  async hangUp(): Promise<void> {
    for (const { phone } of this.#pairs) await phone.hangUp();
  }

  #adopt(pair: Pair): void {
    const { index } = pair;
    this.#pairs.push(pair);
    pair.phone.onKey = (key, atMs) => this.toNotify.receive(index, key, atMs);
    pair.trunk.onKey = (key, atMs) => this.toRtp.receive(index, key, atMs);
    if (index >= this.#options.audioCalls) return;
    pair.phone.rtp.startAudio();
    pair.trunk.startAudio();
  }

  /** Presses after a random pause, again and again. */
  #pressLater(press: () => void): void {
    const restMs = this.#options.meanGapMs - LEAST_GAP_MS;
    const gapMs = LEAST_GAP_MS - restMs * Math.log(1 - Math.random());
    setTimeout(() => {
      if (!this.#isPressing) return;
      press();
      this.#pressLater(press);
    }, gapMs);
  }
}

async function connect(ends: KeyLoadEnds, index: number): Promise<Pair> {
  const number = `555${String(index).padStart(5, '0')}`;
  const { caller, callee } = await ends.trunk.during(number, () =>
    KpmlLine.call(ends.phones, ends.access, number),
  );
  return { index, phone: caller, trunk: callee };
}

function timed(end: { press(key: string): number }): [key: string, atMs: number] {
  const key = KEYS[Math.floor(Math.random() * KEYS.length)] ?? '0';
  return [key, end.press(key)];
}
