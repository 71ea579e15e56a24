import type { SipRequest } from '../wire/sip-message.ts';
import {
  clean,
  parseAs,
  type RawMessage,
  type RawRequest,
  type RawResponse,
} from './drachtio-raw.ts';
import type { ReceivedRequest, RespondOptions, RespondOutcome } from './sip-connection.ts';

/** A request of a peer as the library delivers it. */
export class DrachtioRequest implements ReceivedRequest {
  readonly message: SipRequest;
  readonly #request: RawRequest;
  readonly #response: RawResponse;
  readonly #onAnswered: (status: number) => void;

  constructor(
    message: SipRequest,
    request: RawRequest,
    response: RawResponse,
    onAnswered: (status: number) => void,
  ) {
    this.message = message;
    this.#request = request;
    this.#response = response;
    this.#onAnswered = onAnswered;
  }

  get text(): string {
    return this.#request.msg.raw ?? '';
  }

  get dialogId(): string {
    return this.#request.stackDialogId ?? '';
  }

  get isUnsolicited(): boolean {
    return this.#request.source === 'application';
  }

  get receivedOn(): string | undefined {
    return this.#request.receivedOn;
  }

  get source(): { address: string; port: number; protocol: string } {
    return {
      address: this.#request.source_address ?? '',
      port: this.#request.source_port ?? 0,
      protocol: this.#request.protocol ?? '',
    };
  }

  respond(
    status: number,
    options: RespondOptions,
    onOutcome?: (outcome: RespondOutcome) => void,
  ): void {
    const sendOptions = {
      headers: clean(options.headers ?? {}),
      ...(options.body === undefined ? {} : { body: options.body }),
    };
    const done = (error: unknown, sent?: RawMessage): void => {
      const message = sent === undefined ? undefined : parseAs('response', sent.raw);
      if (message === undefined) {
        onOutcome?.({ type: 'failed', reason: describe(error) });
        return;
      }
      if (status >= 200) this.#onAnswered(status);
      const dialogId = this.#response.meta?.dialogId ?? this.#response.stackDialogId ?? '';
      onOutcome?.({ type: 'sent', message, text: sent?.raw ?? '', dialogId });
    };
    try {
      this.#response.send(status, options.reason, sendOptions, done);
    } catch {
      // The library knows only the registered status codes; the class of the code says the same.
      this.#response.send(Math.floor(status / 100) * 100, options.reason, sendOptions, done);
    }
  }

  onCancel(listener: (cancel: SipRequest | undefined, text: string) => void): void {
    this.#request.on('cancel', (cancel) => {
      this.#onAnswered(487);
      listener(parseAs('request', cancel.raw), cancel.raw ?? '');
    });
  }

  onEarlyUpdate(listener: (update: ReceivedRequest) => void): void {
    this.#request.on('update', (request, response) => {
      const message = parseAs('request', request.msg.raw);
      if (message === undefined) return;
      listener(new DrachtioRequest(message, request, response, () => undefined));
    });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
