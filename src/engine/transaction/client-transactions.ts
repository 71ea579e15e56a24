import { formatSipMessage } from '../../wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import { pathKey } from '../transport/address.ts';
import type { Destination, Flow } from '../transport/flow.ts';
import type { Route } from '../transport/routes.ts';
import { SizeSwitch } from '../transport/size-switch.ts';
import { ClientRequest } from './client-request.ts';
import type { ClientRequestOwner } from './client-request.ts';
import { ClientRun, createBranch, withVia } from './client-run.ts';
import type { ClientOrder, ClientRunOwner } from './client-run.ts';
import type { LayerContext } from './layer-context.ts';
import { clientKey, clientKeyOf } from './transaction-keys.ts';
import type { ClientHandler, ClientTransaction, SendResult } from './transaction-user.ts';

const IGNORE: ClientHandler = {
  onResponse: () => undefined,
  onTimeout: () => undefined,
  onTransportError: () => undefined,
};

/** All requests we have sent that may still be answered. */
export class ClientTransactions implements ClientRunOwner, ClientRequestOwner {
  readonly sizeSwitch: SizeSwitch;
  readonly #context: LayerContext;
  readonly #runs = new Map<string, ClientRun>();
  readonly #byPath = new Map<string, Set<ClientRun>>();
  readonly #paths = new Map<ClientRun, string>();

  constructor(context: LayerContext) {
    this.#context = context;
    this.sizeSwitch = new SizeSwitch(context.transports, context.udpSizeSwitchBytes);
  }

  get size(): number {
    return this.#runs.size;
  }

  send(request: SipRequest, destination: Destination, handler: ClientHandler): ClientTransaction {
    const sent = new ClientRequest({ request, destination, handler }, this, this.#context);
    sent.start();
    return sent;
  }

  async sendAck(
    request: SipRequest,
    destination: Destination,
    branch: string = createBranch(),
  ): Promise<SendResult> {
    const { transports, counters } = this.#context;
    const targets = await transports.routes.targets(destination);
    if (typeof targets === 'string') return { type: 'failed', reason: targets };
    const [target] = targets;
    if (target === undefined) throw new RangeError('expected a target');
    try {
      let route = await transports.routes.routeTo(target);
      let bytes = formatSipMessage(withVia(request, branch, route.local));
      const tcp = await this.sizeSwitch.tcpRoute(target, bytes.length, destination);
      if (tcp !== undefined) {
        route = tcp;
        bytes = formatSipMessage(withVia(request, branch, route.local));
      }
      counters.messagesSent += 1;
      const outcome = await transports.sendRequest(bytes, route);
      return outcome.type === 'sent' ? { ...outcome, bytes } : outcome;
    } catch (error) {
      return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  startRun(order: ClientOrder): ClientRun {
    const run = new ClientRun(order, this, this.#context);
    this.#runs.set(clientKey(order.request), run);
    run.start();
    return run;
  }

  startCancel(cancel: SipRequest, route: Route): void {
    try {
      const bytes = formatSipMessage(cancel);
      this.startRun({ request: cancel, bytes, route, handler: IGNORE });
    } catch {
      // Header fields of the application that cannot be written; it has been told so.
    }
  }

  /** @returns false when no request of ours waits for `response`. */
  receive(response: SipResponse, flow: Flow): boolean {
    const run = this.#runs.get(clientKey(response));
    run?.receive(response, flow);
    return run !== undefined;
  }

  /** Whether a request of ours with this method and branch may still be answered. */
  isWaiting(method: string, branch: string): boolean {
    return this.#runs.has(clientKeyOf(method, branch));
  }

  /** What was sent on this path and is still unanswered has not arrived. */
  failPath(flow: Flow, reason: string): void {
    const runs = [...(this.#byPath.get(pathKey(flow)) ?? [])];
    for (const run of runs) run.fail(reason);
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
