/** A KPML phone that reports keys in the documents deployed phones and gateways send, read by our subscriber. */
import { KpmlSubscriber } from '../../../src/dtmf/kpml-subscriber.ts';
import { KPML_RESPONSE_TYPE } from '../../../src/wire/kpml.ts';
import { formatKpmlResponse } from '../../../src/wire/kpml-response.ts';
import type { KeyPress } from './keypad-stream.ts';

/** Keys that our subscriber hands on. */
export interface TypedKeys {
  readonly atMs: number;
  readonly digits: readonly string[];
}

/** One report in several manners: ours, a gateway's, and a careless one. */
const DOCUMENTS: readonly ((digits: string) => string)[] = [
  (digits) =>
    formatKpmlResponse({
      code: 200,
      text: 'OK',
      digits,
      isSuppressed: false,
      isForcedFlush: false,
    }),
  (digits) =>
    `<?xml version="1.0" encoding="UTF-8"?><kpml-response version="1.0" code="200" text="OK" digits="${digits}" tag="dtmf"/>`,
  (digits) =>
    `<k:kpml-response xmlns:k='urn:ietf:params:xml:ns:kpml-response'\n digits = ' ${digits.toLowerCase()} ' text='success' code='200' version='1.0'></k:kpml-response>`,
];

/** Most keys of one report. */
const LONGEST_REPORT = 4;

export class KpmlTypist {
  readonly #random: () => number;
  readonly #subscriber: KpmlSubscriber;
  #cseq = 1;

  constructor(random: () => number) {
    this.#random = random;
    this.#subscriber = new KpmlSubscriber({
      expiresSeconds: 7200,
      flash: false,
      tolerateMissingState: false,
      random,
    });
    this.#subscriber.start(0);
    this.#subscriber.receiveResponse({ status: 200, expires: '7200' }, 0);
    this.#notify('', 0);
  }

  /** Reports the keys, some of them together, some requests twice. */
  type(presses: readonly KeyPress[]): TypedKeys[] {
    const typed: TypedKeys[] = [];
    for (let index = 0; index < presses.length;) {
      const size = 1 + Math.floor(this.#random() ** 3 * LONGEST_REPORT);
      const reported = presses.slice(index, index + size);
      index += reported.length;
      const atMs = reported.at(-1)?.atMs ?? 0;
      const digits = reported.map(({ key }) => key).join('');
      typed.push({ atMs, digits: this.#notify(digits, atMs) });
    }
    return typed;
  }

  #notify(digits: string, nowMs: number): string[] {
    const document = DOCUMENTS[Math.floor(this.#random() * DOCUMENTS.length)];
    const body = Buffer.from(digits === '' ? '' : (document?.(digits) ?? ''));
    this.#cseq += 1 + Math.floor(this.#random() * 2);
    const notify = {
      event: 'kpml',
      subscriptionState: 'active;expires=7200',
      contentType: body.length === 0 ? undefined : KPML_RESPONSE_TYPE,
      body,
      cseq: this.#cseq,
    };
    const copies = this.#random() < 0.1 ? 2 : 1;
    const outputs = Array.from({ length: copies }, () =>
      this.#subscriber.receiveNotify(notify, nowMs),
    ).flat();
    return outputs.flatMap((output) => (output.type === 'digits' ? output.digits : []));
  }
}
