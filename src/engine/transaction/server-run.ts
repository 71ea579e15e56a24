import { randomUUID } from 'node:crypto';
import { tagOf } from '../../wire/sip-headers.ts';
import { formatSipMessage, getHeader } from '../../wire/sip-message.ts';
import type { SipRequest, SipResponse } from '../../wire/sip-message.ts';
import type { Flow } from '../transport/flow.ts';
import type { RemotePoint } from '../transport/transport-events.ts';
import { InviteServer } from './invite-server.ts';
import type { ServerOutput } from './invite-server.ts';
import type { Expirable, LayerContext } from './layer-context.ts';
import { createTag } from './local-tag.ts';
import { NonInviteServer } from './non-invite-server.ts';
import type { SendResult, ServerTransaction } from './transaction-user.ts';
import { responseTarget } from './via-stamp.ts';

/** Told once each, in this order. */
export interface ServerRunWatcher {
  /** The final answer was given. */
  onAnswered(run: ServerRun): void;
  /** No repeat can come any more. */
  onEnded(run: ServerRun): void;
}

/** One server transaction at work: joins the machine of its method with transports and clock. */
export class ServerRun implements ServerTransaction, Expirable {
  readonly id = randomUUID();
  readonly request: SipRequest;
  readonly flow: Flow;
  localTag: string;
  readonly #context: LayerContext;
  readonly #machine: InviteServer | NonInviteServer;
  readonly #target: RemotePoint;
  readonly #watcher: ServerRunWatcher;
  #isAnswered = false;
  #latest: Buffer | undefined;

  /** @param request with the stamped Via. */
  constructor(request: SipRequest, flow: Flow, context: LayerContext, watcher: ServerRunWatcher) {
    this.request = request;
    this.flow = flow;
    this.localTag = tagOf(getHeader(request, 'to') ?? '') ?? createTag();
    this.#context = context;
    this.#watcher = watcher;
    this.#target = responseTarget(request, flow);
    const options = { timers: context.timers, isReliable: flow.protocol !== 'udp' };
    this.#machine =
      request.method === 'INVITE'
        ? new InviteServer(options)
        : new NonInviteServer(options, context.nowMs());
    context.schedule(this);
  }

  get hasFinal(): boolean {
    return this.#machine.hasFinal;
  }

  get expiresAtMs(): number | undefined {
    return this.#machine.expiresAtMs;
  }

  async send(response: SipResponse): Promise<SendResult> {
    let bytes: Buffer;
    try {
      bytes = formatSipMessage(response);
    } catch (error) {
      return { type: 'failed', reason: error instanceof Error ? error.message : String(error) };
    }
    const outputs = this.#machine.respond(response.status, this.#context.nowMs());
    if (outputs === undefined)
      return { type: 'failed', reason: 'transaction takes no such response any more' };
    // A 2xx to INVITE is repeated from above only (RFC 6026 §7.1).
    this.#latest = this.#repeats(response.status) ? bytes : undefined;
    this.#settle();
    const outcome = await this.#transmit(bytes);
    return outcome.type === 'sent' ? { ...outcome, bytes } : outcome;
  }

  /** The same request came again. */
  repeat(): void {
    this.#context.counters.repeatsAbsorbed += 1;
    this.#perform(this.#machine.receiveRequest());
  }

  /** @returns whether the ACK, which belongs to this INVITE, is for the layer above. */
  receiveAck(): boolean {
    if (!(this.#machine instanceof InviteServer)) return false;
    const outputs = this.#machine.receiveAck(this.#context.nowMs());
    this.#settle();
    return outputs.some(({ type }) => type === 'deliverAck');
  }

  expire(nowMs: number): void {
    this.#perform(this.#machine.expire(nowMs));
  }

  #repeats(status: number): boolean {
    return status < 200 || status >= 300 || !(this.#machine instanceof InviteServer);
  }

  #perform(outputs: readonly ServerOutput[]): void {
    const mustSend = outputs.some(({ type }) => type === 'sendLatest');
    if (mustSend && this.#latest !== undefined) void this.#transmit(this.#latest);
    this.#settle();
  }

  #settle(): void {
    this.#context.schedule(this);
    if (this.hasFinal && !this.#isAnswered) {
      this.#isAnswered = true;
      this.#watcher.onAnswered(this);
    }
    if (this.#machine.isEnded) this.#watcher.onEnded(this);
  }

  async #transmit(bytes: Buffer): ReturnType<LayerContext['transports']['sendResponse']> {
    this.#context.counters.messagesSent += 1;
    return await this.#context.transports.sendResponse(bytes, this.flow, this.#target);
  }
}
