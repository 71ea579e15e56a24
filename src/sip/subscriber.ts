/**
 * The subscriber side of KPML in one dialog: runs the pure machine of dtmf/kpml-subscriber on the wall clock.
 *
 *   start -> SUBSCRIBE -> answer -> machine      NOTIFY -> machine -> answer + digits
 */
import type { KpmlSubscriber, SubscriberOutput } from '../dtmf/kpml-subscriber.ts';
import { getHeader, type SipResponse } from '../wire/sip-message.ts';
import type { EventDialog } from './event-dialog.ts';
import type { ReceivedRequest } from './sip-connection.ts';
import { WakeUp } from './wake-up.ts';

type OutputOf<Type extends SubscriberOutput['type']> = Extract<SubscriberOutput, { type: Type }>;

/** Who hears the digits of the peer. */
export interface SubscriberListener {
  digits(digits: OutputOf<'digits'>['digits'], notifyCSeq: number): void;
  /** Characters that are no digits for us; empty when the body was not read. */
  ignored(
    characters: string,
    reason: OutputOf<'ignoredDigits'>['reason'],
    notifyCSeq: number,
  ): void;
  state(state: OutputOf<'state'>['state'], reason: string): void;
  /** A broken invariant showed while an answer was handled. */
  bug(error: unknown): void;
}

export class DialogSubscriber {
  readonly #machine: KpmlSubscriber;
  readonly #dialog: EventDialog;
  readonly #listener: SubscriberListener;
  readonly #nowMs: () => number;
  readonly #wakeUp: WakeUp;

  constructor(options: {
    readonly machine: KpmlSubscriber;
    readonly dialog: EventDialog;
    readonly listener: SubscriberListener;
    readonly nowMs: () => number;
  }) {
    this.#machine = options.machine;
    this.#dialog = options.dialog;
    this.#listener = options.listener;
    this.#nowMs = options.nowMs;
    this.#wakeUp = new WakeUp({
      expiresAtMs: () => this.#machine.expiresAtMs,
      nowMs: this.#nowMs,
      ring: () => this.#run(this.#machine.expire(this.#nowMs())),
    });
  }

  get state(): KpmlSubscriber['state'] {
    return this.#machine.state;
  }

  /** When it ends unless it is refreshed; `undefined` when there is none. */
  get endsAtMs(): number | undefined {
    return this.#machine.endsAtMs;
  }

  start(): void {
    this.#run(this.#machine.start(this.#nowMs()));
  }

  /** Ends the subscription with Expires: 0. */
  stop(): void {
    this.#run(this.#machine.stop(this.#nowMs()));
  }

  /** The call is over: nothing is sent any more. */
  abandon(): void {
    this.#run(this.#machine.abandon());
    this.#wakeUp.stop();
  }

  /** Answers a NOTIFY for kpml of this dialog. */
  receiveNotify(request: ReceivedRequest): void {
    const { message } = request;
    const outputs = this.#machine.receiveNotify(
      {
        event: getHeader(message, 'Event'),
        subscriptionState: getHeader(message, 'Subscription-State'),
        contentType: getHeader(message, 'Content-Type'),
        body: message.body,
        cseq: cseqOf(request),
      },
      this.#nowMs(),
    );
    this.#run(outputs, request);
  }

  #run(outputs: readonly SubscriberOutput[], request?: ReceivedRequest): void {
    for (const output of outputs) this.#perform(output, request);
    this.#wakeUp.rearm();
  }

  #perform(output: SubscriberOutput, request: ReceivedRequest | undefined): void {
    switch (output.type) {
      case 'subscribe':
        this.#subscribe(output).catch((error: unknown) => this.#listener.bug(error));
        break;
      case 'respond':
        if (request !== undefined) this.#respond(request, output);
        break;
      case 'digits':
        this.#listener.digits(output.digits, output.notifyCSeq);
        break;
      case 'ignoredDigits':
        this.#listener.ignored(output.characters, output.reason, cseqOf(request));
        break;
      case 'state':
        this.#listener.state(output.state, output.reason);
        break;
    }
  }

  #respond(request: ReceivedRequest, output: OutputOf<'respond'>): void {
    const reason = output.reason === undefined ? {} : { reason: output.reason };
    this.#dialog.respond(request, output.status, { ...reason, headers: output.headers });
  }

  async #subscribe(output: OutputOf<'subscribe'>): Promise<void> {
    const { headers } = output;
    const body = output.body === '' ? {} : { body: output.body };
    if (this.#dialog.isUnopened === true) this.#machine.dialogBegins();
    const response = await this.#dialog.request('SUBSCRIBE', { headers, ...body });
    const { message, status } = response;
    this.#run(
      this.#machine.receiveResponse(
        {
          status,
          expires: headerOf(message, 'Expires'),
          minExpires: headerOf(message, 'Min-Expires'),
          retryAfter: headerOf(message, 'Retry-After'),
        },
        this.#nowMs(),
      ),
    );
  }
}

function cseqOf(request: ReceivedRequest | undefined): number {
  if (request === undefined) return 0;
  return Number.parseInt(getHeader(request.message, 'CSeq') ?? '', 10);
}

function headerOf(message: SipResponse | undefined, name: string): string | undefined {
  return message === undefined ? undefined : getHeader(message, name);
}
