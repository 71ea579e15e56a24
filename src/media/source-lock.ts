/**
 * Which source address one leg's packets are accepted from, and where packets to it are sent.
 *
 *   sdp          only the address and port of the SDP, from the first packet on
 *   learn-once   for peers behind NAT, whose SDP names an address that nobody can reach:
 *
 *     unarmed --update--> learning --packet from the SDP address--> locked (to the SDP address)
 *                            |  ^-- the likeliest sources contend, see source-contest.ts       ^
 *                            +--one of them is believed--> locked (to that)                    |
 *                                                              '--packet from the SDP address--+
 *
 * Until the lock a source that is quiet keeps nobody out; a peer that goes on sending from one place is heard within 1.5 s.
 * A locked source stays until an update names another remote address; one that was learnt yields to the SDP
 * address, since only the peer can have meant that. Until the lock, media is sent to the SDP address; so a
 * stranger who is quicker than a peer where SDP says gets nothing out before the lock, nor after the peer's
 * first packet.
 */

import type { LegMedia, RemoteMedia } from './media-engine.ts';
import { isSameSource, SourceContest } from './source-contest.ts';

export interface PacketSource {
  readonly address: string;
  readonly port: number;
}

type LockState =
  | { readonly type: 'unarmed' }
  | { readonly type: 'learning'; contest: SourceContest | undefined }
  | { readonly type: 'locked'; readonly source: PacketSource; readonly isLearnt: boolean };

/** A source that was learnt, and the SDP address it was learnt for. */
export interface LearntSource {
  readonly source: PacketSource;
  readonly remote: RemoteMedia;
}

export class SourceLock {
  readonly #onLearnt: (learnt: LearntSource) => void;
  #remote: RemoteMedia | undefined;
  #mediaSource: LegMedia['mediaSource'] = 'sdp';
  #signalledFrom: string | undefined;
  #state: LockState = { type: 'unarmed' };
  #rtcpPort: number | undefined;

  constructor(onLearnt: (learnt: LearntSource) => void = () => undefined) {
    this.#onLearnt = onLearnt;
  }

  /** Takes the peer's address of a new SDP; the same address again keeps what was learnt. */
  update(media: Pick<LegMedia, 'remote' | 'mediaSource' | 'signalledFrom'>): void {
    this.#signalledFrom = media.signalledFrom;
    const { remote, mediaSource } = media;
    const isSame = isSameRemote(remote, this.#remote) && mediaSource === this.#mediaSource;
    this.#remote = remote;
    this.#mediaSource = mediaSource;
    if (isSame) return;
    this.#rtcpPort = undefined;
    if (remote === undefined) this.#state = { type: 'unarmed' };
    else if (mediaSource === 'learn-once') {
      this.#state = { type: 'learning', contest: undefined };
    } else {
      const source = { address: remote.address, port: remote.rtpPort };
      this.#state = { type: 'locked', source, isLearnt: false };
    }
  }

  /** Takes up what was learnt before for the same SDP address, instead of learning again. */
  resume({ source, remote }: LearntSource): void {
    if (this.#state.type !== 'learning' || !isSameRemote(remote, this.#remote)) return;
    this.#lock(source, true);
  }

  /** Whether there is a peer at all. */
  get hasRemote(): boolean {
    return this.#remote !== undefined;
  }

  /** Whether the source is fixed. */
  get isLocked(): boolean {
    return this.#state.type === 'locked';
  }

  /** The source packets are accepted from, once it is fixed. */
  get locked(): { readonly source: PacketSource; readonly isLearnt: boolean } | undefined {
    return this.#state.type === 'locked' ? this.#state : undefined;
  }

  /** Whether an RTP packet from `source` belongs to the peer; learns while learning. */
  acceptRtp(source: PacketSource, nowMs: number): boolean {
    const state = this.#state;
    if (state.type === 'locked') {
      return isSameSource(source, state.source) || (state.isLearnt && this.#yield(source));
    }
    // Port 0 is forged: nothing could ever be sent there.
    return state.type === 'learning' && source.port !== 0 && this.#learn(state, source, nowMs);
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

  #learn(state: LockState & { type: 'learning' }, source: PacketSource, nowMs: number): boolean {
    if (this.#yield(source)) return true;
    const rank = this.#rank(source);
    let { contest } = state;
    if (contest === undefined || contest.endsWith(source, rank, nowMs)) {
      contest = new SourceContest(rank, nowMs);
      state.contest = contest;
    }
    if (rank < contest.rank) return false;
    const verdict = contest.receive(source, nowMs);
    if (verdict === 'believed') this.#lock(source, true);
    return verdict !== 'dropped';
  }

  /** Likelier than a stranger is a source at the signalling's address, likelier still another port of the SDP address. */
  #rank({ address }: PacketSource): number {
    if (address === this.#remote?.address) return 2;
    return address === this.#signalledFrom ? 1 : 0;
  }

  /** Locks to the SDP address if the packet comes from there. */
  #yield(source: PacketSource): boolean {
    const remote = this.#remote;
    if (source.address !== remote?.address || source.port !== remote.rtpPort) return false;
    this.#rtcpPort = undefined;
    this.#lock(source, false);
    return true;
  }

  #lock({ address, port }: PacketSource, isLearnt: boolean): void {
    const source = { address, port };
    this.#state = { type: 'locked', source, isLearnt };
    if (isLearnt && this.#remote !== undefined) this.#onLearnt({ source, remote: this.#remote });
  }
}

function isSameRemote(a: RemoteMedia | undefined, b: RemoteMedia | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.address === b.address && a.rtpPort === b.rtpPort && a.rtcpPort === b.rtcpPort;
}
