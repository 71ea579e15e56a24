import { ownText } from '../wire/own-bytes.ts';
import type { SipRequest } from '../wire/sip-message.ts';
import {
  attempt,
  clean,
  parseAs,
  type RawMessage,
  type RawRequest,
  type RawResponse,
} from './drachtio-raw.ts';
import type { ReceivedRequest, RespondOptions, RespondOutcome } from './sip-connection.ts';

/** What the library made of a request, and its means to answer it. */
interface LibraryPair {
  readonly request: RawRequest;
  readonly response: RawResponse;
}

/** A request of a peer as the library delivers it. */
export class DrachtioRequest implements ReceivedRequest {
  readonly message: SipRequest;
  readonly dialogId: string;
  readonly isUnsolicited: boolean;
  readonly receivedOn: string | undefined;
  readonly source: ReceivedRequest['source'];
  readonly #onAnswered: (status: number) => void;
  /** Let go with the final answer: a call keeps its INVITE, but not two more copies of it. */
  #library: LibraryPair | undefined;

  constructor(message: SipRequest, library: LibraryPair, onAnswered: (status: number) => void) {
    const { request } = library;
    this.message = message;
    // A part of the frame it came in, which it would keep whole.
    this.dialogId = ownText(request.stackDialogId ?? '');
    this.isUnsolicited = request.source === 'application';
    this.receivedOn = request.receivedOn;
    this.source = {
      address: request.source_address ?? '',
      port: request.source_port ?? 0,
      protocol: request.protocol ?? '',
    };
    this.#library = library;
    this.#onAnswered = onAnswered;
  }

  get text(): string {
    return this.#library?.request.msg.raw ?? '';
  }

  respond(
    status: number,
    options: RespondOptions,
    onOutcome?: (outcome: RespondOutcome) => void,
  ): void {
    const library = this.#library;
    if (library === undefined) {
      onOutcome?.({ type: 'failed', reason: 'already answered' });
      return;
    }
    const { response } = library;
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
      if (status >= 200) {
        this.#library = undefined;
        this.#onAnswered(status);
      }
      const dialogId = ownText(response.meta?.dialogId ?? response.stackDialogId ?? '');
      onOutcome?.({ type: 'sent', message, text: sent?.raw ?? '', dialogId });
    };
    const send = (code: number): boolean =>
      attempt(() => response.send(code, options.reason, sendOptions, done));
    // The library knows only the registered status codes; the class of the code says the same.
    const isTaken = send(status) || send(Math.floor(status / 100) * 100);
    if (!isTaken) onOutcome?.({ type: 'failed', reason: 'connection-lost' });
  }

  onCancel(listener: (cancel: SipRequest | undefined, text: string) => void): void {
    this.#library?.request.on('cancel', (cancel) => {
      this.#onAnswered(487);
      listener(parseAs('request', cancel.raw), cancel.raw ?? '');
    });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
