import { tagOf } from '../../wire/sip-headers.ts';
import { formatSipMessage, getHeader } from '../../wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { Flow } from '../transport/flow.ts';
import type { RemotePoint } from '../transport/transport-events.ts';
import { buildResponse, sizeWarning } from './built-messages.ts';
import type { LayerContext } from './layer-context.ts';
import { createTag } from './local-tag.ts';
import { RefusedCalls } from './refused-calls.ts';
import { screenRequest } from './request-screen.ts';
import { ServerRun } from './server-run.ts';
import { mergeKey, serverKey } from './transaction-keys.ts';
import type { TransactionUser } from './transaction-user.ts';
import { responseTarget, stampVia } from './via-stamp.ts';

const RETRY_AFTER_SECONDS = 5;
/** After a call that is one too many: the pace of the application changes within seconds. */
const RETRY_CALL_AFTER_SECONDS = 10;

/** All requests from the network that are being answered or whose repeats may still come. */
export class ServerTransactions {
  readonly #context: LayerContext;
  readonly #user: TransactionUser;
  readonly #runs = new Map<string, ServerRun>();
  /** Those of them without final answer. */
  readonly #pending = new Set<ServerRun>();
  /** The first way a request outside a dialog came, by what its copies on other ways share. */
  readonly #mergeKeys = new Map<string, ServerRun>();

  readonly refusedCalls: RefusedCalls;

  constructor(context: LayerContext, user: TransactionUser) {
    this.#context = context;
    this.refusedCalls = new RefusedCalls(context.timers);
    this.#user = user;
  }

  get size(): number {
    return this.#runs.size;
  }

  receive(request: SipRequest, flow: Flow): void {
    const screening = screenRequest(request);
    if (screening.type === 'ignore') {
      this.#context.counters.scanners += 1;
      this.#context.admission.drop('scanner', flow.remoteAddress);
      return;
    }
    const key = serverKey(request, request.method);
    if (request.method === 'ACK') {
      this.#receiveAck(request, flow);
      return;
    }
    const known = this.#runs.get(key);
    if (known !== undefined) {
      known.repeat();
      return;
    }
    if (this.#context.transports.isRetiring(flow) && isNew(request)) {
      this.#refuseRetired(request, flow);
      return;
    }
    if (request.method === 'INVITE' && this.#isRefusedCall(key, request, flow)) return;
    if (!this.#hasRoomFor(request, flow)) {
      this.#refuseForOverload(request, flow);
    } else if (screening.type === 'refuse') {
      this.#answer(this.#start(key, request, flow), screening.status, screening.reason);
    } else if (request.method === 'CANCEL') {
      this.#receiveCancel(key, request, flow);
    } else {
      this.#receiveNew(key, request, flow);
    }
  }

  /** Whether `request` repeats, acknowledges or cancels one that has a transaction. */
  has(request: SipRequest): boolean {
    try {
      const isOfInvite = request.method === 'ACK' || request.method === 'CANCEL';
      return (
        this.#runs.has(serverKey(request, request.method)) ||
        (isOfInvite && this.#runs.has(serverKey(request, 'INVITE')))
      );
    } catch {
      return false;
    }
  }

  /** Answers without a transaction: to what is malformed or too much. An ACK is never answered. */
  refuse(request: SipRequest, answer: { status: number; reason: string }, flow: Flow): void {
    if (request.method === 'ACK') return;
    const target = stampForAnswer(request, flow);
    const response = buildResponse(request, answer.status, answer.reason, createTag());
    if (answer.status === 503) {
      response.headers.push({ name: 'Retry-After', value: String(RETRY_AFTER_SECONDS) });
    }
    if (answer.status === 413) response.headers.push(...sizeWarning(request, flow.localAddress));
    const bytes = writable(response);
    if (bytes === undefined) return;
    this.#context.ownAnswers.add(request.method, answer.status);
    this.#context.counters.messagesSent += 1;
    void this.#context.transports.sendResponse(bytes, flow, target);
  }

  /** Whether this is a new call that the application cannot take, or a repeat of one; it is answered then. */
  #isRefusedCall(key: string, request: SipRequest, flow: Flow): boolean {
    const { counters, transports, admission } = this.#context;
    const known = this.refusedCalls.find(key);
    if (known !== undefined) {
      counters.repeatsAbsorbed += 1;
      if (known.refusal === undefined) return true;
      const { bytes, flow: way, target } = known.refusal;
      counters.messagesSent += 1;
      void transports.sendResponse(bytes, way, target);
      return true;
    }
    // What takes the place of a leg is no further call (RFC 3891).
    const isOneMore = isNew(request) && getHeader(request, 'replaces') === undefined;
    if (!isOneMore || admission.mayCall(flow.remoteAddress)) return false;
    counters.overload += 1;
    if (this.refusedCalls.hasRoom) this.#refuseCall(key, request, flow);
    else admission.drop('overload', flow.remoteAddress);
    return true;
  }

  /** 503 without a transaction; the same bytes for every repeat. */
  #refuseCall(key: string, request: SipRequest, flow: Flow): void {
    const { counters, transports } = this.#context;
    const target = stampForAnswer(request, flow);
    const response = buildResponse(request, 503, 'Service Unavailable', createTag());
    response.headers.push({ name: 'Retry-After', value: String(RETRY_CALL_AFTER_SECONDS) });
    const bytes = writable(response);
    if (bytes === undefined) return;
    const refusal = { bytes, flow, target };
    const now = {
      monotonicMs: this.#context.nowMs(),
      wallMs: performance.timeOrigin + performance.now(),
    };
    this.refusedCalls.add(key, request, refusal, now);
    counters.messagesSent += 1;
    void transports.sendResponse(refusal.bytes, flow, target);
  }

  /** Requests inside dialogs are let in longer: they end calls more often than they begin any. */
  #hasRoomFor(request: SipRequest, { remoteAddress }: Flow): boolean {
    const isInDialog = tagOf(getHeader(request, 'to') ?? '') !== undefined;
    const load = { pending: this.#pending.size, kept: this.#runs.size };
    return this.#context.admission.hasRoom(load, { isInDialog, remoteAddress });
  }

  #refuseForOverload(request: SipRequest, flow: Flow): void {
    this.#context.counters.overload += 1;
    this.#refuseRetired(request, flow);
  }

  #refuseRetired(request: SipRequest, flow: Flow): void {
    const { admission } = this.#context;
    if (admission.mayRefuse()) {
      this.refuse(request, { status: 503, reason: 'Service Unavailable' }, flow);
    } else {
      admission.drop('overload', flow.remoteAddress);
    }
  }

  #receiveNew(key: string, request: SipRequest, flow: Flow): void {
    const merge = mergeKey(request);
    const isMerged = merge !== undefined && this.#mergeKeys.has(merge);
    const run = this.#start(key, request, flow);
    if (isMerged) {
      this.#context.counters.merged += 1;
      this.#answer(run, 482, 'Loop Detected');
      return;
    }
    if (merge !== undefined) this.#mergeKeys.set(merge, run);
    const isHandled = this.#context.guard(() => {
      this.#user.onRequest(run, request, flow);
    });
    if (!isHandled && !run.hasFinal) this.#answer(run, 500, 'Server Internal Error');
  }

  #receiveAck(ack: SipRequest, flow: Flow): void {
    const key = serverKey(ack, 'INVITE');
    if (this.refusedCalls.acknowledge(key, this.#context.nowMs())) return;
    const invite = this.#runs.get(key);
    if (invite !== undefined && !invite.receiveAck()) return;
    this.#context.guard(() => {
      this.#user.onAck(ack, flow);
    });
  }

  #receiveCancel(key: string, cancel: SipRequest, flow: Flow): void {
    const invite = this.#runs.get(serverKey(cancel, 'INVITE'));
    const run = this.#start(key, cancel, flow);
    if (invite === undefined) {
      this.#answer(run, 481, 'Call/Transaction Does Not Exist');
      return;
    }
    // The same To tag as in the answers to the INVITE (RFC 3261 §9.2).
    run.localTag = tagOf(getHeader(cancel, 'to') ?? '') ?? invite.localTag;
    this.#answer(run, 200, 'OK');
    this.#context.guard(() => {
      this.#user.onCancel(cancel, invite, flow);
    });
  }

  #start(key: string, request: SipRequest, flow: Flow): ServerRun {
    const merge = mergeKey(request);
    stampVia(request, flow);
    const run = new ServerRun(request, flow, this.#context, {
      onAnswered: (answered) => void this.#pending.delete(answered),
      onEnded: (ended) => {
        this.#runs.delete(key);
        this.#pending.delete(ended);
        if (merge !== undefined && this.#mergeKeys.get(merge) === ended)
          this.#mergeKeys.delete(merge);
      },
    });
    this.#runs.set(key, run);
    this.#pending.add(run);
    return run;
  }

  #answer(run: ServerRun, status: number, reason: string): void {
    this.#context.ownAnswers.add(run.request.method, status);
    void run.send(buildResponse(run.request, status, reason, run.localTag));
  }
}

/** Whether a request belongs to nothing: what begins calls and subscriptions, and what stands alone. */
function isNew(request: SipRequest): boolean {
  return request.method !== 'CANCEL' && tagOf(getHeader(request, 'to') ?? '') === undefined;
}

/** Fields that cannot be written back cannot be answered. */
function writable(response: SipResponse): Buffer | undefined {
  try {
    return formatSipMessage(response);
  } catch {
    return undefined;
  }
}

/** Stamps the Via and finds the way back; a request whose Via nobody can read is answered to its source. */
function stampForAnswer(request: SipRequest, flow: Flow): RemotePoint {
  try {
    stampVia(request, flow);
    return responseTarget(request, flow);
  } catch {
    const source = { address: flow.remoteAddress, port: flow.remotePort };
    return flow.connectionId === undefined
      ? source
      : { ...source, connectionId: flow.connectionId };
  }
}
