import { randomBytes } from 'node:crypto';
import { headerKey } from '../../wire/sip-header-names.ts';
import { formatVia, parseVia } from '../../wire/sip-headers.ts';
import { formatSipMessage, getHeader, prependHeader } from '../../wire/sip-message.ts';
import type { SipHeader, SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { Flow, ListenPoint } from '../transport/flow.ts';
import type { Route } from '../transport/routes.ts';
import { buildAck, buildCancel } from './built-messages.ts';
import { InviteClient } from './invite-client.ts';
import type { ClientOutput } from './invite-client.ts';
import type { Expirable, LayerContext } from './layer-context.ts';
import { NonInviteClient } from './non-invite-client.ts';
import type { Patience } from './timer-values.ts';
import { MAGIC_COOKIE } from './transaction-keys.ts';
import type { ClientHandler } from './transaction-user.ts';

/** What a running client transaction tells the table it stands in. */
export interface ClientRunOwner {
  onPath(run: ClientRun, flow: Flow): void;
  onEnded(run: ClientRun): void;
  /** Starts the transaction of a CANCEL on the way of its INVITE. */
  startCancel(cancel: SipRequest, route: Route): void;
}

export interface ClientOrder {
  /** With our Via. */
  readonly request: SipRequest;
  /** `request` as text. */
  readonly bytes: Buffer;
  readonly route: Route;
  readonly handler: ClientHandler;
  /** Absent: the times of RFC 3261. */
  readonly patience?: Patience;
}

export function createBranch(): string {
  return `${MAGIC_COOKIE}${randomBytes(12).toString('hex')}`;
}

/** `request` with our Via on top; one it has already is replaced, but for its branch. */
export function withVia(request: SipRequest, branch: string, local: ListenPoint): SipRequest {
  const via = formatVia({
    transport: local.protocol.toUpperCase(),
    host: local.address,
    port: local.port,
    parameters: new Map([
      ['branch', branchGiven(request) ?? branch],
      ['rport', ''],
    ]),
  });
  const headers = request.headers.filter(({ name }) => headerKey(name) !== 'via');
  const sent: SipRequest = { ...request, headers };
  prependHeader(sent, 'Via', via);
  return sent;
}

function branchGiven(request: SipRequest): string | undefined {
  const via = getHeader(request, 'via');
  if (via === undefined) return undefined;
  try {
    const branch = parseVia(via).parameters.get('branch');
    return branch?.startsWith(MAGIC_COOKIE) === true ? branch : undefined;
  } catch {
    return undefined;
  }
}

const NOTHING = Buffer.alloc(0);

/** One client transaction at work: joins the machine of its method with transports, clock and handler. */
export class ClientRun implements Expirable {
  readonly request: SipRequest;
  readonly #context: LayerContext;
  readonly #handler: ClientHandler;
  readonly #machine: InviteClient | NonInviteClient;
  readonly #owner: ClientRunOwner;
  #bytes: Buffer;
  #route: Route;
  #isAnnounced = false;
  #cancelHeaders: readonly SipHeader[] = [];

  constructor(order: ClientOrder, owner: ClientRunOwner, context: LayerContext) {
    const { request, bytes, route, handler, patience } = order;
    this.request = request;
    this.#bytes = bytes;
    this.#route = route;
    this.#handler = handler;
    this.#owner = owner;
    this.#context = context;
    const options = {
      timers: context.timers,
      isReliable: route.listenPoint.protocol !== 'udp',
      ...(patience === undefined ? {} : { patience }),
    };
    this.#machine =
      request.method === 'INVITE' ? new InviteClient(options) : new NonInviteClient(options);
  }

  get expiresAtMs(): number | undefined {
    return this.#machine.expiresAtMs;
  }

  start(): void {
    if (this.#route.listenPoint.protocol === 'udp') this.#owner.onPath(this, flowOf(this.#route));
    this.#perform(this.#machine.start(this.#context.nowMs()));
  }

  receive(response: SipResponse, flow: Flow): void {
    // The response can overtake the report that its request has left.
    this.#announce(flow);
    this.#perform(this.#machine.receive(response, this.#context.nowMs()), flow);
    // An INVITE that was heard is not sent again, though its transaction outlives the answer by far.
    if (this.#machine instanceof InviteClient) this.#bytes = NOTHING;
  }

  fail(reason: string): void {
    this.#perform(this.#machine.fail(reason));
  }

  expire(nowMs: number): void {
    this.#perform(this.#machine.expire(nowMs));
  }

  cancel(headers: readonly SipHeader[]): 'sent' | 'waiting' | 'too-late' {
    if (!(this.#machine instanceof InviteClient)) return 'too-late';
    this.#cancelHeaders = headers;
    const { result, outputs } = this.#machine.cancel(this.#context.nowMs());
    this.#perform(outputs);
    return result;
  }

  async #transmit(): Promise<void> {
    const route = this.#route;
    this.#context.counters.messagesSent += 1;
    const outcome = await this.#context.transports.sendRequest(this.#bytes, route);
    if (outcome.type === 'failed') {
      this.fail(outcome.reason);
      return;
    }
    const { connectionId } = outcome.flow;
    if (connectionId !== undefined) {
      this.#route = { ...route, remote: { ...route.remote, connectionId } };
      if (!this.#isAnnounced && !this.#machine.isEnded) this.#owner.onPath(this, outcome.flow);
    }
    this.#announce(outcome.flow);
  }

  #announce(flow: Flow): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.#context.guard(() => this.#handler.onSent?.(this.#bytes, flow));
  }

  #perform(outputs: readonly ClientOutput[], flow?: Flow): void {
    for (const output of outputs) this.#performOne(output, flow);
    this.#context.schedule(this);
    if (this.#machine.isEnded) this.#owner.onEnded(this);
  }

  #performOne(output: ClientOutput, flow: Flow | undefined): void {
    switch (output.type) {
      case 'sendRequest':
        void this.#transmit();
        return;
      case 'sendAck':
        this.#sendAck(output.response);
        return;
      case 'sendCancel':
        this.#owner.startCancel(buildCancel(this.request, this.#cancelHeaders), this.#route);
        return;
      case 'deliver':
        if (flow === undefined) return;
        this.#context.guard(() => {
          this.#handler.onResponse(output.response, flow);
        });
        return;
      case 'timeout':
        this.#context.guard(() => {
          this.#handler.onTimeout();
        });
        return;
      case 'failed':
        this.#context.guard(() => {
          this.#handler.onTransportError(output.reason);
        });
    }
  }

  #sendAck(response: SipResponse): void {
    this.#context.counters.messagesSent += 1;
    // Nothing waits for this ACK: if it is lost the response comes again and so does the ACK.
    const ack = formatSipMessage(buildAck(this.request, response));
    void this.#context.transports.sendRequest(ack, this.#route);
  }
}

function flowOf(route: Route): Flow {
  return {
    protocol: route.local.protocol,
    localAddress: route.local.address,
    localPort: route.local.port,
    remoteAddress: route.remote.address,
    remotePort: route.remote.port,
  };
}
