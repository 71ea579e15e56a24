/**
 * Both roles of KPML in one INVITE dialog (RFC 4730): the keypad that is subscribed to, and the listener that subscribes.
 *
 *   listener                      keypad
 *      |-------- SUBSCRIBE -------->|   Event: kpml, pattern
 *      |<----------- 200 -----------|   Expires
 *      |<--------- NOTIFY ----------|   active, no body
 *      |<--------- NOTIFY ----------|   digits="1"   (one per key, each after the 200 of the one before)
 */

import type { Reply, SipDialog } from './sip-dialog.ts';
import { headerValue, statusOf } from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';
import { PATIENCE_MS, sleep, waitFor } from './wait-for.ts';

export interface KeypadOptions {
  /** Longest lifetime granted, default 7200. */
  readonly expiresSeconds?: number;
  /** Answers SUBSCRIBE instead of the keypad. */
  readonly refuseWith?: number;
  /** False leaves out xmlns, as Cisco IOS does. */
  readonly hasNamespace?: boolean;
}

export interface KeyRecord {
  readonly digits: string;
  /** Milliseconds of the monotonic clock. */
  readonly atMs: number;
}

/** The notifier: reports its keys to whoever subscribed. */
export class KpmlKeypad {
  /** Every SUBSCRIBE that came. */
  readonly subscribes: SipText[] = [];
  /** Every key that was reported and answered 200. */
  readonly pressed: KeyRecord[] = [];
  readonly problems: string[] = [];
  isSubscribed = false;

  readonly #dialog: SipDialog;
  readonly #options: KeypadOptions;
  #event = 'kpml';
  #tag: string | undefined;
  #expiresAtMs = 0;
  #firstNotify: Promise<void> = Promise.resolve();

  constructor(dialog: SipDialog, options: KeypadOptions = {}) {
    this.#dialog = dialog;
    this.#options = options;
    dialog.handle('SUBSCRIBE', (request) => this.#receiveSubscribe(request));
  }

  /** Resolves when somebody has subscribed and the first NOTIFY was answered. */
  async waitForSubscription(timeoutMs = PATIENCE_MS): Promise<void> {
    await waitFor('kpml subscription', () => this.isSubscribed, { timeoutMs });
    await this.#firstNotify;
  }

  /** Reports keys one by one; each waits for the 200 of the one before, and `gapMs` at least lies between two. */
  async press(digits: string, gapMs = 60): Promise<void> {
    if (!this.isSubscribed) throw new Error('nobody has subscribed to the keypad');
    await this.#firstNotify;
    for (const digit of digits) {
      const atMs = performance.now();
      await this.#notify(this.#activeState(), this.#responseBody(digit));
      this.pressed.push({ digits: digit, atMs });
      await sleep(Math.max(0, gapMs - (performance.now() - atMs)));
    }
  }

  /** Sends one NOTIFY with any digits attribute, whatever the subscription's state. */
  async reportRaw(digits: string): Promise<void> {
    await this.#notify(this.#activeState(), this.#responseBody(digits));
  }

  /** Ends the subscription from this side. */
  async terminate(reason: string): Promise<void> {
    this.isSubscribed = false;
    await this.#notify(`terminated;reason=${reason}`);
  }

  #receiveSubscribe(request: SipText): Reply {
    this.subscribes.push(request);
    if (this.#options.refuseWith !== undefined) return { status: this.#options.refuseWith };
    this.#inspect(request);
    const asked = Number(headerValue(request, 'Expires') ?? 7200);
    const expires = Math.min(asked, this.#options.expiresSeconds ?? 7200);
    this.#event = headerValue(request, 'Event') ?? 'kpml';
    this.#tag = /<regex[^>]*\stag="([^"]*)"/.exec(request.body)?.[1] ?? this.#tag;
    this.#expiresAtMs = performance.now() + expires * 1000;
    this.isSubscribed = expires > 0;
    const state = expires > 0 ? `active;expires=${expires}` : 'terminated;reason=timeout';
    this.#firstNotify = new Promise((resolve) => {
      // The 200 leaves first.
      setImmediate(() => {
        this.#notify(state)
          .catch((error: unknown) => this.problems.push(String(error)))
          .finally(resolve);
      });
    });
    return { status: 200, headers: [['Expires', String(expires)]] };
  }

  #inspect(request: SipText): void {
    const event = headerValue(request, 'Event') ?? '';
    if (event.split(';')[0] !== 'kpml') this.problems.push(`SUBSCRIBE with Event: ${event}`);
    const accept = headerValue(request, 'Accept') ?? 'application/kpml-response+xml';
    if (!accept.includes('application/kpml-response+xml')) this.problems.push(`Accept: ${accept}`);
    if (request.body === '') return;
    const type = headerValue(request, 'Content-Type');
    if (type !== 'application/kpml-request+xml') this.problems.push(`Content-Type: ${type}`);
    if (!request.body.includes('<regex')) this.problems.push('a pattern without regex');
  }

  async #notify(state: string, body?: string): Promise<void> {
    const headers: Header[] = [
      ['Event', this.#event],
      ['Subscription-State', state],
    ];
    const contentType = 'application/kpml-response+xml';
    const options = body === undefined ? { headers } : { headers, body, contentType };
    const response = await this.#dialog.request('NOTIFY', options);
    if (statusOf(response) !== 200) throw new Error(`NOTIFY answered ${response.startLine}`);
  }

  #activeState(): string {
    return `active;expires=${Math.max(0, Math.round((this.#expiresAtMs - performance.now()) / 1000))}`;
  }

  #responseBody(digits: string): string {
    const isNamespaced = this.#options.hasNamespace !== false;
    const namespace = isNamespaced ? ' xmlns="urn:ietf:params:xml:ns:kpml-response"' : '';
    const tag = this.#tag === undefined ? '' : ` tag="${this.#tag}"`;
    return (
      '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
      `<kpml-response${namespace} version="1.0" code="200" text="OK" digits="${digits}"${tag}` +
      ' suppressed="false" forced_flush="false"/>\r\n'
    );
  }
}

/** The subscriber: collects the keys that the other end reports. */
export class KpmlListener {
  readonly notifies: SipText[] = [];
  /** Reports that carried keys. */
  readonly reports: KeyRecord[] = [];
  readonly problems: string[] = [];
  /** The newest Subscription-State, empty before the first NOTIFY. */
  state = '';
  /** How long it takes to answer a NOTIFY. */
  answerAfterMs = 0;

  readonly #dialog: SipDialog;

  constructor(dialog: SipDialog) {
    this.#dialog = dialog;
    dialog.handle('NOTIFY', (request) => this.#receiveNotify(request));
  }

  /** All keys received, in order. */
  get digits(): string {
    return this.reports.map((report) => report.digits).join('');
  }

  /** Sends SUBSCRIBE and gives its answer, whatever it is. */
  subscribe(
    options: { expiresSeconds?: number; pattern?: string; event?: string } = {},
  ): Promise<SipText> {
    const { expiresSeconds = 7200, pattern = '[x*#ABCD]', event = 'kpml' } = options;
    return this.#dialog.request('SUBSCRIBE', {
      headers: [
        ['Event', event],
        ['Expires', String(expiresSeconds)],
        ['Accept', 'application/kpml-response+xml'],
      ],
      contentType: 'application/kpml-request+xml',
      body:
        '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
        '<kpml-request xmlns="urn:ietf:params:xml:ns:kpml-request" version="1.0">' +
        `<pattern persist="persist"><regex tag="dtmf">${pattern}</regex></pattern></kpml-request>\r\n`,
    });
  }

  /** Subscribes and waits for the first NOTIFY; fails unless the answer is 200. */
  async listen(): Promise<void> {
    const response = await this.subscribe();
    if (statusOf(response) !== 200) throw new Error(`SUBSCRIBE answered ${response.startLine}`);
    await waitFor('first NOTIFY', () => this.notifies.length > 0);
  }

  /** Resolves with all keys once there are `count` of them. */
  async waitForDigits(count: number, timeoutMs = PATIENCE_MS): Promise<string> {
    await waitFor(`${count} digits by NOTIFY`, () => this.digits.length >= count, {
      timeoutMs,
      details: () => `received: ${this.digits}`,
    });
    return this.digits;
  }

  async #receiveNotify(request: SipText): Promise<Reply> {
    this.notifies.push(request);
    const event = headerValue(request, 'Event') ?? '';
    if (event !== 'kpml') this.problems.push(`NOTIFY with Event: ${event}`);
    const state = headerValue(request, 'Subscription-State');
    if (state === undefined) this.problems.push('NOTIFY without Subscription-State');
    this.state = state ?? this.state;
    if (request.body !== '') this.#readBody(request);
    if (this.answerAfterMs > 0) await sleep(this.answerAfterMs);
    return { status: 200 };
  }

  #readBody(request: SipText): void {
    const type = headerValue(request, 'Content-Type');
    if (type !== 'application/kpml-response+xml') this.problems.push(`Content-Type: ${type}`);
    const element = /<kpml-response\s([^>]*)\/>/.exec(request.body)?.[1] ?? '';
    const namespace = /xmlns="([^"]*)"/.exec(element)?.[1];
    if (namespace !== 'urn:ietf:params:xml:ns:kpml-response') {
      this.problems.push(`NOTIFY with namespace ${namespace}`);
    }
    const code = /\bcode="(\d{3})"/.exec(element)?.[1];
    const digits = /\bdigits="([^"]*)"/.exec(element)?.[1] ?? '';
    if (code !== '200' || digits === '') return;
    this.reports.push({ digits, atMs: performance.now() });
  }
}
