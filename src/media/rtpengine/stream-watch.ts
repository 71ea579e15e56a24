/** Whether media flows, by what rtpengine has counted from one look to the next. Pure but for its listener. */

import type { MediaListener, StreamUpdate } from '../media-engine.ts';
import { OneWaySpell } from '../one-way-spell.ts';
import { OneWayWatch } from '../one-way-watch.ts';
import { type Side, SIDES } from '../../wire/side.ts';
import type { EngineView, OwnCounts } from './engine-view.ts';

/** A peer that has sent nothing for so long is silent; what came is known to the second. */
const SILENT_MS = 2500;

export interface WatchLimits {
  readonly inactivityTimeoutMs: number;
  readonly holdTimeoutMs: number;
}

interface Seen {
  packets: number;
  /** When a look found more than the one before. */
  heardAtMs: number;
  lastPacketAtMs: number | undefined;
}

export class StreamWatch {
  readonly #limits: WatchLimits;
  readonly #listener: MediaListener;
  readonly #seen: Partial<Record<Side, Seen>> = {};
  readonly #oneWay = new OneWayWatch();
  readonly #spell = new OneWaySpell();
  readonly #sources: Partial<Record<Side, string>> = {};
  readonly #oneWayMs: Record<Side, number> = { caller: 0, callee: 0 };
  /** How far rtpengine's clock is ahead of ours, as far as packets have shown. */
  #leadMs = -Infinity;
  #isSilent = false;

  constructor(limits: WatchLimits, listener: MediaListener) {
    this.#limits = limits;
    this.#listener = listener;
  }

  /** Any look, whatever it was for. */
  seen(view: EngineView, nowMs: number): void {
    for (const side of SIDES) {
      const { packets, lastPacketAtMs } = view[side];
      const before = this.#seen[side];
      const heardAtMs = before?.packets === packets ? before.heardAtMs : nowMs;
      this.#seen[side] = { packets, heardAtMs, lastPacketAtMs };
      if (lastPacketAtMs !== undefined) {
        this.#leadMs = Math.max(this.#leadMs, lastPacketAtMs - nowMs);
      }
    }
  }

  /** Whether packets of `side` came in the last seconds, by the last look. */
  isTalking(side: Side, nowMs: number): boolean {
    const lastPacketAtMs = this.#seen[side]?.lastPacketAtMs;
    if (lastPacketAtMs === undefined) return false;
    return nowMs + this.#leadMs - lastPacketAtMs < SILENT_MS;
  }

  /** One of the regular looks: reports what is news. */
  looked(view: EngineView, update: StreamUpdate | undefined, nowMs: number): void {
    if (update === undefined) return;
    for (const side of SIDES) this.#tellSource(side, view[side].source, update);
    const { caller, callee } = update.legs;
    const isHeld = !caller.maySend || !callee.maySend;
    const isOpen = caller.remote !== undefined && callee.remote !== undefined;
    this.#tellOneWay(view, isOpen && !isHeld, nowMs);
    this.#tellSilence(isHeld, nowMs);
  }

  counts(side: Side, nowMs: number): Pick<OwnCounts, 'quietMs' | 'oneWayMs'> {
    const heardAtMs = this.#seen[side]?.heardAtMs ?? nowMs;
    return { quietMs: nowMs - heardAtMs, oneWayMs: this.#oneWayMs[side] };
  }

  #tellSource(side: Side, source: string | undefined, update: StreamUpdate): void {
    if (source === undefined || source === this.#sources[side]) return;
    this.#sources[side] = source;
    const { remote } = update.legs[side];
    const isSdp = remote !== undefined && source.endsWith(`:${remote.rtpPort}`);
    this.#listener.observed?.({ type: isSdp ? 'heard' : 'learnt', side, source });
  }

  #tellOneWay(view: EngineView, isTalking: boolean, nowMs: number): void {
    const received = { caller: view.caller.packets, callee: view.callee.packets };
    const found = this.#oneWay.look(received, isTalking, nowMs);
    if (found !== undefined) this.#oneWayMs[found.from] += found.durationMs;
    const news = this.#spell.look(found);
    if (news === 'over') this.#listener.observed?.({ type: 'both-ways' });
    else if (news !== undefined) this.#listener.observed?.({ type: 'one-way', from: news });
  }

  #tellSilence(isHeld: boolean, nowMs: number): void {
    const quietMs = Math.min(...SIDES.map((side) => this.counts(side, nowMs).quietMs));
    const { inactivityTimeoutMs, holdTimeoutMs } = this.#limits;
    const isSilent = quietMs >= (isHeld ? holdTimeoutMs : inactivityTimeoutMs);
    const isNews = isSilent && !this.#isSilent;
    this.#isSilent = isSilent;
    if (isNews) this.#listener.inactive({ quietMs });
  }
}
