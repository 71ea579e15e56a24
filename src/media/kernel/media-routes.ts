/** Where packets to a peer leave this machine: asked of the system's routes, remembered for a while. */

import { type AskIp, askIp, parseIp } from './ip-command.ts';
import type { NextHop } from './nft-text.ts';

const REMEMBERED_MS = 30_000;
const MAX_REMEMBERED = 10_000;

/** Their answer is read at once: it must not hold up anything else. */
const MAX_ASKED = 200;

/** A way from one of our addresses to a peer. */
interface Way {
  readonly from: string;
  readonly to: string;
}

interface Known {
  readonly hop: NextHop | undefined;
  readonly atMs: number;
}

interface Waiting {
  readonly way: Way;
  readonly resolve: (hop: NextHop | undefined) => void;
}

export class MediaRoutes {
  readonly #known = new Map<string, Known>();
  readonly #ask: AskIp;
  readonly #waiting: Waiting[] = [];
  #isAsking = false;
  /** How often all of it was forgotten. */
  #age = 0;

  constructor(ask: AskIp = askIp) {
    this.#ask = ask;
  }

  /** The next hop from `from` to `to`; `undefined` when the kernel cannot send there by itself. */
  find(from: string, to: string, nowMs: number): Promise<NextHop | undefined> {
    const known = this.#known.get(keyOf({ from, to }));
    if (known !== undefined && nowMs - known.atMs < REMEMBERED_MS) {
      return Promise.resolve(known.hop);
    }
    return new Promise((resolve) => {
      this.#waiting.push({ way: { from, to }, resolve });
      void this.#work();
    });
  }

  /** Something has changed: what was found before is asked for anew. */
  forget(): void {
    this.#known.clear();
    this.#age += 1;
  }

  async #work(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    // Calls that begin together are asked about together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const age = this.#age;
      const asked = this.#waiting.splice(0, MAX_ASKED);
      const ways = new Map(asked.map(({ way }) => [keyOf(way), way]));
      const commands = [...ways.values()].map(({ from, to }) => `route get ${to} from ${from}\n`);
      const hops = parseRoutes(await this.#ask(commands.join('')));
      if (age !== this.#age) {
        // The answer may be from before the change.
        this.#waiting.unshift(...asked);
        continue;
      }
      this.#remember(ways, hops);
      for (const { way, resolve } of asked) resolve(hops.get(keyOf(way)));
    }
    this.#isAsking = false;
  }

  #remember(ways: ReadonlyMap<string, Way>, hops: ReadonlyMap<string, NextHop>): void {
    const atMs = performance.now();
    if (this.#known.size + ways.size > MAX_REMEMBERED) this.#known.clear();
    for (const key of ways.keys()) this.#known.set(key, { hop: hops.get(key), atMs });
  }
}

function keyOf({ from, to }: Way): string {
  return `${from} ${to}`;
}

/** The next hop of each way in the answer; ways that do not leave by a device to one neighbour are missing. */
export function parseRoutes(answer: string): Map<string, NextHop> {
  const hops = new Map<string, NextHop>();
  for (const route of parseIp(answer)) {
    const { dst, from, dev, gateway, type = 'unicast' } = route;
    if (typeof dst !== 'string' || typeof from !== 'string' || typeof dev !== 'string') continue;
    if (type !== 'unicast' || dev === 'lo' || 'via' in route) continue;
    const address = typeof gateway === 'string' ? gateway : dst;
    hops.set(keyOf({ from, to: dst }), { address, device: dev });
  }
  return hops;
}
