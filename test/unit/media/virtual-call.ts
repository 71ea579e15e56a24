/** A relay in virtual time: audio every 20 ms from the caller, everything that reaches the callee recorded. */

import { Relay, type RelayOptions } from '../../../src/media/relay.ts';
import type { LegMedia, StreamUpdate } from '../../../src/media/media-engine.ts';
import type { RelayOutput } from '../../../src/media/relay-output.ts';
import { isRtp, rtpPayloadType } from '../../../src/wire/rtp.ts';
import { addSequence16, addSequence32 } from '../../../src/wire/sequence.ts';
import { audioPacket, sampleLeg, sampleUpdate } from './media-samples.ts';

export const CALLER = { address: '127.0.0.1', port: 4000 };
export const CALLEE = { address: '127.0.0.1', port: 5000 };
const FRAME_MS = 20;

export interface Arrived {
  readonly atMs: number;
  readonly bytes: Buffer;
}

export interface VirtualCallOptions {
  readonly relay?: Partial<RelayOptions>;
  readonly caller?: Partial<LegMedia>;
  readonly callee?: Partial<LegMedia>;
  readonly events?: Partial<StreamUpdate['events']>;
  /** When the first frame of audio is due. */
  readonly audioPhaseMs?: number;
  readonly firstSequenceNumber?: number;
  readonly firstTimestamp?: number;
}

export class VirtualCall {
  readonly relay: Relay;
  /** RTP that left towards the callee. */
  readonly arrived: Arrived[] = [];
  /** Audio as the caller sent it. */
  readonly sent: Buffer[] = [];
  readonly outputs: Exclude<RelayOutput, { type: 'packet' }>[] = [];
  readonly finished: string[] = [];
  nowMs = 0;
  isTalking = true;
  readonly #options: VirtualCallOptions;
  #frame = 0;
  #sequenceNumber: number;

  constructor(options: VirtualCallOptions = {}) {
    this.#options = options;
    this.#sequenceNumber = options.firstSequenceNumber ?? 65_530;
    let seed = 1;
    this.relay = new Relay(
      {
        random: () => {
          seed = (seed * 16_807) % 2_147_483_647;
          return seed / 2_147_483_647;
        },
        renameSource: (name) => Buffer.alloc(name.length, 'x'),
        inactivityTimeoutMs: 60_000,
        holdTimeoutMs: 3_600_000,
        ...options.relay,
      },
      0,
    );
    this.update();
  }

  /** The legs as agreed at the start, with `changes`. */
  update(changes: { caller?: Partial<LegMedia>; callee?: Partial<LegMedia> } = {}): void {
    const { caller, callee, events } = this.#options;
    const update = sampleUpdate(
      sampleLeg(CALLER.port, { ...caller, ...changes.caller }),
      sampleLeg(CALLEE.port, { ...callee, ...changes.callee }),
      events,
    );
    this.relay.update(update, this.nowMs);
    this.#carryOut();
  }

  /** Queues digits towards the callee. */
  play(...digits: readonly [digitId: string, eventCode: number, durationMs: number][]): void {
    for (const [digitId, eventCode, durationMs] of digits) {
      this.relay.playDigit('callee', { digitId, eventCode, durationMs });
      this.relay.poll(this.nowMs);
      this.#carryOut();
    }
  }

  /** Lets `ms` pass: audio in, timers, packets out. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const frameMs = this.#frame * FRAME_MS + (this.#options.audioPhaseMs ?? 7);
      const timerMs = Math.max(this.relay.nextAtMs ?? Infinity, this.nowMs);
      const nextMs = Math.min(frameMs, timerMs);
      if (nextMs > endMs) break;
      this.nowMs = nextMs;
      if (timerMs <= frameMs) {
        this.relay.poll(this.nowMs);
        this.#carryOut();
      } else this.#sendFrame();
    }
    this.nowMs = endMs;
  }

  /** Sends an RTP packet from the caller now; the sequence number follows the audio. */
  send(build: (sequenceNumber: number, timestamp: number) => Buffer): string {
    const packet = build(this.#sequenceNumber, this.#timestamp());
    this.#sequenceNumber = addSequence16(this.#sequenceNumber, 1);
    return this.deliver(packet);
  }

  /** Delivers bytes from the caller as they are. */
  deliver(packet: Buffer): string {
    const verdict = this.relay.receiveRtp('caller', packet, CALLER, this.nowMs);
    this.#carryOut();
    if (verdict === 'forward') this.arrived.push({ atMs: this.nowMs, bytes: packet });
    return verdict;
  }

  /** Carries out what a call of the relay left to do. */
  settle(): void {
    this.#carryOut();
  }

  /** Packets of payload type `payloadType` that arrived. */
  ofType(payloadType: number): Arrived[] {
    return this.arrived.filter(
      ({ bytes }) => isRtp(bytes) && rtpPayloadType(bytes) === payloadType,
    );
  }

  #sendFrame(): void {
    const timestamp = this.#timestamp();
    this.#frame += 1;
    if (!this.isTalking) return;
    const packet = audioPacket({ sequenceNumber: this.#sequenceNumber, timestamp });
    this.#sequenceNumber = addSequence16(this.#sequenceNumber, 1);
    this.sent.push(Buffer.from(packet));
    this.deliver(packet);
  }

  #timestamp(): number {
    return addSequence32(this.#options.firstTimestamp ?? 0xffff_f000, this.#frame * FRAME_MS * 8);
  }

  #carryOut(): void {
    for (const output of this.relay.takeOutputs()) {
      if (output.type !== 'packet') this.outputs.push(output);
      else {
        this.arrived.push({ atMs: this.nowMs, bytes: output.bytes });
        if (output.finished !== undefined) this.finished.push(output.finished.digitId);
      }
    }
  }
}
