/**
 * The lanes of one stream, by the side that sends: opened where both peers are known and the direction goes on as it
 * did, counted and closed before the relay sees the direction again. Where both legs are settled the sockets may take
 * their packets without asking here.
 */

import { otherSide, type Side, SIDES } from '../wire/side.ts';
import type { FastLanes } from './fast-lanes.ts';
import type { LaneCount, LaneStart } from './lane-state.ts';
import type { PacketSource } from './source-lock.ts';

/** The relay as far as it is asked here. */
export interface LaneRelay {
  lockedSource(side: Side): PacketSource | undefined;
  laneStart(side: Side): LaneStart | undefined;
  countLane(side: Side, count: LaneCount): void;
}

/** Sockets that take packets of a lane by themselves, as far as they do that. */
export interface LaneSockets {
  /** From now on, if they can. */
  openLane?(side: Side, lane: number): void;
  closeLane?(side: Side): void;
}

export interface StreamLanesOptions {
  readonly lanes: FastLanes;
  readonly relay: LaneRelay;
  readonly sockets: LaneSockets;
}

/** A direction that is open. */
interface Lane {
  readonly number: number;
  /** Who sends, and who gets it. */
  readonly source: PacketSource;
  readonly destination: PacketSource;
}

export class StreamLanes {
  readonly #options: StreamLanesOptions;
  #caller: Lane | undefined;
  #callee: Lane | undefined;

  constructor(options: StreamLanesOptions) {
    this.#options = options;
  }

  /** To be called now and then: opens what may go the short way. */
  look(): void {
    for (const side of SIDES) if (this.#lane(side) === undefined) this.#open(side);
  }

  /** Where a packet from `source` goes if it is the next one of its lane; it is counted then. */
  take(side: Side, packet: Buffer, source: PacketSource, nowMs: number): PacketSource | undefined {
    const lane = this.#lane(side);
    if (lane === undefined) return undefined;
    const isOfPeer = source.port === lane.source.port && source.address === lane.source.address;
    if (!isOfPeer || !this.#options.lanes.take(lane.number, packet, nowMs)) return undefined;
    return lane.destination;
  }

  /** Tells the relay what has passed. */
  collect(side: Side): void {
    const lane = this.#lane(side);
    if (lane === undefined) return;
    const { lanes, relay } = this.#options;
    const count = lanes.collect(lane.number);
    if (count !== undefined) relay.countLane(side, count);
  }

  collectBoth(): void {
    for (const side of SIDES) this.collect(side);
  }

  /** Packets of the side take the long way again. */
  close(side: Side): void {
    const lane = this.#lane(side);
    if (lane === undefined) return;
    const { lanes, sockets } = this.#options;
    sockets.closeLane?.(side);
    this.collect(side);
    lanes.release(lane.number);
    this.#setLane(side, undefined);
  }

  closeBoth(): void {
    for (const side of SIDES) this.close(side);
  }

  #open(side: Side): void {
    const { lanes, relay, sockets } = this.#options;
    const source = relay.lockedSource(side);
    const destination = relay.lockedSource(otherSide(side));
    if (source === undefined || destination === undefined) return;
    const start = relay.laneStart(side);
    const number = start && lanes.reserve();
    if (start === undefined || number === undefined) return;
    lanes.open(number, start);
    this.#setLane(side, { number, source, destination });
    sockets.openLane?.(side, number);
  }

  #lane(side: Side): Lane | undefined {
    return side === 'caller' ? this.#caller : this.#callee;
  }

  #setLane(side: Side, lane: Lane | undefined): void {
    if (side === 'caller') this.#caller = lane;
    else this.#callee = lane;
  }
}
