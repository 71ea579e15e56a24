import type { DropReason } from './drop-journal.ts';
import { KnownNetworks } from './known-networks.ts';
import { peekMessage } from './message-peek.ts';
import type { PeekedMessage } from './message-peek.ts';
import { RecentMap } from './recent-map.ts';
import { sourceKey } from './source-key.ts';
import { TokenBucket, UNLIMITED } from './token-bucket.ts';
import type { BucketSize } from './token-bucket.ts';

/** How many messages per second are worked on. */
export interface RateLimits {
  /** One source that is no known peer. */
  readonly stranger: BucketSize;
  /** One known peer. Bounded too: its address can be spoofed. */
  readonly agent: BucketSize;
  /** All strangers together. */
  readonly strangers: BucketSize;
}

export const NO_RATE_LIMITS: RateLimits = {
  stranger: UNLIMITED,
  agent: UNLIMITED,
  strangers: UNLIMITED,
};

/** Whether a message belongs to a dialog, or answers a request of ours. */
export type IsUnderWay = (message: PeekedMessage) => boolean;

interface Source {
  readonly isAgent: boolean;
  readonly messages: TokenBucket;
  /** For messages of running calls, which leave `messages` to new ones. */
  readonly callMessages: TokenBucket;
}

/** Strangers cannot push known peers out: each group has its own memory. About 200 bytes per source. */
const MAX_SOURCES = 32_768;

/**
 * Decides before the parser, by the source address alone, whether a message is worked on.
 *
 *   message ─┬─ of a running call ─► second bucket of its source ─┬ token ─► worked on
 *            │                                                    └ empty ─┐
 *            └─ any other ◄────────────────────────────────────────────────┘
 *                 └► bucket of its source ─┬ token ─► known peer ───────────────────────► worked on
 *                                          │          stranger ─► bucket of all strangers ─┬► worked on
 *                                          └ empty ─► dropped                              └ empty ─► dropped
 *
 * What a call needs after its INVITE is no load of its own, and must not take the room of new calls.
 * A source address can be forged, so an empty bucket must not cost a running call anything: who floods under the
 * address of a known peer does not know the Call-IDs of its calls nor the branches of our requests, and never
 * reaches the second bucket. What such a flood does take from that peer is new calls, within `agent`.
 */
export class MessageGate {
  readonly #limits: RateLimits;
  readonly #isUnderWay: IsUnderWay;
  readonly #strangers = new RecentMap<Source>(MAX_SOURCES);
  readonly #agents = new RecentMap<Source>(MAX_SOURCES);
  readonly #allStrangers: TokenBucket;
  #known = new KnownNetworks([]);

  constructor(limits: RateLimits, isUnderWay: IsUnderWay, nowMs: number) {
    this.#limits = limits;
    this.#isUnderWay = isUnderWay;
    this.#allStrangers = new TokenBucket(limits.strangers, nowMs);
  }

  /** Names the addresses and networks of the known peers, in place of those named before. */
  setKnownPeers(networks: readonly string[]): void {
    this.#known = new KnownNetworks(networks);
    this.#strangers.clear();
    this.#agents.clear();
  }

  isAgent(address: string): boolean {
    return this.#known.has(address);
  }

  /** @returns why the message is dropped, `undefined` when it is worked on. */
  judge(bytes: Buffer, address: string, nowMs: number): DropReason | undefined {
    const source = this.#sourceOf(address, nowMs);
    const { agent, stranger, strangers } = this.#limits;
    const isOfCall = this.#isUnderWay(peekMessage(bytes));
    if (isOfCall && source.callMessages.take(agent, nowMs)) return undefined;
    if (source.isAgent) return source.messages.take(agent, nowMs) ? undefined : 'agent-rate';
    if (!source.messages.take(stranger, nowMs)) return 'source-rate';
    return this.#allStrangers.take(strangers, nowMs) ? undefined : 'strangers-rate';
  }

  #sourceOf(address: string, nowMs: number): Source {
    const key = sourceKey(address);
    // A stranger's /64 may hold a known peer: only of IPv4 is what is remembered about the key enough.
    const remembered =
      this.#agents.get(address) ?? (key === address ? this.#strangers.get(key) : undefined);
    if (remembered !== undefined) return remembered;
    const isAgent = this.#known.has(address);
    const sources = isAgent ? this.#agents : this.#strangers;
    const name = isAgent ? address : key;
    const found = sources.get(name);
    if (found !== undefined) return found;
    const { agent, stranger } = this.#limits;
    const source = {
      isAgent,
      messages: new TokenBucket(isAgent ? agent : stranger, nowMs),
      callMessages: new TokenBucket(agent, nowMs),
    };
    sources.set(name, source);
    return source;
  }
}
