/**
 * Streams of ours whose legs have each other for a peer, as when a call leaves the SBC and comes back by another one.
 *
 *   peer -- call 1 -- call 2 -- peer        a chain: packets leave it at its ends
 *           call 1 -- call 2 -- call 1      a ring: one packet would go round for ever, as fast as the machine can
 *
 * A remote address that closes a ring is not used. Whichever leg is told its remote last closes it, so it is enough to look then.
 */

import { networkInterfaces } from 'node:os';
import { otherSide, SIDES, type Side } from '../wire/side.ts';
import type { LocalMedia, RemoteMedia } from './media-engine.ts';
import { canonicalAddress } from './remote-address.ts';

/** A chain of more calls than a request would cross is none that anybody meant. */
const MAX_CHAIN = 16;

/** A stream as far as it is asked here. */
export interface JoinedStream {
  /** Where RTP to the peer of `side` goes. */
  remoteOf(side: Side): RemoteMedia | undefined;
}

interface OwnPort {
  readonly stream: JoinedStream;
  readonly side: Side;
}

export class JoinedStreams {
  /** By address and even port. */
  readonly #ports = new Map<string, OwnPort>();
  readonly #isLocal: (address: string) => boolean;

  /** `isLocal`: whether an address is one of this host's. */
  constructor(isLocal: (address: string) => boolean = isHostAddress) {
    this.#isLocal = isLocal;
  }

  /** `ends`: its ports as bound and as written in SDP. */
  opened(stream: JoinedStream, ...ends: readonly Readonly<Record<Side, LocalMedia>>[]): void {
    for (const [key, side] of keysOf(ends)) this.#ports.set(key, { stream, side });
  }

  closed(stream: JoinedStream, ...ends: readonly Readonly<Record<Side, LocalMedia>>[]): void {
    for (const [key] of keysOf(ends)) {
      if (this.#ports.get(key)?.stream === stream) this.#ports.delete(key);
    }
  }

  /** Whether what `stream` sends to `remote` would come back to it. */
  isRing(stream: JoinedStream, remote: RemoteMedia | undefined): boolean {
    let next = remote;
    for (let calls = 0; calls < MAX_CHAIN; calls++) {
      const owner = next && this.#ownerOf(next);
      if (owner === undefined) return false;
      if (owner.stream === stream) return true;
      next = owner.stream.remoteOf(otherSide(owner.side));
    }
    return true;
  }

  #ownerOf({ address, rtpPort, rtcpPort }: RemoteMedia): OwnPort | undefined {
    return this.#ownerOfPort(address, rtpPort) ?? this.#ownerOfPort(address, rtcpPort);
  }

  #ownerOfPort(address: string, port: number): OwnPort | undefined {
    const owner = this.#ports.get(keyOf(address, port));
    if (owner !== undefined) return owner;
    const anywhere = this.#ports.get(keyOf(address.includes(':') ? '::' : '0.0.0.0', port));
    return anywhere !== undefined && this.#isLocal(address) ? anywhere : undefined;
  }
}

function keysOf(
  ends: readonly Readonly<Record<Side, LocalMedia>>[],
): (readonly [key: string, side: Side])[] {
  return ends.flatMap((end) =>
    SIDES.map(
      (side) => [keyOf(canonicalAddress(end[side].address), end[side].rtpPort), side] as const,
    ),
  );
}

function keyOf(address: string, port: number): string {
  return `${address} ${port - (port % 2)}`;
}

function isHostAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((device) =>
    device?.some((own) => canonicalAddress(own.address) === address),
  );
}
