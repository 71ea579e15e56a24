import { parseCSeq } from '../../wire/sip-headers.ts';
import { getHeader, parseSipMessage } from '../../wire/sip-message.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { SipParseError } from '../../wire/sip-parse-error.ts';
import type { Destination, Flow, ListenPoint } from '../transport/flow.ts';
import type { TransportEvents } from '../transport/transport-events.ts';
import { DEFAULT_TRANSPORT_LIMITS } from '../transport/transport-limits.ts';
import type { TransportLimits } from '../transport/transport-limits.ts';
import { Transports } from '../transport/transports.ts';
import { ClientTransactions } from './client-transactions.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import type { Expirable, LayerContext } from './layer-context.ts';
import { hasVia } from './request-screen.ts';
import { ServerTransactions } from './server-transactions.ts';
import { DEFAULT_TIMERS } from './timer-values.ts';
import { countVias, topVia } from './transaction-keys.ts';
import type {
  ClientHandler,
  ClientTransaction,
  LocalPoint,
  SendResult,
  TimerValues,
  TransactionCounters,
  TransactionLayer,
  TransactionUser,
} from './transaction-user.ts';

/** Bounds of transports and transactions. */
export interface EngineLimits extends TransportLimits {
  /** Server transactions at the same time; further requests get 503, those inside dialogs from twice as many on. */
  readonly serverTransactions: number;
}

export interface TransactionLayerOptions {
  readonly listen: readonly ListenPoint[];
  readonly user: TransactionUser;
  readonly timers?: Partial<TimerValues>;
  readonly limits?: Partial<EngineLimits>;
  /** An exception of the user's callbacks; the layer goes on without it. */
  readonly onBug?: (error: unknown) => void;
}

export const DEFAULT_ENGINE_LIMITS: EngineLimits = {
  ...DEFAULT_TRANSPORT_LIMITS,
  serverTransactions: 20_000,
};

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  413: 'Request Entity Too Large',
  505: 'Version Not Supported',
  513: 'Message Too Large',
};

/**
 * Binds all listen points and starts.
 *
 * @throws Error naming the listen point that cannot be bound; nothing is left open then.
 */
export async function startTransactionLayer(
  options: TransactionLayerOptions,
): Promise<TransactionLayer> {
  const limits = { ...DEFAULT_ENGINE_LIMITS, ...options.limits };
  let shell: TransactionShell | undefined;
  const events: TransportEvents = {
    onMessage: (bytes, flow) => shell?.receive(bytes, flow),
    onBroken: (head, problem, flow) => shell?.receiveBroken(head, problem, flow),
    onPathFailure: (flow, reason) => shell?.failPath(flow, reason),
  };
  const transports = await Transports.open(options.listen, limits, events);
  shell = new TransactionShell(transports, options, limits);
  return shell;
}

/** Joins transports, clock and transactions; everything that decides is in the machines. */
class TransactionShell implements TransactionLayer {
  readonly counters: TransactionCounters = {
    messagesReceived: 0,
    messagesSent: 0,
    repeatsAbsorbed: 0,
    malformed: 0,
    scanners: 0,
    merged: 0,
    overload: 0,
    strayResponses: 0,
    bugs: 0,
  };
  readonly #transports: Transports;
  readonly #user: TransactionUser;
  readonly #limits: EngineLimits;
  readonly #onBug: (error: unknown) => void;
  readonly #deadlines = new DeadlineQueue<Expirable>();
  readonly #clients: ClientTransactions;
  readonly #servers: ServerTransactions;
  #timer: { readonly atMs: number; readonly handle: NodeJS.Timeout } | undefined;
  #isClosed = false;

  constructor(transports: Transports, options: TransactionLayerOptions, limits: EngineLimits) {
    this.#transports = transports;
    this.#user = options.user;
    this.#limits = limits;
    this.#onBug = options.onBug ?? (() => undefined);
    const context: LayerContext = {
      timers: { ...DEFAULT_TIMERS, ...options.timers },
      transports,
      counters: this.counters,
      nowMs: () => performance.now(),
      schedule: (item) => {
        this.#schedule(item);
      },
      guard: (call) => this.#guard(call),
    };
    this.#clients = new ClientTransactions(context);
    this.#servers = new ServerTransactions(context, options.user, limits.serverTransactions);
  }

  get listenPoints(): readonly ListenPoint[] {
    return this.#transports.listenPoints;
  }

  sendRequest(
    request: SipRequest,
    destination: Destination,
    handler: ClientHandler,
  ): ClientTransaction {
    return this.#clients.send(request, destination, handler);
  }

  async sendAck(
    request: SipRequest,
    destination: Destination,
    branch?: string,
  ): Promise<SendResult> {
    return await this.#clients.sendAck(request, destination, branch);
  }

  async localFor(destination: Destination): Promise<LocalPoint | undefined> {
    const route = await this.#transports.routes.find(destination);
    return typeof route === 'string' ? undefined : route.local;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer?.handle);
    this.#deadlines.clear();
    await this.#transports.close();
  }

  receive(bytes: Buffer, flow: Flow): void {
    this.counters.messagesReceived += 1;
    this.#guard(() => {
      const message = this.#parse(bytes, flow);
      if (message?.type === 'request') this.#servers.receive(message, flow);
      if (message?.type === 'response') this.#receiveResponse(message, flow);
    });
  }

  receiveBroken(
    head: Buffer | undefined,
    problem: { reason: string; status: number },
    flow: Flow,
  ): void {
    this.counters.messagesReceived += 1;
    this.counters.malformed += 1;
    this.#guard(() => {
      const request = head === undefined ? undefined : salvage(head);
      if (request !== undefined) this.#refuse(request, problem.status, flow);
    });
  }

  failPath(flow: Flow, reason: string): void {
    this.#guard(() => {
      this.#clients.failPath(flow, reason);
    });
  }

  #parse(bytes: Buffer, flow: Flow): SipMessage | undefined {
    try {
      return parseSipMessage(bytes, this.#limits.message);
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error;
      this.counters.malformed += 1;
      if (error.request !== undefined) this.#refuse(error.request, error.status, flow);
      return undefined;
    }
  }

  #refuse(request: SipRequest, status: number, flow: Flow): void {
    if (!hasVia(request)) return;
    this.#servers.refuse(request, { status, reason: REASONS[status] ?? 'Bad Request' }, flow);
  }

  #receiveResponse(response: SipResponse, flow: Flow): void {
    // RFC 3261 §8.1.3.3: a response that others have to pass on first is not for us.
    if (countVias(response) === 1 && this.#clients.receive(response, flow)) return;
    this.counters.strayResponses += 1;
    const isInvite = parseCSeq(getHeader(response, 'cseq') ?? '').method === 'INVITE';
    const isSuccess = response.status >= 200 && response.status < 300;
    if (isInvite && isSuccess && this.#isSentByUs(response)) {
      this.#user.onStrayResponse(response, flow);
    }
  }

  #isSentByUs(response: SipResponse): boolean {
    if (countVias(response) !== 1) return false;
    const { transport, port } = topVia(response);
    return this.listenPoints.some((point) => {
      return point.protocol === transport.toLowerCase() && point.port === port;
    });
  }

  /** Runs what a socket or timer has caused; nothing may throw into them. After `close` nothing runs. */
  #guard(call: () => void): boolean {
    if (this.#isClosed) return true;
    try {
      call();
      return true;
    } catch (error) {
      this.counters.bugs += 1;
      this.#onBug(error);
      return false;
    }
  }

  #schedule(item: Expirable): void {
    if (this.#isClosed) return;
    this.#deadlines.set(item, item.expiresAtMs);
    this.#arm();
  }

  /** One timer for all: set to the earliest deadline, left alone while that stays the same. */
  #arm(): void {
    const atMs = this.#deadlines.nextAtMs;
    if (atMs === this.#timer?.atMs) return;
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
    if (atMs === undefined) return;
    const delayMs = Math.max(1, Math.ceil(atMs - performance.now()));
    const handle = setTimeout(() => {
      this.#timer = undefined;
      this.#expireDue();
    }, delayMs);
    this.#timer = { atMs, handle };
  }

  #expireDue(): void {
    const nowMs = performance.now();
    let due = this.#deadlines.takeDue(nowMs);
    while (due !== undefined) {
      const item = due;
      this.#guard(() => {
        item.expire(nowMs);
      });
      due = this.#deadlines.takeDue(nowMs);
    }
    this.#arm();
  }
}

function salvage(head: Buffer): SipRequest | undefined {
  try {
    const message = parseSipMessage(head);
    return message.type === 'request' ? message : undefined;
  } catch (error) {
    return error instanceof SipParseError ? error.request : undefined;
  }
}
