import { randomBytes, randomUUID } from 'node:crypto';
import { formatVia } from '../../wire/sip-headers.ts';
import { formatSipMessage, prependHeader } from '../../wire/sip-message.ts';
import type { SipHeader, SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { Destination, Flow, ListenPoint, TransportProtocol } from '../transport/flow.ts';
import type { Route } from '../transport/routes.ts';
import type { SendOutcome } from '../transport/transport-events.ts';
import { buildAck, buildCancel } from './built-messages.ts';
import { InviteClient } from './invite-client.ts';
import type { ClientOutput } from './invite-client.ts';
import type { Expirable, LayerContext } from './layer-context.ts';
import { NonInviteClient } from './non-invite-client.ts';
import { MAGIC_COOKIE } from './transaction-keys.ts';
import type { ClientHandler, ClientTransaction } from './transaction-user.ts';

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
  readonly protocol: TransportProtocol;
  readonly handler: ClientHandler;
}

export function createBranch(): string {
  return `${MAGIC_COOKIE}${randomBytes(12).toString('hex')}`;
}

/** `request` with our Via on top. */
export function withVia(request: SipRequest, branch: string, local: ListenPoint): SipRequest {
  const via = formatVia({
    transport: local.protocol.toUpperCase(),
    host: local.address,
    port: local.port,
    parameters: new Map([
      ['branch', branch],
      ['rport', ''],
    ]),
  });
  const sent: SipRequest = { ...request, headers: [...request.headers] };
  prependHeader(sent, 'Via', via);
  return sent;
}

/** One client transaction at work: joins the machine of its method with transports, clock and handler. */
export class ClientRun implements ClientTransaction, Expirable {
  readonly id = randomUUID();
  readonly #context: LayerContext;
  readonly #handler: ClientHandler;
  readonly #machine: InviteClient | NonInviteClient;
  readonly #owner: ClientRunOwner;
  #request: SipRequest;
  #bytes: Buffer | undefined;
  #route: Route | undefined;
  #isAnnounced = false;
  #cancelHeaders: readonly SipHeader[] = [];

  constructor(order: ClientOrder, owner: ClientRunOwner, context: LayerContext) {
    this.#request = order.request;
    this.#handler = order.handler;
    this.#owner = owner;
    this.#context = context;
    const options = { timers: context.timers, isReliable: order.protocol !== 'udp' };
    this.#machine =
      order.request.method === 'INVITE' ? new InviteClient(options) : new NonInviteClient(options);
  }

  get request(): SipRequest {
    return this.#request;
  }

  get expiresAtMs(): number | undefined {
    return this.#machine.expiresAtMs;
  }

  /** Sends `unstamped` to `destination` under a Via with `branch`, once it is known where that is. */
  start(unstamped: SipRequest, branch: string, destination: Destination): void {
    // The machine's first output is the sending itself, done by #launch when the route is known.
    this.#machine.start(this.#context.nowMs());
    this.#context.schedule(this);
    void this.#launch(async () => {
      const route = await this.#context.transports.routes.find(destination);
      if (typeof route !== 'string') this.#request = withVia(unstamped, branch, route.local);
      return route;
    });
  }

  /** Sends the request, whose Via is complete, on a known route. */
  startOn(route: Route): void {
    this.#machine.start(this.#context.nowMs());
    this.#context.schedule(this);
    void this.#launch(async () => await Promise.resolve(route));
  }

  receive(response: SipResponse, flow: Flow): void {
    // The response can overtake the report that its request has left.
    this.#announce(flow);
    this.#perform(this.#machine.receive(response, this.#context.nowMs()), flow);
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

  async #launch(findRoute: () => Promise<Route | string>): Promise<void> {
    const route = await findRoute();
    if (this.#machine.isEnded) return;
    if (typeof route === 'string') {
      this.fail(route);
      return;
    }
    this.#route = route;
    try {
      this.#bytes = formatSipMessage(this.#request);
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
      return;
    }
    if (route.listenPoint.protocol === 'udp') this.#owner.onPath(this, flowOf(route));
    await this.#transmit(this.#bytes, route);
  }

  async #transmit(bytes: Buffer, route: Route): Promise<void> {
    this.#context.counters.messagesSent += 1;
    const outcome: SendOutcome = await this.#context.transports.sendRequest(bytes, route);
    if (outcome.type === 'failed') {
      this.fail(outcome.reason);
      return;
    }
    const { connectionId } = outcome.flow;
    if (connectionId !== undefined) {
      this.#route = { ...route, remote: { ...route.remote, connectionId } };
      if (!this.#isAnnounced) this.#owner.onPath(this, outcome.flow);
    }
    this.#announce(outcome.flow);
  }

  #announce(flow: Flow): void {
    const bytes = this.#bytes;
    if (this.#isAnnounced || bytes === undefined) return;
    this.#isAnnounced = true;
    this.#context.guard(() => this.#handler.onSent?.(bytes, flow));
  }

  #perform(outputs: readonly ClientOutput[], flow?: Flow): void {
    for (const output of outputs) this.#performOne(output, flow);
    this.#context.schedule(this);
    if (this.#machine.isEnded) this.#owner.onEnded(this);
  }

  #performOne(output: ClientOutput, flow: Flow | undefined): void {
    const route = this.#route;
    switch (output.type) {
      case 'sendRequest':
        // While the name is being resolved there is nothing to repeat yet.
        if (this.#bytes !== undefined && route !== undefined)
          void this.#transmit(this.#bytes, route);
        return;
      case 'sendAck':
        if (route !== undefined) this.#sendAck(output.response, route);
        return;
      case 'sendCancel':
        if (route === undefined) return;
        this.#owner.startCancel(buildCancel(this.#request, this.#cancelHeaders), route);
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

  #sendAck(response: SipResponse, route: Route): void {
    this.#context.counters.messagesSent += 1;
    // Nothing waits for this ACK: if it is lost the response comes again and so does the ACK.
    void this.#context.transports.sendRequest(
      formatSipMessage(buildAck(this.#request, response)),
      route,
    );
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
