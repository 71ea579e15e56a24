/**
 * Which legs of a stream exchange RTP with their peer alone, so that the kernel filters strangers and a packet
 * needs no address.
 *
 *   open --a packet of the peer, from where SDP says--> settled --another remote, or quiet for 2 s--> open
 *
 * A peer whose address was learnt is never settled: it yields to the SDP address. A peer that has gone quiet
 * is not either, so that whoever sends in its place is counted and named.
 */

import { type Side, SIDES } from '../wire/side.ts';
import type { PacketSource } from './source-lock.ts';

/** How long a settled peer may be quiet before strangers are looked at again. */
export const SETTLED_QUIET_MS = 2000;

/** The relay as far as it is asked here. */
export interface SettlingRelay {
  /** The peer that packets are taken from, whoever else sends. */
  settledPeer(side: Side): PacketSource | undefined;
  /** How long ago its last packet came. */
  quietMs(side: Side, nowMs: number): number;
}

export interface SettlingSockets {
  settle(side: Side, peer: PacketSource | undefined): void;
}

export class SettledLegs {
  readonly #relay: SettlingRelay;
  readonly #sockets: SettlingSockets;
  readonly #peers: Record<Side, PacketSource | undefined> = {
    caller: undefined,
    callee: undefined,
  };

  constructor(relay: SettlingRelay, sockets: SettlingSockets) {
    this.#relay = relay;
    this.#sockets = sockets;
  }

  /** Who RTP of this leg is exchanged with alone. */
  peer(side: Side): PacketSource | undefined {
    return this.#peers[side];
  }

  /** A packet of the peer came; whether the leg is settled now. */
  heard(side: Side): boolean {
    const peer = this.#relay.settledPeer(side);
    if (peer === undefined) return false;
    if (peer !== this.#peers[side]) this.#settle(side, peer);
    return true;
  }

  /** The stream was updated. */
  follow(): void {
    for (const side of SIDES) {
      const peer = this.#peers[side];
      if (peer !== undefined && peer !== this.#relay.settledPeer(side)) {
        this.#settle(side, undefined);
      }
    }
  }

  /** To be called each second; whether the leg of `side` was settled until now. */
  open(side: Side, nowMs: number): boolean {
    if (this.#peers[side] === undefined) return false;
    if (this.#relay.quietMs(side, nowMs) < SETTLED_QUIET_MS) return false;
    this.#settle(side, undefined);
    return true;
  }

  #settle(side: Side, peer: PacketSource | undefined): void {
    this.#peers[side] = peer;
    this.#sockets.settle(side, peer);
  }
}
