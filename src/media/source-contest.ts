/**
 * Which of the sources that send to a leg is its peer, where neither SDP nor a packet from the SDP address has said so.
 *
 *   nobody --a packet--> alone --its fifth packet, 60 ms on (a stranger 300 ms)--> believed
 *                          | ^                                                        ^
 *              another one | | all others quiet for 300 ms                            |
 *                          v |                                                        |
 *                        several --300 ms on, a packet of the one that sent most------+
 *
 *   a likelier source, or all quiet for 1 s and a packet of somebody new: a new contest
 *
 * Alone a source is let through for four packets; of several none is. Each one that joins starts the count anew for all, so
 * whoever sends less than the peer while both send is not believed, however early it began; and whoever has stopped is in
 * nobody's way. Who sends more than the peer, from where the peer could be as well, is believed: only SRTP protects against that.
 */

import type { PacketSource } from './source-lock.ts';

/** Packets of one source before it is believed without SDP's word … */
export const LEARN_PACKETS = 5;
/** … and how long they take at least: time in which a peer that is where SDP says can show itself. */
export const LEARN_MS = 60;
/** The same of a source that neither SDP nor signalling speaks for: a peer that is merely late must not lose to it. */
export const STRANGER_LEARN_MS = 300;
/** How long several sources are compared, and how long one of them may be quiet meanwhile. */
const COMPARE_MS = 300;
/** A quiet source gives way then, even to one that is less likely: a peer that falls silent for a word must not lose to a stranger. */
export const CANDIDATE_QUIET_MS = 1000;
/** Enough for a peer and a few others; a flood from ever new ports must not cost memory. */
const MAX_CANDIDATES = 4;

interface Candidate {
  readonly source: PacketSource;
  lastMs: number;
  /** Since `sinceMs` of the contest. */
  packets: number;
}

/** `passes`: it may be the peer; `believed`: it is. */
export type ContestVerdict = 'dropped' | 'passes' | 'believed';

/** Sources of equal rank. */
export class SourceContest {
  readonly rank: number;
  #sinceMs: number;
  #candidates: Candidate[] = [];

  /** `rank`: the higher the likelier, 0 for a stranger. */
  constructor(rank: number, nowMs: number) {
    this.rank = rank;
    this.#sinceMs = nowMs;
  }

  /** Whether a packet of a source of `rank` begins another contest. */
  endsWith(source: PacketSource, rank: number, nowMs: number): boolean {
    if (rank > this.rank) return true;
    if (this.#find(source) !== undefined) return false;
    return this.#candidates.every(({ lastMs }) => nowMs - lastMs >= CANDIDATE_QUIET_MS);
  }

  /** Takes a packet of a source of this rank. */
  receive(source: PacketSource, nowMs: number): ContestVerdict {
    const isCompared = this.#candidates.length > 1;
    if (isCompared && nowMs - this.#sinceMs >= COMPARE_MS) return this.#decide(source, nowMs);
    const packets = this.#count(source, nowMs);
    if (this.#candidates.length > 1) return 'dropped';
    if (packets < LEARN_PACKETS) return 'passes';
    const leastMs = this.rank > 0 ? LEARN_MS : STRANGER_LEARN_MS;
    return nowMs - this.#sinceMs < leastMs ? 'dropped' : 'believed';
  }

  /** The time is over: believes the busiest, by a packet of its own, or goes on without it if it has stopped. */
  #decide(source: PacketSource, nowMs: number): ContestVerdict {
    const [first, ...others] = this.#candidates;
    if (first === undefined) return 'dropped';
    const busiest = others.reduce(
      (one, other) => (other.packets > one.packets ? other : one),
      first,
    );
    if (isSameSource(source, busiest.source)) {
      busiest.packets += 1;
      busiest.lastMs = nowMs;
      return busiest.packets < LEARN_PACKETS ? 'dropped' : 'believed';
    }
    if (nowMs - busiest.lastMs >= COMPARE_MS) {
      this.#candidates = this.#candidates.filter(({ lastMs }) => nowMs - lastMs < COMPARE_MS);
      this.#restart(nowMs);
      this.#count(source, nowMs);
    }
    return 'dropped';
  }

  /** How many packets it has sent, this one included. */
  #count(source: PacketSource, nowMs: number): number {
    const known = this.#find(source);
    if (known !== undefined) {
      known.lastMs = nowMs;
      known.packets += 1;
      return known.packets;
    }
    const { address, port } = source;
    const candidate = { source: { address, port }, lastMs: nowMs, packets: 1 };
    if (this.#candidates.length < MAX_CANDIDATES) {
      this.#restart(nowMs);
      this.#candidates.push(candidate);
    } else this.#replaceWeakest(candidate);
    return 1;
  }

  /** Sources from ever new ports wear each other out; were the count to begin anew for each, it would never end. */
  #replaceWeakest(candidate: Candidate): void {
    const counts = this.#candidates.map(({ packets }) => packets);
    const at = counts.indexOf(Math.min(...counts));
    const weakest = this.#candidates[at];
    if (weakest === undefined) return;
    if (weakest.packets > 0) weakest.packets -= 1;
    else this.#candidates[at] = candidate;
  }

  #restart(nowMs: number): void {
    this.#sinceMs = nowMs;
    for (const candidate of this.#candidates) candidate.packets = 0;
  }

  #find(source: PacketSource): Candidate | undefined {
    return this.#candidates.find((candidate) => isSameSource(candidate.source, source));
  }
}

export function isSameSource(a: PacketSource, b: PacketSource): boolean {
  return a.port === b.port && a.address === b.address;
}
