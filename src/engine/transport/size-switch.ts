import type { Destination } from './flow.ts';
import type { Target } from './locate.ts';
import { PeerMemory } from './peer-memory.ts';
import type { Route, Routes } from './routes.ts';
import type { Transports } from './transports.ts';

/** A peer that does not take the connection at once keeps the request waiting so long, and only once in a while. */
const CONNECT_PATIENCE_MS = 1000;
/** A peer without TCP is asked again after this. */
const REFUSAL_LIFE_MS = 300_000;

/** RFC 3261 §18.1.1: requests above this travel on a transport with congestion control. */
export const DEFAULT_UDP_SIZE_SWITCH_BYTES = 1300;

/** What it needs of the transports. */
export interface SwitchedTransports extends Pick<Transports, 'openRoute'> {
  readonly routes: Pick<Routes, 'serves' | 'routeTo'>;
}

/**
 * Moves requests that are too large for a datagram to TCP, where the peer listens on the same address and port
 * (RFC 3261 §18.1.1). A peer that does not is remembered, so that a carrier without TCP does not pay for it in
 * every call.
 */
export class SizeSwitch {
  readonly #transports: SwitchedTransports;
  readonly #limitBytes: number;
  readonly #refusals = new PeerMemory(REFUSAL_LIFE_MS);

  /** @param limitBytes 0 switches it off. */
  constructor(transports: SwitchedTransports, limitBytes: number) {
    this.#transports = transports;
    this.#limitBytes = limitBytes;
  }

  /** The way over TCP, its connection open; undefined where the request stays on the transport of `target`. */
  async tcpRoute(
    target: Target,
    sizeBytes: number,
    { isTransportFixed = false }: Pick<Destination, 'isTransportFixed'>,
  ): Promise<Route | undefined> {
    const isTooLarge = this.#limitBytes > 0 && sizeBytes > this.#limitBytes;
    if (target.protocol !== 'udp' || !isTooLarge || isTransportFixed) return undefined;
    const { routes } = this.#transports;
    if (!routes.serves('tcp', target)) return undefined;
    if (this.#refusals.has(nameOf(target), performance.now())) return undefined;
    const route = await routes.routeTo({ ...target, protocol: 'tcp' });
    if (await this.#isOpened(route)) return route;
    this.noteRefusal(target);
    return undefined;
  }

  /** The peer took the connection and then did not answer on it. */
  noteRefusal(target: Target): void {
    this.#refusals.note(nameOf(target), performance.now());
  }

  async #isOpened(route: Route): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => {
        resolve(false);
      }, CONNECT_PATIENCE_MS);
    });
    try {
      return await Promise.race([this.#transports.openRoute(route), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function nameOf({ address, port }: Target): string {
  return `${address}/${port}`;
}
