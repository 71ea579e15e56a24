import { parseCSeq } from '../../wire/sip-headers.ts';
import { getHeader, parseSipMessage } from '../../wire/sip-message.ts';
import type { SipMessage, SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { SipParseError } from '../../wire/sip-parse-error.ts';
import type { Destination, Flow, ListenPoint } from '../transport/flow.ts';
import { peekMessage, type PeekedMessage } from '../transport/message-peek.ts';
import type { LookUp } from '../transport/resolve.ts';
import { DEFAULT_UDP_SIZE_SWITCH_BYTES } from '../transport/size-switch.ts';
import type { TlsSettings } from '../transport/tls-settings.ts';
import type { PortTable, PortUser } from '../transport/open-port.ts';
import type { HandshakeFailure } from '../transport/transport-events.ts';
import { DEFAULT_TRANSPORT_LIMITS } from '../transport/transport-limits.ts';
import { Transports } from '../transport/transports.ts';
import { Admission } from './admission.ts';
import type { EngineLimits } from './admission.ts';
import type { CallGate } from './call-gate.ts';
import { ClientTransactions } from './client-transactions.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import type { Expirable, LayerContext } from './layer-context.ts';
import { OwnAnswers } from './own-answers.ts';
import type { RefusedCall } from './refused-calls.ts';
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

export interface TransactionLayerOptions {
  readonly listen: readonly ListenPoint[];
  readonly user: TransactionUser;
  readonly timers?: Partial<TimerValues>;
  readonly limits?: Partial<EngineLimits>;
  /** Needed by listen points of TLS. */
  readonly tls?: TlsSettings | undefined;
  /** What the engines of this thread have bound; absent: there is no other one. */
  readonly ports?: PortTable | undefined;
  /** Requests above this leave by TCP where the peer takes it; 0: never. Default 1300 (RFC 3261 §18.1.1). */
  readonly udpSizeSwitchBytes?: number;
  /** Where host names and SRV records are asked for; absent: the system. */
  readonly lookUp?: LookUp;
  /** A TLS handshake came to nothing. */
  readonly onHandshakeFailed?: (failure: HandshakeFailure) => void;
  /** Whether a dialog has this Call-ID; its messages are let in when others of their source are not. */
  readonly isDialog?: (callId: string) => boolean;
  /** Who may begin a call; absent: everybody. */
  readonly callGate?: CallGate | undefined;
  /** An exception of the user's callbacks; the layer goes on without it. */
  readonly onBug?: (error: unknown) => void;
}

export const DEFAULT_ENGINE_LIMITS: EngineLimits = {
  ...DEFAULT_TRANSPORT_LIMITS,
  serverTransactions: 20_000,
};

const NO_BYTES = Buffer.alloc(0);
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
  const portUser: PortUser = {
    isUnderWay: (bytes) => shell?.isUnderWay(peekMessage(bytes)) ?? false,
    hasTransaction: (bytes) => shell?.hasTransaction(bytes) ?? false,
    isAdmitted: (bytes, address) => shell?.admission.isAdmitted(bytes, address) ?? false,
    isConnectionAdmitted: (address, open) =>
      shell?.admission.isConnectionAdmitted(address, open) ?? false,
    onMessage: (bytes, flow) => shell?.receive(bytes, flow),
    onBroken: (head, problem, flow) => shell?.receiveBroken(head, problem, flow),
    onPathFailure: (flow, reason) => shell?.failPath(flow, reason),
    onHandshakeFailed: (failure) => options.onHandshakeFailed?.(failure),
  };
  const { tls, ports, lookUp } = options;
  const surroundings = { limits, tls, ports, lookUp };
  const transports = await Transports.open(options.listen, portUser, surroundings);
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
  readonly admission: Admission;
  readonly ownAnswers = new OwnAnswers();
  readonly ports: Transports;
  readonly #user: TransactionUser;
  readonly #limits: EngineLimits;
  readonly #isDialog: (callId: string) => boolean;
  readonly #onBug: (error: unknown) => void;
  readonly #deadlines = new DeadlineQueue<Expirable>();
  readonly #clients: ClientTransactions;
  readonly #servers: ServerTransactions;
  #timer: { readonly atMs: number; readonly handle: NodeJS.Timeout } | undefined;
  #isClosed = false;

  constructor(transports: Transports, options: TransactionLayerOptions, limits: EngineLimits) {
    this.ports = transports;
    this.#user = options.user;
    this.#limits = limits;
    this.#isDialog = options.isDialog ?? ((): boolean => false);
    this.#onBug = options.onBug ?? (() => undefined);
    this.admission = new Admission(
      limits,
      (message) => this.isUnderWay(message),
      monotonicMs,
      options.callGate,
    );
    const context: LayerContext = {
      timers: { ...DEFAULT_TIMERS, ...options.timers },
      transports,
      counters: this.counters,
      admission: this.admission,
      ownAnswers: this.ownAnswers,
      udpSizeSwitchBytes: options.udpSizeSwitchBytes ?? DEFAULT_UDP_SIZE_SWITCH_BYTES,
      nowMs: monotonicMs,
      schedule: (item) => {
        this.#schedule(item);
      },
      guard: (call) => this.#guard(call),
    };
    this.#clients = new ClientTransactions(context);
    this.#servers = new ServerTransactions(context, options.user);
  }

  get listenPoints(): readonly ListenPoint[] {
    return this.ports.listenPoints;
  }

  /** Whether a message belongs to a dialog or answers a request of ours. */
  isUnderWay(message: PeekedMessage): boolean {
    if (this.#isDialog(message.callId)) return true;
    return message.type === 'response' && this.#clients.isWaiting(message.method, message.branch);
  }

  /** Whether a message repeats, acknowledges or cancels a request that has been answered or will be. */
  hasTransaction(bytes: Buffer): boolean {
    try {
      const message = parseSipMessage(bytes, this.#limits.message);
      return message.type === 'request' && this.#servers.has(message);
    } catch {
      return false;
    }
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
    const route = await this.ports.routes.find(destination);
    return typeof route === 'string' ? undefined : route.local;
  }

  isConnected(flow: Flow): boolean {
    return this.ports.isConnected(flow.connectionId);
  }

  takeRefusedCalls(): readonly RefusedCall[] {
    return this.#servers.refusedCalls.takeReport();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer?.handle);
    this.#deadlines.clear();
    await this.ports.close();
  }

  receive(bytes: Buffer, flow: Flow): void {
    if (bytes.length > this.#limits.messageBytes) {
      const head = bytes.subarray(0, this.#limits.message.headBytes);
      this.#receiveUnusable(head, 513, flow);
      return;
    }
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
    // A stream that breaks off never got as far as one whole message to be counted by.
    if (!this.admission.isAdmitted(head ?? NO_BYTES, flow.remoteAddress)) return;
    this.#receiveUnusable(head, problem.status, flow);
  }

  failPath(flow: Flow, reason: string): void {
    this.#guard(() => {
      this.#clients.failPath(flow, reason);
    });
  }

  #receiveUnusable(head: Buffer | undefined, status: number, flow: Flow): void {
    this.counters.messagesReceived += 1;
    this.counters.malformed += 1;
    this.#guard(() => {
      const request = head === undefined ? undefined : salvage(head);
      if (request !== undefined) this.#refuse(request, status, flow);
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

/** Monotonic clock. */
function monotonicMs(): number {
  return performance.now();
}

function salvage(head: Buffer): SipRequest | undefined {
  try {
    const message = parseSipMessage(head);
    return message.type === 'request' ? message : undefined;
  } catch (error) {
    return error instanceof SipParseError ? error.request : undefined;
  }
}
