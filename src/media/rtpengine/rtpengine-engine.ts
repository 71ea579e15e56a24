/**
 * The media engine whose packets one or more rtpengines carry: streams are placed on them, digits come from their reports,
 * and whoever loses its rtpengine is told so.
 */

import { randomUUID } from 'node:crypto';
import type {
  EngineNodeState,
  MediaEngine,
  MediaFailure,
  MediaStream,
  OpenStreamRequest,
} from '../media-engine.ts';
import { RELAY_DEFAULTS } from '../relay-pool.ts';
import { DtmfListener, type DroppedReport } from './dtmf-listener.ts';
import type { DtmfReport } from './dtmf-report.ts';
import { EngineCall } from './engine-call.ts';
import type { EngineFailureReason, EngineNode } from './rtpengine-node.ts';
import type { RtpengineNodes } from './rtpengine-nodes.ts';
import { RtpengineStream } from './rtpengine-stream.ts';
import type { WatchLimits } from './stream-watch.ts';

/** Streams are looked at so often, or four times within the inactivity time. */
const POLL_MS = 5000;
const MIN_POLL_MS = 250;
const POLLS_PER_TIMEOUT = 4;

/** Looks under way at once. */
const POLLS_AT_ONCE = 16;

const GRACE_MS = 2000;

export interface ReportListen {
  /** Where a node reports digits to. */
  readonly address: string;
  readonly port: number;
  /** Name or address of that node. */
  readonly host: string;
}

export interface RtpengineEngineOptions {
  /** Taken over: closed with the engine. */
  readonly nodes: RtpengineNodes;
  /** Several nodes may report to one port. */
  readonly reports?: readonly ReportListen[];
  /** Silence of both peers that is reported. Default 60 s. */
  readonly inactivityTimeoutMs?: number;
  /** The same while a leg is on hold. Default 1 h. */
  readonly holdTimeoutMs?: number;
  /** How long a node that went down may take to come back before its streams are lost. Default 2 s. */
  readonly graceMs?: number;
  /** Pause between digits where a leg does not say. */
  readonly digitGapMs?: number | undefined;
  /** Streams that ended because their node was lost: worth a line in the log. */
  readonly onNodeLost?: (node: string, streams: number) => void;
  /** A datagram on a report port that no stream could be told of. */
  readonly onReportDropped?: (reason: DroppedReport | 'unknown-call') => void;
}

export class RtpengineEngine implements MediaEngine {
  readonly workerRestarts = 0;
  /** The ports are those of rtpengine. */
  readonly portsFree: Record<string, number> = {};
  readonly #options: RtpengineEngineOptions;
  readonly #nodes: RtpengineNodes;
  readonly #limits: WatchLimits;
  readonly #streams = new Map<string, RtpengineStream>();
  readonly #graces = new Map<string, NodeJS.Timeout>();
  readonly #pollTimer: NodeJS.Timeout;
  readonly #clockOriginMs = performance.timeOrigin;
  #listeners: readonly DtmfListener[] = [];
  #isPolling = false;
  #isClosed = false;

  private constructor(options: RtpengineEngineOptions) {
    const { inactivityTimeoutMs = RELAY_DEFAULTS.inactivityTimeoutMs } = options;
    const { holdTimeoutMs = RELAY_DEFAULTS.holdTimeoutMs } = options;
    this.#options = options;
    this.#nodes = options.nodes;
    this.#limits = { inactivityTimeoutMs, holdTimeoutMs };
    const quarterMs = inactivityTimeoutMs / POLLS_PER_TIMEOUT;
    const everyMs = Math.max(MIN_POLL_MS, Math.min(POLL_MS, quarterMs));
    this.#pollTimer = setInterval(() => void this.#poll([...this.#streams.values()]), everyMs);
    for (const node of options.nodes.nodes) node.onChange((isUp) => this.#changed(node, isUp));
  }

  /** @throws Error of the system when a report port cannot be bound. */
  static async open(options: RtpengineEngineOptions): Promise<RtpengineEngine> {
    const engine = new RtpengineEngine(options);
    try {
      await engine.#listen();
    } catch (error) {
      await engine.close();
      throw error;
    }
    return engine;
  }

  get engineNodes(): readonly EngineNodeState[] {
    return this.#nodes.views.map(({ name, isUp, calls }) => ({ name, isUp, calls }));
  }

  /** The ports of realms are those of rtpengine. */
  serve(): void {}

  async openStream(request: OpenStreamRequest): Promise<MediaStream | MediaFailure> {
    const { streamId, caller, callee } = request;
    const refusedBy: EngineNode[] = [];
    let reason: EngineFailureReason = 'node-down';
    let node = this.#isClosed ? undefined : this.#nodes.assign(streamId);
    while (node !== undefined) {
      const engineCallId = `${streamId.replaceAll(/[^\w.:@-]/g, '_')}~${randomUUID()}`;
      const call = new EngineCall({ node, engineCallId, ports: { caller, callee } });
      const outcome = await call.open();
      if (outcome.type === 'ok' && !this.#isClosed) {
        const stream = this.#createStream(request, call);
        if (stream !== undefined) return stream;
      }
      void call.delete();
      if (outcome.type === 'failed') reason = outcome.reason;
      refusedBy.push(node);
      node = this.#isClosed ? undefined : this.#nodes.move(streamId, refusedBy);
    }
    this.#nodes.release(streamId);
    return { type: 'failure', reason: FAILURES[reason] };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#pollTimer);
    for (const timer of this.#graces.values()) clearTimeout(timer);
    await Promise.all([...this.#streams.values()].map((stream) => stream.close()));
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#nodes.close();
  }

  #createStream(request: OpenStreamRequest, call: EngineCall): RtpengineStream | undefined {
    const { local } = call;
    if (local === undefined) return undefined;
    const stream = new RtpengineStream({
      streamId: request.streamId,
      call,
      local,
      listener: request.listener,
      limits: this.#limits,
      digitGapMs: this.#options.digitGapMs,
      nowMs: () => this.#clockOriginMs + performance.now(),
      onClosed: () => {
        this.#streams.delete(call.engineCallId);
        this.#nodes.release(request.streamId);
      },
    });
    this.#streams.set(call.engineCallId, stream);
    return stream;
  }

  async #listen(): Promise<void> {
    const ports = new Map<string, ReportListen[]>();
    for (const listen of this.#options.reports ?? []) {
      const key = `${listen.address} ${listen.port}`;
      ports.set(key, [...(ports.get(key) ?? []), listen]);
    }
    for (const reporters of ports.values()) {
      const [first] = reporters;
      if (first === undefined) continue;
      const listener = await DtmfListener.open({
        address: first.address,
        port: first.port,
        from: reporters.map(({ host }) => host),
        onReport: (report) => this.#reported(report),
        onDropped: (reason) => this.#options.onReportDropped?.(reason),
      });
      this.#listeners = [...this.#listeners, listener];
    }
  }

  #reported(report: DtmfReport): void {
    const stream = this.#streams.get(report.engineCallId);
    if (stream === undefined) this.#options.onReportDropped?.('unknown-call');
    else stream.reported(report);
  }

  async #poll(streams: readonly RtpengineStream[]): Promise<void> {
    if (this.#isPolling) return;
    this.#isPolling = true;
    const waiting = [...streams];
    const work = async (): Promise<void> => {
      for (let stream = waiting.pop(); stream !== undefined; stream = waiting.pop()) {
        await stream.poll();
      }
    };
    await Promise.all(Array.from({ length: POLLS_AT_ONCE }, work));
    this.#isPolling = false;
  }

  #changed({ name }: EngineNode, isUp: boolean): void {
    clearTimeout(this.#graces.get(name));
    this.#graces.delete(name);
    if (this.#isClosed) return;
    // Back: whether it still knows its calls shows at once.
    if (isUp) void this.#poll(this.#streamsOn(name));
    else
      this.#graces.set(
        name,
        setTimeout(() => this.#lost(name), this.#options.graceMs ?? GRACE_MS),
      );
  }

  #lost(name: string): void {
    this.#graces.delete(name);
    const streams = this.#streamsOn(name);
    if (streams.length > 0) this.#options.onNodeLost?.(name, streams.length);
    for (const stream of streams) stream.lose();
  }

  #streamsOn(name: string): RtpengineStream[] {
    return [...this.#streams.values()].filter(({ nodeName }) => nodeName === name);
  }
}

const FAILURES = {
  timeout: 'engine-down',
  'node-down': 'engine-down',
  'no-ports': 'no-ports',
  overload: 'engine-refused',
  'bad-answer': 'engine-refused',
  'engine-error': 'engine-refused',
} as const satisfies Record<EngineFailureReason, MediaFailure['reason']>;
