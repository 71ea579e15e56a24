/**
 * Which source address one leg's packets are accepted from, and where packets to it are sent.
 *
 *   sdp          only the address and port of the SDP, from the first packet on
 *   learn-once   for peers behind NAT, whose SDP names an address that nobody can reach:
 *
 *     unarmed --update--> learning --packet from the SDP address--> locked (to the SDP address)
 *                            |  ^-- one candidate at a time, its packets pass
 *                            +--fifth packet of the candidate--> locked (to the candidate)
 *
 * A locked source stays until an update names another remote address. Until the lock, media is sent to
 * the SDP address; so a stranger who is quicker than the peer gets four packets in and nothing out.
 */

import type { LegMedia, RemoteMedia } from './media-engine.ts';

/** Packets of one source before it is believed without SDP's word. */
export const LEARN_PACKETS = 5;

export interface PacketSource {
  readonly address: string;
  readonly port: number;
}

type LockState =
  | { readonly type: 'unarmed' }
  | { readonly type: 'learning'; candidate: PacketSource | undefined; packets: number }
  | { readonly type: 'locked'; readonly source: PacketSource; readonly isLearnt: boolean };

export class SourceLock {
  #remote: RemoteMedia | undefined;
  #mediaSource: LegMedia['mediaSource'] = 'sdp';
  #state: LockState = { type: 'unarmed' };
  #rtcpPort: number | undefined;

  /** Takes the peer's address of a new SDP; the same address again keeps what was learnt. */
  update(media: Pick<LegMedia, 'remote' | 'mediaSource'>): void {
    const { remote, mediaSource } = media;
    const isSame = isSameRemote(remote, this.#remote) && mediaSource === this.#mediaSource;
    this.#remote = remote;
    this.#mediaSource = mediaSource;
    if (isSame) return;
    this.#rtcpPort = undefined;
    if (remote === undefined) this.#state = { type: 'unarmed' };
    else if (mediaSource === 'learn-once') {
      this.#state = { type: 'learning', candidate: undefined, packets: 0 };
    } else {
      const source = { address: remote.address, port: remote.rtpPort };
      this.#state = { type: 'locked', source, isLearnt: false };
    }
  }

  /** Whether there is a peer at all. */
  get hasRemote(): boolean {
    return this.#remote !== undefined;
  }

  /** The source packets are accepted from, once it is fixed. */
  get locked(): { readonly source: PacketSource; readonly isLearnt: boolean } | undefined {
    return this.#state.type === 'locked' ? this.#state : undefined;
  }

  /** Whether an RTP packet from `source` belongs to the peer; learns while learning. */
  acceptRtp(source: PacketSource): boolean {
    const state = this.#state;
    if (state.type === 'locked') return isSameSource(source, state.source);
    // Port 0 is forged: nothing could ever be sent there.
    return state.type === 'learning' && source.port !== 0 && this.#learn(state, source);
  }

  /** Whether an RTCP packet from `source` belongs to the peer. */
  acceptRtcp(source: PacketSource): boolean {
    const remote = this.#remote;
    if (remote === undefined || this.#state.type !== 'locked') return false;
    if (!this.#state.isLearnt) {
      return source.port === remote.rtcpPort && source.address === remote.address;
    }
    if (source.address !== this.#state.source.address || source.port === 0) return false;
    this.#rtcpPort ??= source.port;
    return source.port === this.#rtcpPort;
  }

  /** Where RTP to this peer goes; `undefined` when there is none. */
  get rtpDestination(): PacketSource | undefined {
    if (this.#state.type === 'locked') return this.#state.source;
    const remote = this.#remote;
    return remote === undefined ? undefined : { address: remote.address, port: remote.rtpPort };
  }

  /** Where RTCP to this peer goes: behind NAT next to the learnt RTP port until its RTCP was seen. */
  get rtcpDestination(): PacketSource | undefined {
    const remote = this.#remote;
    if (remote === undefined) return undefined;
    if (this.#state.type === 'locked' && this.#state.isLearnt) {
      const { address, port } = this.#state.source;
      return { address, port: this.#rtcpPort ?? Math.min(port + 1, 65_535) };
    }
    return { address: remote.address, port: remote.rtcpPort };
  }

  #learn(state: LockState & { type: 'learning' }, source: PacketSource): boolean {
    const remote = this.#remote;
    if (
      remote !== undefined &&
      source.address === remote.address &&
      source.port === remote.rtpPort
    ) {
      this.#lock(source, false);
      return true;
    }
    if (state.candidate === undefined || isPreferred(source, state.candidate, remote)) {
      state.candidate = { address: source.address, port: source.port };
      state.packets = 0;
    }
    if (!isSameSource(source, state.candidate)) return false;
    state.packets += 1;
    if (state.packets >= LEARN_PACKETS) this.#lock(state.candidate, true);
    return true;
  }

  #lock({ address, port }: PacketSource, isLearnt: boolean): void {
    this.#state = { type: 'locked', source: { address, port }, isLearnt };
  }
}

/** A source on the SDP address but another port is likelier the peer than one from elsewhere. */
function isPreferred(
  source: PacketSource,
  candidate: PacketSource,
  remote: RemoteMedia | undefined,
): boolean {
  return source.address === remote?.address && candidate.address !== remote.address;
}

function isSameSource(a: PacketSource, b: PacketSource): boolean {
  return a.port === b.port && a.address === b.address;
}

function isSameRemote(a: RemoteMedia | undefined, b: RemoteMedia | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.address === b.address && a.rtpPort === b.rtpPort && a.rtcpPort === b.rtcpPort;
}
