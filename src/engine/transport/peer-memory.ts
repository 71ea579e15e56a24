import { RecentMap } from './recent-map.ts';

const MAX_PEERS = 1024;

/** Peers something is held against for a while, by any text that names them; the oldest are forgotten first. */
export class PeerMemory {
  readonly #lifeMs: number;
  readonly #until = new RecentMap<number>(MAX_PEERS);

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs;
  }

  note(peer: string, nowMs: number): void {
    this.#until.set(peer, nowMs + this.#lifeMs);
  }

  has(peer: string, nowMs: number): boolean {
    return (this.#until.get(peer) ?? 0) > nowMs;
  }
}
