import { AdminServer, PROTOCOL_VERSION } from './admin/admin-server.ts';
import type { ConnectionUser } from './admin/app-connection.ts';
import { AppSide } from './core/app-side.ts';
import type { Core } from './core/core.ts';
import { DialogStore } from './core/dialog-store.ts';
import { hostPortOf } from './core/local-address.ts';
import { NetworkSide } from './core/network-side.ts';
import { RetiringPorts } from './core/retiring-ports.ts';
import type { EngineLimits } from './transaction/admission.ts';
import type { CallGate } from './transaction/call-gate.ts';
import type { OwnAnswer } from './transaction/own-answers.ts';
import type { RefusedCall } from './transaction/refused-calls.ts';
import { DEFAULT_ENGINE_LIMITS, startTransactionLayer } from './transaction/transaction-layer.ts';
import type {
  TimerValues,
  TransactionLayer,
  TransactionUser,
} from './transaction/transaction-user.ts';
import type { DropReport } from './transport/drop-journal.ts';
import type { ListenPoint } from './transport/flow.ts';
import type { OpenPort, PortTable } from './transport/open-port.ts';
import type { LookUp } from './transport/resolve.ts';
import type { TlsSettings } from './transport/tls-settings.ts';
import type { PortSettings } from './transport/transport-limits.ts';
import type { HandshakeFailure } from './transport/transport-events.ts';

export interface EngineOptions {
  /** Where SIP is received; port 0 takes a free one. */
  readonly listen: readonly ListenPoint[];
  /** What the engines of this thread have bound; absent: there is no other one. */
  readonly ports?: PortTable;
  /** Where applications connect; port 0 takes a free one. */
  readonly admin: { readonly host: string; readonly port: number };
  readonly secret: string;
  /** RFC 3261 base times; shorter ones are for tests. */
  readonly timers?: Partial<TimerValues>;
  /** Bounds of sizes, rates and numbers; what is not given has its default. Rates have none. */
  readonly limits?: Partial<EngineLimits>;
  /** IP addresses and CIDR networks of the peers that come first in a flood. */
  readonly knownPeers?: readonly string[];
  /** Told every second what was dropped since then, if anything was. */
  readonly onDropped?: (report: DropReport) => void;
  /** Who may begin a call, with other engines of the application together; absent: everybody. */
  readonly callGate?: CallGate;
  /** Told soon of new calls that the gate kept out; each got 503. */
  readonly onRefused?: (calls: readonly RefusedCall[]) => void;
  /** Told every second of requests that the engine has answered by itself, if there were any; refused calls left out. */
  readonly onAnswered?: (answers: readonly OwnAnswer[]) => void;
  /** Requests above this leave by TCP where the peer takes it; 0: never. Default 1300 (RFC 3261 §18.1.1). */
  readonly udpSizeSwitchBytes?: number;
  /** Where host names and SRV records are asked for; absent: the system. */
  readonly lookUp?: LookUp;
  /** Needed where `listen` has a tls point. */
  readonly tls?: TlsSettings | undefined;
  /** A TLS handshake, of a peer's or of ours, came to nothing; told of the first ones only when there are many. */
  readonly onHandshakeFailed?: (failure: HandshakeFailure) => void;
  /** Told of an exception inside the engine; the engine goes on without what caused it. */
  readonly onBug?: (error: unknown) => void;
}

export interface EngineCounts {
  /** Early ones included. */
  readonly dialogs: number;
  /** Requests of the network that an application has to answer. */
  readonly unanswered: number;
  /** INVITEs and SUBSCRIBEs of applications without final answer. */
  readonly calling: number;
}

/** One running SIP engine: its SIP listen points and the port for its applications. */
export interface Engine {
  readonly adminPort: number;
  readonly listenPoints: readonly ListenPoint[];
  /** What is under way now. */
  counts(): EngineCounts;
  /** Names the known peers anew, in place of `knownPeers`. */
  setKnownPeers(networks: readonly string[]): void;
  /**
   * Takes new requests on `ports` from now on, and on no others; one that is left out goes on for the dialogs and
   * requests under way on it, for an hour at most.
   */
  serve(ports: readonly OpenPort[], settings: PortSettings): void;
  /** Takes nothing new any more; `onOver` is told when nothing is under way, unless it serves again by then. */
  retire(onOver: () => void): void;
  /** Ends all dialogs and closes all sockets. */
  close(): Promise<void>;
}

const REPORT_MS = 1000;
const REFUSAL_REPORT_MS = 100;
const DEFAULT_TIMERS: TimerValues = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 };

/** Starts a SIP engine; rejects when an address cannot be bound, and then leaves nothing open. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const timers = { ...DEFAULT_TIMERS, ...options.timers };
  // What arrives before the engine is complete is lost like any early datagram; its sender repeats it.
  let network: NetworkSide | undefined;
  const user: TransactionUser = {
    onRequest: (transaction, request, flow) => network?.onRequest(transaction, request, flow),
    onAck: (request, flow) => network?.onAck(request, flow),
    onCancel: (cancel, invite, flow) => network?.onCancel(cancel, invite, flow),
    onStrayResponse: (response) => network?.onStrayResponse(response),
  };
  const onBug = options.onBug ?? ((): void => undefined);
  const dialogs = new DialogStore();
  const layer = await startTransactionLayer({
    ...options,
    user,
    timers,
    onBug,
    isDialog: (callId) => dialogs.hasCallId(callId),
  });
  layer.admission.setKnownPeers(options.knownPeers ?? []);
  const core: Core = {
    layer,
    timers,
    dialogs,
    answers: new Map(),
    invites: new Map(),
    subscribes: new Map(),
    pendingIds: new Set(),
    guard: (run) => void guarded(run, onBug),
    pick: (method) => admin?.pick(method),
    methods: () => admin?.methods() ?? [],
  };
  let admin: AdminServer | undefined;
  try {
    admin = await startAdmin(options, core);
  } catch (error) {
    await layer.close();
    throw error;
  }
  network = new NetworkSide(core);
  const { port } = admin;
  const stopReports = startReports(layer, options);
  const listening = listenerOf(core, options);
  const close = async (): Promise<void> => {
    stopReports();
    listening.stop();
    await admin.close();
    await layer.close();
  };
  return {
    adminPort: port,
    get listenPoints() {
      return layer.listenPoints;
    },
    counts: () => countsOf(core),
    serve: listening.serve,
    retire: listening.retire,
    setKnownPeers: (networks) => layer.admission.setKnownPeers(networks),
    close,
  };
}

function countsOf({ dialogs, answers, invites, subscribes }: Core): EngineCounts {
  return {
    dialogs: dialogs.size,
    unanswered: answers.size,
    calling: invites.size + subscribes.size,
  };
}

/** Changes where the engine listens. */
function listenerOf(
  core: Core,
  { limits, tls }: EngineOptions,
): Pick<Engine, 'serve' | 'retire'> & { stop(): void } {
  const { ports } = core.layer;
  let settings: PortSettings = { limits: { ...DEFAULT_ENGINE_LIMITS, ...limits }, tls };
  let onOver: (() => void) | undefined;
  const retiring = new RetiringPorts(core, () => onOver?.());
  return {
    serve: (served, next) => {
      onOver = undefined;
      settings = next;
      ports.serve(served, settings);
      retiring.update();
    },
    retire: (over) => {
      onOver = over;
      ports.serve([], settings);
      retiring.update();
      if (ports.retiring.length === 0) over();
    },
    stop: () => retiring.stop(),
  };
}

function startAdmin(options: EngineOptions, core: Core): Promise<AdminServer> {
  const app = new AppSide(core);
  const user: ConnectionUser = {
    onCommand: (connection, command) => app.onCommand(connection, command),
    onGone: (connection) => core.guard(() => app.onGone(connection)),
  };
  const welcome = {
    secret: options.secret,
    get hostports() {
      const points = core.layer.listenPoints;
      return points.map((point) => `${point.protocol}/${hostPortOf(point)}`).join(',');
    },
    version: PROTOCOL_VERSION,
  };
  return AdminServer.start({ ...options.admin, welcome, user });
}

/** Tells what was dropped, refused and answered, each at its pace; the function ends it with a last word. */
function startReports(layer: TransactionLayer, options: EngineOptions): () => void {
  const { onDropped, onRefused, onAnswered } = options;
  const timers: NodeJS.Timeout[] = [];
  const refusals = (): void => {
    const calls = layer.takeRefusedCalls();
    if (calls.length > 0) onRefused?.(calls);
  };
  if (onRefused !== undefined) timers.push(setInterval(refusals, REFUSAL_REPORT_MS));
  const answers = (): void => {
    const own = layer.ownAnswers.takeReport();
    if (own.length > 0) onAnswered?.(own);
  };
  if (onAnswered !== undefined) timers.push(setInterval(answers, REPORT_MS));
  if (onDropped !== undefined) {
    const drops = (): void => {
      const report = layer.admission.takeDropReport();
      if (report !== undefined) onDropped(report);
    };
    timers.push(setInterval(drops, REPORT_MS));
  }
  return () => {
    for (const timer of timers) clearInterval(timer);
    refusals();
    answers();
  };
}

/** One message or timer may fail, not the engine with all its calls. */
async function guarded(
  run: () => void | Promise<void>,
  onBug: (error: unknown) => void,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    onBug(error);
  }
}
