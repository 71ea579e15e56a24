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
import { NodeDeletes } from './node-deletes.ts';
import type { EngineFailure, EngineFailureReason, EngineNode } from './rtpengine-node.ts';
import { ReportSources } from './report-sources.ts';
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

/** Anybody can send from as many as they like. */
const MAX_STRANGERS = 16;

export interface ReportListen {
  /** Where a node reports digits to. */
  readonly address: string;
  readonly port: number;
  /** Name or address of that node. */
  readonly host: string;
}

/** A call that a node did not take, or did not go on with. */
export interface EngineRefusal {
  readonly callId: string;
  readonly node: string;
  readonly reason: EngineFailureReason | 'gone';
  /** What the node says; neither digits nor SDP in it. */
  readonly detail: string;
  /** The node gets no new calls for a while. */
  readonly isRestBegun: boolean;
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
  /** Worth a line in the log. */
  readonly onRefused?: (refusal: EngineRefusal) => void;
  /** A datagram on a report port that no stream could be told of. */
  readonly onReportDropped?: (reason: DroppedReport | 'unknown-call' | 'copy') => void;
  /** Reports come from an address that is no node's, while there are calls: once for each of the first addresses. */
  readonly onStranger?: (address: string) => void;
}

export class RtpengineEngine implements MediaEngine {
  readonly workerRestarts = 0;
  /** The ports are those of rtpengine. */
  readonly portsFree: Record<string, number> = {};
  readonly #options: RtpengineEngineOptions;
  readonly #nodes: RtpengineNodes;
  readonly #limits: WatchLimits;
  readonly #streams = new Map<string, RtpengineStream>();
  /** By call. */
  readonly #streamsOf = new Map<string, number>();
  readonly #graces = new Map<string, NodeJS.Timeout>();
  readonly #deletes: ReadonlyMap<string, NodeDeletes>;
  readonly #pollTimer: NodeJS.Timeout;
  readonly #clockOriginMs = performance.timeOrigin;
  readonly #strangers = new Set<string>();
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
    const { nodes } = options.nodes;
    this.#deletes = new Map(nodes.map((node) => [node.name, new NodeDeletes(node)]));
    for (const node of nodes) node.onChange((isUp) => this.#changed(node, isUp));
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
    return this.#nodes.views.map(({ name, isUp, isResting, calls }) => ({
      name,
      isUp,
      calls,
      ...(isUp && isResting ? { isResting } : {}),
    }));
  }

  /** The ports of realms are those of rtpengine. */
  serve(): void {}

  async openStream(request: OpenStreamRequest): Promise<MediaStream | MediaFailure> {
    const { streamId } = request;
    const refusedBy: EngineNode[] = [];
    let failed: Pick<EngineFailure, 'reason' | 'detail'> = { reason: 'node-down', detail: '' };
    let node = this.#isClosed ? undefined : this.#nodes.assign(this.#hold(streamId));
    while (node !== undefined) {
      const call = this.#createCall(request, node);
      const outcome = await call.open();
      if (outcome.type === 'ok' && !this.#isClosed) {
        this.#nodes.accepted(node);
        const stream = this.#createStream(request, call);
        if (stream !== undefined) return stream;
      }
      void call.delete();
      if (outcome.type === 'failed') {
        failed = outcome;
        this.#refused(streamId, node, outcome);
      }
      refusedBy.push(node);
      node = this.#isClosed ? undefined : this.#nodes.move(callOf(streamId), refusedBy);
    }
    this.#release(streamId);
    const { reason, detail } = failed;
    return { type: 'failure', reason: FAILURES[reason], ...(detail === '' ? {} : { detail }) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#pollTimer);
    for (const timer of this.#graces.values()) clearTimeout(timer);
    this.#graces.clear();
    await Promise.all([...this.#streams.values()].map((stream) => stream.close()));
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await Promise.all([...this.#deletes.values()].map((deletes) => deletes.close()));
    await this.#nodes.close();
  }

  /** Counts a stream of a call, whose streams are all on the node that has the first. @returns the call. */
  #hold(streamId: string): string {
    const callId = callOf(streamId);
    this.#streamsOf.set(callId, (this.#streamsOf.get(callId) ?? 0) + 1);
    return callId;
  }

  #release(streamId: string): void {
    const callId = callOf(streamId);
    const streams = (this.#streamsOf.get(callId) ?? 0) - 1;
    if (streams > 0) return void this.#streamsOf.set(callId, streams);
    this.#streamsOf.delete(callId);
    this.#nodes.release(callId);
  }

  #createCall({ streamId, caller, callee }: OpenStreamRequest, node: EngineNode): EngineCall {
    return new EngineCall({
      node,
      engineCallId: `${streamId.replaceAll(/[^\w.:@-]/g, '_')}~${randomUUID()}`,
      ports: { caller, callee },
      onOwed: (engineCallId, sureAtMs) => {
        this.#deletes.get(node.name)?.owe(engineCallId, sureAtMs);
      },
    });
  }

  /** The node has not taken a new call. */
  #refused(streamId: string, node: EngineNode, { reason, detail }: EngineFailure): void {
    const isRestBegun = reason !== 'node-down' && this.#nodes.refused(node);
    const callId = callOf(streamId);
    this.#options.onRefused?.({ callId, node: node.name, reason, detail, isRestBegun });
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
      onGivenUp: (why) => {
        const callId = callOf(request.streamId);
        this.#options.onRefused?.({ ...why, callId, node: call.node.name, isRestBegun: false });
      },
      onClosed: () => {
        this.#streams.delete(call.engineCallId);
        this.#release(request.streamId);
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
        from: new ReportSources({
          hosts: reporters.map(({ host }) => host),
          controlAddresses: (host) => this.#controlAddresses(host),
        }),
        onReport: (report) => this.#reported(report),
        onDropped: (reason, source) => this.#dropped(reason, source),
      });
      this.#listeners = [...this.#listeners, listener];
    }
  }

  #reported(report: DtmfReport): void {
    const stream = this.#streams.get(report.engineCallId);
    const outcome = stream === undefined ? 'unknown-call' : stream.reported(report);
    if (outcome !== 'taken') this.#options.onReportDropped?.(outcome);
  }

  #dropped(reason: DroppedReport, source: string): void {
    this.#options.onReportDropped?.(reason);
    if (reason !== 'stranger' || this.#streams.size === 0) return;
    if (this.#strangers.has(source) || this.#strangers.size >= MAX_STRANGERS) return;
    this.#strangers.add(source);
    this.#options.onStranger?.(source);
  }

  #controlAddresses(host: string): readonly string[] {
    const nodes = this.#nodes.nodes.filter((node) => node.host === host);
    return nodes.flatMap(({ address }) => (address === undefined ? [] : [address]));
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

  #changed(node: EngineNode, isUp: boolean): void {
    const { name } = node;
    clearTimeout(this.#graces.get(name));
    this.#graces.delete(name);
    if (this.#isClosed) return;
    if (!isUp) return void this.#mayBeLost(node);
    this.#nodes.accepted(node);
    this.#deletes.get(name)?.hurry();
    // Back: whether it still knows its calls shows at once.
    void this.#poll(this.#streamsOn(name));
  }

  /** The node is asked once more before its calls are given up. */
  async #mayBeLost(node: EngineNode): Promise<void> {
    const { name } = node;
    const grace = Promise.withResolvers<void>();
    const timer = setTimeout(grace.resolve, this.#options.graceMs ?? GRACE_MS);
    this.#graces.set(name, timer);
    await Promise.all([grace.promise, node.ping()]);
    // Up or closed meanwhile, it has no such timer any more.
    if (this.#graces.get(name) === timer && !node.isUp) this.#lost(name);
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

/** The call of `c17:0`. */
function callOf(streamId: string): string {
  return streamId.replace(/:\d+$/, '');
}

const FAILURES = {
  timeout: 'engine-down',
  'node-down': 'engine-down',
  'no-ports': 'no-ports',
  overload: 'engine-refused',
  'bad-answer': 'engine-refused',
  'engine-error': 'engine-refused',
} as const satisfies Record<EngineFailureReason, MediaFailure['reason']>;
