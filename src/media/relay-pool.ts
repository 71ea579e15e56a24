/**
 * The in-process media engine: relay threads that own the streams, port pools that own the ports.
 *
 * A stream stays on the thread it was opened on; new ones go to the thread with the fewest. When a thread
 * dies another one takes its place and its streams, on the same ports; a stream that cannot go on, or has
 * lost several threads in a short time, is given up (`listener.lost`). Other threads notice nothing.
 */

import { availableParallelism } from 'node:os';
import type { Side } from '../wire/side.ts';
import { JoinedStreams } from './joined-streams.ts';
import type { KernelPath } from './kernel/kernel-path.ts';
import { PoolFlows } from './kernel/pool-flows.ts';
import { PortPool } from './port-pool.ts';
import { newDescriptorMemory } from './ffi/thread-descriptors.ts';
import { secureRandom } from './random.ts';
import { advertise, RelayStream } from './relay-stream.ts';
import { type OnDeath, RelayThread, startRelayWorker, type StartWorker } from './relay-thread.ts';
import type {
  LegPorts,
  LocalMedia,
  MediaEngine,
  MediaFailure,
  MediaStream,
  OpenStreamRequest,
} from './media-engine.ts';
import type { RelayIo, RelayWorkerOptions } from './relay-protocol.ts';
import { newNameKey } from './source-name.ts';

/** `workers: auto` leaves a core to the main thread and stops where more threads bring nothing. */
const MAX_AUTO_WORKERS = 4;

/** Pairs tried for one leg before the range counts as taken by other programs. */
const BIND_ATTEMPTS = 8;

/** Threads that may die while one stream is opened. */
const OPEN_LOSSES = 2;

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
  /** Called when a thread has died: worth a line in the log. */
  readonly onWorkerLost?: OnDeath;
  /** What moves the packets of the threads. Default dgram. */
  readonly io?: RelayIo;
  /** Called once, when a thread cannot move packets as `io` says: worth a line in the log. */
  readonly onIoFallback?: ((reason: string) => void) | undefined;
  /** Forwards steady streams past the threads; whoever made it closes it, behind the pool. */
  readonly kernel?: KernelPath | undefined;
  /** Starts a thread; replaced in tests. */
  readonly startWorker?: StartWorker;
}

interface AcquiredLeg {
  readonly pool: PortPool;
  readonly local: LocalMedia;
}

/** One of the threads, and the number that its successors have as well. */
interface Slot {
  readonly index: number;
  readonly thread: RelayThread;
}

interface OpenedStream {
  readonly slot: Slot;
  readonly streamKey: number;
  readonly nameKey: string;
  readonly caller: AcquiredLeg;
  readonly callee: AcquiredLeg;
}

interface SharedPool {
  /** None: it is left from another configuration. */
  readonly realms: Set<string>;
  readonly pool: PortPool;
}

export class RelayPool implements MediaEngine {
  readonly #workerOptions: RelayWorkerOptions;
  readonly #quarantineMs: number;
  readonly #startWorker: StartWorker;
  readonly #onWorkerLost: RelayPoolOptions['onWorkerLost'];
  #onIoFallback: RelayPoolOptions['onIoFallback'];
  readonly #threads: (RelayThread | undefined)[];
  /** By address and range: realms that share both share the ports, a changed range is a pool of its own. */
  readonly #pools = new Map<string, SharedPool>();
  /** Names of the pools that the configuration has; `undefined`: whatever is asked for. */
  #served: ReadonlySet<string> | undefined;
  readonly #streams = new Set<RelayStream>();
  readonly #joined = new JoinedStreams();
  readonly #kernel: KernelPath | undefined;
  readonly #flows: PoolFlows | undefined;
  #lastStreamKey = 0;
  #workerRestarts = 0;
  #isClosed = false;

  constructor(options: RelayPoolOptions = {}) {
    const { workers = 'auto', digitGapMs, digitPacketIntervalMs } = options;
    const { inactivityTimeoutMs = RELAY_DEFAULTS.inactivityTimeoutMs } = options;
    const { holdTimeoutMs = RELAY_DEFAULTS.holdTimeoutMs } = options;
    this.#workerOptions = {
      clockOriginMs: options.clockOriginMs ?? performance.timeOrigin,
      io: options.io ?? 'dgram',
      kernelReach: options.kernel?.reach,
      inactivityTimeoutMs,
      holdTimeoutMs,
      digitGapMs,
      digitPacketIntervalMs,
    };
    this.#kernel = options.kernel;
    this.#flows = options.kernel && new PoolFlows(options.kernel);
    this.#quarantineMs = options.quarantineMs ?? RELAY_DEFAULTS.quarantineMs;
    this.#startWorker = options.startWorker ?? startRelayWorker;
    this.#onWorkerLost = options.onWorkerLost;
    this.#onIoFallback = options.onIoFallback;
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

  /**
   * The ranges of a new configuration. Others stay for the calls that have them, and are forgotten once no port of theirs
   * is in use or at rest.
   */
  serve(ranges: readonly LegPorts[]): void {
    this.#served = new Set(ranges.map((range) => poolKey(range)));
    this.#kernel?.serve(ranges.map(({ address }) => address));
    for (const shared of this.#pools.values()) shared.realms.clear();
    for (const range of ranges) this.#poolOf(range);
    const nowMs = performance.now();
    for (const [key, { realms, pool }] of this.#pools) {
      const isUsed = pool.owned > 0 || pool.resting(nowMs) > 0;
      if (realms.size === 0 && !isUsed) this.#pools.delete(key);
    }
  }

  async openStream(request: OpenStreamRequest): Promise<MediaStream | MediaFailure> {
    if (this.#isClosed) return { type: 'failure', reason: 'worker-lost' };
    const legs: Record<Side, AcquiredLeg | undefined> = { caller: undefined, callee: undefined };
    const nameKey = request.nameKey ?? newNameKey();
    let losses = 0;
    for (let attempt = 0; attempt < BIND_ATTEMPTS; attempt++) {
      const caller = (legs.caller ??= this.#acquire(request.caller));
      const callee = (legs.callee ??= this.#acquire(request.callee));
      if (caller === undefined || callee === undefined) {
        return failWith(
          this.#shortage(caller === undefined ? request.caller : request.callee),
          legs,
        );
      }
      this.#lastStreamKey += 1;
      const streamKey = this.#lastStreamKey;
      const bound = { caller: caller.local, callee: callee.local };
      const slot = this.#pickThread();
      const result = await slot.thread.open(streamKey, bound, nameKey);
      if (result.type === 'opened') {
        return this.#createStream(request, { slot, streamKey, nameKey, caller, callee });
      }
      if (result.type === 'lost') {
        losses += 1;
        if (losses >= OPEN_LOSSES || this.#isClosed) {
          return failWith(result.reason ?? 'worker-lost', legs);
        }
        continue;
      }
      if (result.reason !== 'port-taken') return failWith(result.reason, legs);
      const taken = legs[result.side];
      taken?.pool.markTaken(taken.local.rtpPort, performance.now());
      legs[result.side] = undefined;
    }
    return failWith('ports-taken', legs);
  }

  /** Ends a thread as a crash would, to prove that its streams go on; the first one with streams if no number is given. */
  async crashThread(
    index = this.#threads.findIndex((thread) => (thread?.load ?? 0) > 0),
  ): Promise<void> {
    await this.#threads[index]?.crash();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#streams].map((stream) => stream.close()));
    await Promise.all(this.#threads.flatMap((thread) => thread?.stop() ?? []));
  }

  #createStream(request: OpenStreamRequest, opened: OpenedStream): RelayStream {
    const { slot, streamKey, nameKey, caller, callee } = opened;
    const bound = { caller: caller.local, callee: callee.local };
    const stream: RelayStream = new RelayStream({
      streamId: request.streamId,
      nameKey,
      streamKey,
      joined: this.#joined,
      thread: slot.thread,
      listener: request.listener,
      bound,
      local: advertise(bound, {
        caller: request.caller.advertised,
        callee: request.callee.advertised,
      }),
      clockOriginMs: this.#workerOptions.clockOriginMs,
      onThreadLost: () => {
        this.#flows?.ended(streamKey);
        void this.#resume(stream, slot.index);
      },
      onClosed: () => {
        this.#flows?.closed(streamKey);
        this.#streams.delete(stream);
        release([caller, callee]);
      },
    });
    this.#streams.add(stream);
    this.#flows?.opened(streamKey, bound);
    return stream;
  }

  /** Moves a stream to the thread that takes the place of its dead one. */
  async #resume(stream: RelayStream, index: number): Promise<void> {
    while (!this.#isClosed && !stream.isSuspect) {
      const outcome = await stream.resumeOn(this.#threadAt(index));
      if (outcome === 'resumed') return;
      if (outcome === 'failed') break;
      stream.countLoss();
    }
    stream.giveUp();
  }

  #threadAt(index: number): RelayThread {
    const existing = this.#threads[index];
    return existing?.isAlive === true ? existing : this.#start(index);
  }

  /** The thread with the fewest streams; dead ones are replaced. */
  #pickThread(): Slot {
    let picked: Slot | undefined;
    for (const index of this.#threads.keys()) {
      const thread = this.#threadAt(index);
      if (picked === undefined || thread.load < picked.thread.load) picked = { index, thread };
    }
    if (picked === undefined) throw new Error('a relay pool has at least one thread');
    return picked;
  }

  #start(index: number): RelayThread {
    const descriptors = this.#workerOptions.io === 'ffi' ? newDescriptorMemory() : undefined;
    const worker = this.#startWorker({ ...this.#workerOptions, descriptors });
    const thread = new RelayThread(worker, {
      descriptors,
      died: (error, streams) => {
        if (this.#isClosed) return;
        this.#workerRestarts += 1;
        this.#onWorkerLost?.(error, streams);
      },
      fellBack: (reason) => {
        this.#onIoFallback?.(reason);
        this.#onIoFallback = undefined;
      },
      flow: (event, post) => this.#flows?.receive(event, post),
    });
    this.#threads[index] = thread;
    return thread;
  }

  /** Why no port of `leg` could be had. */
  #shortage(leg: LegPorts): MediaFailure['reason'] {
    return this.#poolOf(leg).shortage(performance.now());
  }

  #acquire(leg: LegPorts): AcquiredLeg | undefined {
    const pool = this.#poolOf(leg);
    const rtpPort = pool.acquire(performance.now());
    if (rtpPort === undefined) return undefined;
    return { pool, local: { address: leg.address, rtpPort, rtcpPort: rtpPort + 1 } };
  }

  #poolOf(leg: LegPorts): PortPool {
    const { realm, portMin, portMax } = leg;
    const key = poolKey(leg);
    let shared = this.#pools.get(key);
    if (shared === undefined) {
      const quarantineMs = this.#quarantineMs;
      const pool = new PortPool({ portMin, portMax, quarantineMs, random: secureRandom });
      shared = { realms: new Set(), pool };
      this.#pools.set(key, shared);
    }
    if (this.#served?.has(key) !== false) shared.realms.add(realm);
    return shared.pool;
  }
}

function poolKey({ address, portMin, portMax }: LegPorts): string {
  return `${address} ${portMin} ${portMax}`;
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
