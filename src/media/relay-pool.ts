/**
 * The in-process media engine: relay threads that own the streams, port pools that own the ports.
 *
 * A stream stays on the thread it was opened on; new ones go to the thread with the fewest. A thread
 * that dies takes its streams with it (`listener.lost`) and is replaced when the next stream comes.
 */

import { availableParallelism } from 'node:os';
import type { Side } from '../wire/side.ts';
import { PortPool } from './port-pool.ts';
import { secureRandom } from './random.ts';
import { advertise, RelayStream } from './relay-stream.ts';
import { RelayThread, startRelayWorker, type StartWorker } from './relay-thread.ts';
import type {
  LegPorts,
  LocalMedia,
  MediaEngine,
  MediaFailure,
  MediaStream,
  OpenStreamRequest,
} from './media-engine.ts';
import type { RelayWorkerOptions } from './relay-protocol.ts';

/** `workers: auto` leaves a core to the main thread and stops where more threads bring nothing. */
const MAX_AUTO_WORKERS = 4;

/** Pairs tried for one leg before the range counts as taken by other programs. */
const BIND_ATTEMPTS = 8;

/** Defaults of everything but `workers`. */
export const RELAY_DEFAULTS = {
  inactivityTimeoutMs: 60_000,
  holdTimeoutMs: 3_600_000,
  quarantineMs: 30_000,
} as const;

export interface RelayPoolOptions {
  /** Relay threads; `auto` is one less than the cores, at least 1 and at most 4. */
  readonly workers?: number | 'auto';
  /** Silence of both peers that is reported. Default 60 s. */
  readonly inactivityTimeoutMs?: number;
  /** The same while a leg is on hold. Default 1 h. */
  readonly holdTimeoutMs?: number;
  /** How long closed ports rest. Default 30 s. */
  readonly quarantineMs?: number;
  /** Pause between digits, and spacing of their packets, where a leg does not say. */
  readonly digitGapMs?: number | undefined;
  readonly digitPacketIntervalMs?: number | undefined;
  /** Wall-clock time at 0 of `performance.now()`; replaced in tests. */
  readonly clockOriginMs?: number;
  /** Called when a thread has died, with its last error if it had one: worth a line in the log. */
  readonly onWorkerLost?: (error: Error | undefined) => void;
  /** Starts a thread; replaced in tests. */
  readonly startWorker?: StartWorker;
}

interface AcquiredLeg {
  readonly pool: PortPool;
  readonly local: LocalMedia;
}

interface OpenedStream {
  readonly thread: RelayThread;
  readonly streamKey: number;
  readonly caller: AcquiredLeg;
  readonly callee: AcquiredLeg;
}

export class RelayPool implements MediaEngine {
  readonly #workerOptions: RelayWorkerOptions;
  readonly #quarantineMs: number;
  readonly #startWorker: StartWorker;
  readonly #onWorkerLost: RelayPoolOptions['onWorkerLost'];
  readonly #threads: (RelayThread | undefined)[];
  /** By address and range: realms that share both share the ports, a changed range is a pool of its own. */
  readonly #pools = new Map<string, { readonly realms: Set<string>; readonly pool: PortPool }>();
  readonly #streams = new Set<RelayStream>();
  #lastStreamKey = 0;
  #workerRestarts = 0;
  #isClosed = false;

  constructor(options: RelayPoolOptions = {}) {
    const { workers = 'auto', digitGapMs, digitPacketIntervalMs } = options;
    const { inactivityTimeoutMs = RELAY_DEFAULTS.inactivityTimeoutMs } = options;
    const { holdTimeoutMs = RELAY_DEFAULTS.holdTimeoutMs } = options;
    this.#workerOptions = {
      clockOriginMs: options.clockOriginMs ?? performance.timeOrigin,
      inactivityTimeoutMs,
      holdTimeoutMs,
      digitGapMs,
      digitPacketIntervalMs,
    };
    this.#quarantineMs = options.quarantineMs ?? RELAY_DEFAULTS.quarantineMs;
    this.#startWorker = options.startWorker ?? startRelayWorker;
    this.#onWorkerLost = options.onWorkerLost;
    const count = workers === 'auto' ? autoWorkers() : Math.max(1, workers);
    this.#threads = Array.from({ length: count }, () => undefined);
  }

  /** Threads that died and were noticed, since the start. */
  get workerRestarts(): number {
    return this.#workerRestarts;
  }

  get portsFree(): Record<string, number> {
    const free: Record<string, number> = {};
    for (const { realms, pool } of this.#pools.values()) {
      const pairs = pool.free(performance.now());
      for (const realm of realms) free[realm] = (free[realm] ?? 0) + pairs;
    }
    return free;
  }

  async openStream(request: OpenStreamRequest): Promise<MediaStream | MediaFailure> {
    if (this.#isClosed) return { type: 'failure', reason: 'worker-lost' };
    const thread = this.#pickThread();
    const legs: Record<Side, AcquiredLeg | undefined> = { caller: undefined, callee: undefined };
    for (let attempt = 0; attempt < BIND_ATTEMPTS; attempt++) {
      const caller = (legs.caller ??= this.#acquire(request.caller));
      const callee = (legs.callee ??= this.#acquire(request.callee));
      if (caller === undefined || callee === undefined) {
        // Ports that other programs hold have used up the range: not the same as a busy SBC.
        return failWith(attempt > 0 ? 'bind-failed' : 'no-ports', legs);
      }
      this.#lastStreamKey += 1;
      const streamKey = this.#lastStreamKey;
      const bound = { caller: caller.local, callee: callee.local };
      const result = await thread.open(streamKey, bound);
      if (result.type === 'lost') return failWith('worker-lost', legs);
      if (result.type === 'opened') {
        return this.#createStream(request, { thread, streamKey, caller, callee });
      }
      if (result.reason === 'address-unavailable') return failWith(result.reason, legs);
      release([legs[result.side]]);
      legs[result.side] = undefined;
    }
    return failWith('bind-failed', legs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#streams].map((stream) => stream.close()));
    await Promise.all(this.#threads.flatMap((thread) => thread?.stop() ?? []));
  }

  #createStream(request: OpenStreamRequest, opened: OpenedStream): RelayStream {
    const { thread, streamKey, caller, callee } = opened;
    const bound = { caller: caller.local, callee: callee.local };
    const stream: RelayStream = new RelayStream({
      streamId: request.streamId,
      streamKey,
      thread,
      listener: request.listener,
      bound,
      local: advertise(bound, {
        caller: request.caller.advertised,
        callee: request.callee.advertised,
      }),
      onClosed: () => {
        this.#streams.delete(stream);
        release([caller, callee]);
      },
    });
    this.#streams.add(stream);
    return stream;
  }

  /** The thread with the fewest streams; dead ones are replaced. */
  #pickThread(): RelayThread {
    let picked: RelayThread | undefined;
    for (const [index, existing] of this.#threads.entries()) {
      const thread = existing?.isAlive === true ? existing : this.#start(index);
      if (picked === undefined || thread.load < picked.load) picked = thread;
    }
    if (picked === undefined) throw new Error('a relay pool has at least one thread');
    return picked;
  }

  #start(index: number): RelayThread {
    const thread = new RelayThread(this.#startWorker(this.#workerOptions), (error) => {
      if (this.#isClosed) return;
      this.#workerRestarts += 1;
      this.#onWorkerLost?.(error);
    });
    this.#threads[index] = thread;
    return thread;
  }

  #acquire(leg: LegPorts): AcquiredLeg | undefined {
    const pool = this.#poolOf(leg);
    const rtpPort = pool.acquire(performance.now());
    if (rtpPort === undefined) return undefined;
    return { pool, local: { address: leg.address, rtpPort, rtcpPort: rtpPort + 1 } };
  }

  #poolOf({ realm, address, portMin, portMax }: LegPorts): PortPool {
    const key = `${address} ${portMin} ${portMax}`;
    let shared = this.#pools.get(key);
    if (shared === undefined) {
      const quarantineMs = this.#quarantineMs;
      const pool = new PortPool({ portMin, portMax, quarantineMs, random: secureRandom });
      shared = { realms: new Set(), pool };
      this.#pools.set(key, shared);
    }
    shared.realms.add(realm);
    return shared.pool;
  }
}

function failWith(
  reason: MediaFailure['reason'],
  legs: Readonly<Record<Side, AcquiredLeg | undefined>>,
): MediaFailure {
  release([legs.caller, legs.callee]);
  return { type: 'failure', reason };
}

function release(legs: readonly (AcquiredLeg | undefined)[]): void {
  for (const leg of legs) leg?.pool.release(leg.local.rtpPort, performance.now());
}

function autoWorkers(): number {
  return Math.min(MAX_AUTO_WORKERS, Math.max(1, availableParallelism() - 1));
}
