import { formatSipMessage } from '../../wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { pathKey } from '../transport/address.ts';
import type { Destination, Flow } from '../transport/flow.ts';
import type { Route } from '../transport/routes.ts';
import { ClientRun, createBranch, withVia } from './client-run.ts';
import type { ClientRunOwner } from './client-run.ts';
import type { LayerContext } from './layer-context.ts';
import { clientKey } from './transaction-keys.ts';
import type { ClientHandler, ClientTransaction, SendResult } from './transaction-user.ts';

const IGNORE: ClientHandler = {
  onResponse: () => undefined,
  onTimeout: () => undefined,
  onTransportError: () => undefined,
};

/** All requests we have sent that may still be answered. */
export class ClientTransactions implements ClientRunOwner {
  readonly #context: LayerContext;
  readonly #runs = new Map<string, ClientRun>();
  readonly #byPath = new Map<string, Set<ClientRun>>();
  readonly #paths = new Map<ClientRun, string>();

  constructor(context: LayerContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#runs.size;
  }

  send(request: SipRequest, destination: Destination, handler: ClientHandler): ClientTransaction {
    const branch = createBranch();
    // The real own end is known once the name is resolved; the guess is right unless there are several.
    const guess = this.#context.transports.routes.guess(destination);
    const local = guess ?? { protocol: destination.protocol, address: 'invalid', port: 0 };
    const stamped = withVia(request, branch, local);
    const order = { request: stamped, protocol: destination.protocol, handler };
    const run = new ClientRun(order, this, this.#context);
    this.#runs.set(clientKey(stamped), run);
    run.start(request, branch, destination);
    return run;
  }

  async sendAck(
    request: SipRequest,
    destination: Destination,
    branch: string = createBranch(),
  ): Promise<SendResult> {
    const { transports, counters } = this.#context;
    const route = await transports.routes.find(destination);
    if (typeof route === 'string') return { type: 'failed', reason: route };
    try {
      const bytes = formatSipMessage(withVia(request, branch, route.local));
      counters.messagesSent += 1;
      const outcome = await transports.sendRequest(bytes, route);
      return outcome.type === 'sent' ? { ...outcome, bytes } : outcome;
    } catch (error) {
      return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  startCancel(cancel: SipRequest, route: Route): void {
    const { protocol } = route.listenPoint;
    const run = new ClientRun({ request: cancel, protocol, handler: IGNORE }, this, this.#context);
    this.#runs.set(clientKey(cancel), run);
    run.startOn(route);
  }

  /** @returns false when no request of ours waits for `response`. */
  receive(response: SipResponse, flow: Flow): boolean {
    const run = this.#runs.get(clientKey(response));
    run?.receive(response, flow);
    return run !== undefined;
  }

  /** What was sent on this path and is still unanswered has not arrived. */
  failPath(flow: Flow, reason: string): void {
    for (const run of this.#byPath.get(pathKey(flow)) ?? []) run.fail(reason);
  }

  onPath(run: ClientRun, flow: Flow): void {
    this.#leavePath(run);
    const key = pathKey(flow);
    const runs = this.#byPath.get(key) ?? new Set();
    this.#byPath.set(key, runs.add(run));
    this.#paths.set(run, key);
  }

  onEnded(run: ClientRun): void {
    this.#leavePath(run);
    const key = clientKey(run.request);
    if (this.#runs.get(key) === run) this.#runs.delete(key);
  }

  #leavePath(run: ClientRun): void {
    const key = this.#paths.get(run);
    if (key === undefined) return;
    this.#paths.delete(run);
    const runs = this.#byPath.get(key);
    runs?.delete(run);
    if (runs?.size === 0) this.#byPath.delete(key);
  }
}
