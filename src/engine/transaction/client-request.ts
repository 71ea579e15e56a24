import { randomUUID } from 'node:crypto';
import { formatSipMessage } from '../../wire/sip-message.ts';
import type { SipHeader, SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { formatHostPort } from '../../wire/sip-uri.ts';
import type { Destination, Flow } from '../transport/flow.ts';
import type { Route } from '../transport/routes.ts';
import type { SizeSwitch } from '../transport/size-switch.ts';
import { createBranch, withVia } from './client-run.ts';
import type { ClientOrder, ClientRun } from './client-run.ts';
import { Failover } from './failover.ts';
import type { Attempt, AttemptFailure } from './failover.ts';
import type { LayerContext } from './layer-context.ts';
import type { Patience } from './timer-values.ts';
import type { ClientHandler, ClientTransaction } from './transaction-user.ts';

/** What a request needs of the table its transactions stand in. */
export interface ClientRequestOwner {
  readonly sizeSwitch: SizeSwitch;
  /** Starts a client transaction. */
  startRun(order: ClientOrder): ClientRun;
}

export interface ClientRequestParts {
  /** Without our Via. */
  readonly request: SipRequest;
  readonly destination: Destination;
  readonly handler: ClientHandler;
}

/** Where one go leads. */
interface Place {
  readonly attempt: Attempt;
  readonly route: Route;
  readonly isSwitched: boolean;
}

/** One go at one address. */
interface Departure extends Place {
  readonly request: SipRequest;
  readonly bytes: Buffer;
  readonly patience: Patience;
}

/**
 * One request on its way to the first address that takes it: a client transaction with a branch of its own for each
 * address (RFC 3263 §4.3). The handler hears of the first sending and of the last outcome.
 *
 * Once it is cancelled no further address is tried: the call would ring again somewhere else.
 */
export class ClientRequest implements ClientTransaction {
  readonly id = randomUUID();
  readonly #parts: ClientRequestParts;
  readonly #owner: ClientRequestOwner;
  readonly #context: LayerContext;
  #failover: Failover | undefined;
  #run: ClientRun | undefined;
  /** Before the first transaction as it will most likely be sent. */
  #request: SipRequest;
  #cancelHeaders: readonly SipHeader[] | undefined;
  #isAnnounced = false;
  #isOver = false;

  constructor(parts: ClientRequestParts, owner: ClientRequestOwner, context: LayerContext) {
    this.#parts = parts;
    this.#owner = owner;
    this.#context = context;
    const { request, destination } = parts;
    // The real own end is known once the name is resolved; the guess is right unless there are several.
    const guess = context.transports.routes.guess(destination);
    const local = guess ?? { protocol: destination.protocol, address: 'invalid', port: 0 };
    this.#request = withVia(request, createBranch(), local);
  }

  get request(): SipRequest {
    return this.#request;
  }

  start(): void {
    void this.#begin();
  }

  cancel(headers: readonly SipHeader[]): 'sent' | 'waiting' | 'too-late' {
    if (this.#isOver || this.#request.method !== 'INVITE') return 'too-late';
    this.#cancelHeaders ??= headers;
    return this.#run?.cancel(headers) ?? 'waiting';
  }

  async #begin(): Promise<void> {
    const { routes } = this.#context.transports;
    const targets = await routes.targets(this.#parts.destination);
    if (typeof targets === 'string') {
      this.#giveUp(targets);
      return;
    }
    const nowMs = this.#context.nowMs();
    this.#failover = new Failover(targets, this.#context.timers, nowMs);
    const first = this.#failover.begin(nowMs);
    if (first !== undefined) await this.#try(first);
  }

  async #try(attempt: Attempt): Promise<void> {
    let departure;
    try {
      departure = await this.#prepare(attempt);
    } catch (error) {
      // What cannot be written for one address cannot be written for any.
      this.#giveUp(error instanceof Error ? error.message : String(error));
      return;
    }
    if (this.#isOver) return;
    if (this.#cancelHeaders !== undefined && this.#isAnnounced) {
      this.#giveUp('cancelled');
      return;
    }
    const { request, bytes, route, patience } = departure;
    this.#request = request;
    const handler = this.#handlerFor(placeOf(departure));
    this.#run = this.#owner.startRun({ request, bytes, route, handler, patience });
    if (this.#cancelHeaders !== undefined) this.#run.cancel(this.#cancelHeaders);
  }

  /** @throws WireError when the request cannot be written. */
  async #prepare(attempt: Attempt): Promise<Departure> {
    const { request: unstamped, destination } = this.#parts;
    const { target, isDatagram } = attempt;
    const branch = createBranch();
    const route = await this.#context.transports.routes.routeTo(target);
    const request = withVia(unstamped, branch, route.local);
    const bytes = formatSipMessage(request);
    const direct = {
      attempt,
      route,
      request,
      bytes,
      patience: attempt.patience,
      isSwitched: false,
    };
    if (isDatagram) return direct;
    const tcp = await this.#owner.sizeSwitch.tcpRoute(target, bytes.length, destination);
    if (tcp === undefined) return direct;
    const overTcp = withVia(unstamped, branch, tcp.local);
    return {
      attempt,
      route: tcp,
      request: overTcp,
      bytes: formatSipMessage(overTcp),
      patience: this.#failover?.switchToTcp(this.#context.nowMs()) ?? attempt.patience,
      isSwitched: true,
    };
  }

  #handlerFor(departure: Place): ClientHandler {
    const { handler } = this.#parts;
    let isAnswered = false;
    let isAbandoned = false;
    return {
      onSent: (bytes, flow) => {
        this.#announce(bytes, flow);
      },
      onResponse: (response, flow) => {
        if (isAbandoned) {
          this.#takeLate(response, flow);
          return;
        }
        isAnswered = true;
        if (response.status === 503 && this.#moveOn('unavailable', departure)) return;
        this.#deliver(response, flow);
      },
      onTimeout: () => {
        isAbandoned = true;
        if (!isAnswered && this.#moveOn('silent', departure)) return;
        this.#isOver = true;
        handler.onTimeout();
      },
      onTransportError: (reason) => {
        if (this.#moveOn('unreachable', departure)) return;
        this.#isOver = true;
        handler.onTransportError(placed(reason, departure.route));
      },
    };
  }

  #announce(bytes: Buffer, flow: Flow): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#parts.handler.onSent?.(bytes, flow);
  }

  #deliver(response: SipResponse, flow: Flow): void {
    if (response.status >= 200) this.#isOver = true;
    this.#parts.handler.onResponse(response, flow);
  }

  /** An address that was given up has answered 2xx after all: the handler has it, or acknowledges and ends it. */
  #takeLate(response: SipResponse, flow: Flow): void {
    this.#isOver = true;
    this.#run?.cancel([]);
    this.#parts.handler.onResponse(response, flow);
  }

  /** @returns false when no other address is left, or none is wanted any more. */
  #moveOn(failure: AttemptFailure, { attempt, isSwitched }: Place): boolean {
    if (failure !== 'unavailable') {
      if (isSwitched) this.#owner.sizeSwitch.noteRefusal(attempt.target);
      else this.#context.transports.routes.noteUnreachable(attempt.target);
    }
    if (this.#isOver || this.#cancelHeaders !== undefined) return false;
    const next = this.#failover?.fail(failure, this.#context.nowMs());
    if (next === undefined) return false;
    this.#run = undefined;
    void this.#try(next);
    return true;
  }

  #giveUp(reason: string): void {
    this.#isOver = true;
    this.#context.guard(() => {
      this.#parts.handler.onTransportError(reason);
    });
  }
}

/** Without the message, which need not live as long as the transaction. */
function placeOf({ attempt, route, isSwitched }: Departure): Place {
  return { attempt, route, isSwitched };
}

/** `reason` with the address that failed, where it does not say so itself. */
function placed(reason: string, { listenPoint, remote }: Route): string {
  if (reason.includes(remote.address)) return reason;
  return `${listenPoint.protocol} ${formatHostPort(remote.address, remote.port)}: ${reason}`;
}
