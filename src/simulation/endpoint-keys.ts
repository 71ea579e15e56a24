/** The keypad of a simulated end and its ear: keys by telephone-event, KPML or SIP INFO, both ways. */
import { setTimeout as sleep } from 'node:timers/promises';
import { KpmlNotifier } from '../dtmf/kpml-notifier.ts';
import { nowMs } from '../observe/clock.ts';
import type { SipDialog } from '../sip/dialog.ts';
import type { EventDialog } from '../sip/event-dialog.ts';
import type { IncomingSubscription } from '../sip/incoming-subscription.ts';
import { DialogNotifier } from '../sip/notifier.ts';
import type { ReceivedRequest } from '../sip/sip-connection.ts';
import { DTMF_RELAY_TYPE, formatDtmfInfo, parseDtmfInfo } from '../wire/dtmf-info.ts';
import { KPML_PACKAGE, KPML_REQUEST_TYPE, KPML_RESPONSE_TYPE, kpmlKeyOf } from '../wire/kpml.ts';
import { formatKpmlRequest, KPML_REQUEST_DEFAULTS } from '../wire/kpml-request.ts';
import { kpmlKeysOf, parseKpmlResponse } from '../wire/kpml-response.ts';
import { getHeader } from '../wire/sip-message.ts';
import { type Digit, eventOfDigit } from '../wire/telephone-event.ts';
import type { EndpointMedia } from './endpoint-media.ts';
import type { EndAction, EndScript, KeyMethod } from './scenario.ts';

/** Every key, one at a time. */
export const ANY_KEY = '[x*#ABCD]';

const SUBSCRIBE_SECONDS = 3600;

export interface PressedKey {
  readonly digit: string;
  readonly how: KeyMethod;
  atMs: number;
  /** Why it cannot have reached the SBC. */
  problem: string | undefined;
}

export interface HeardKey {
  readonly digit: string;
  readonly how: KeyMethod;
  readonly atMs: number;
}

type Press = Extract<EndAction, { type: 'press' }>;

export class EndpointKeys {
  readonly pressed: PressedKey[] = [];
  readonly heard: HeardKey[] = [];
  /** What an operator should know of it besides. */
  readonly notes: string[] = [];
  readonly #script: EndScript;
  readonly #onBug: (error: unknown) => void;
  readonly #byId = new Map<string, PressedKey>();
  #dialog: SipDialog | undefined;
  #notifier: DialogNotifier | undefined;

  constructor(script: EndScript, onBug: (error: unknown) => void) {
    this.#script = script;
    this.#onBug = onBug;
  }

  /** The call stands; `isOffered`: the other side lists kpml. */
  attach(dialog: SipDialog, isOffered: boolean): void {
    this.#dialog = dialog;
    const { subscribes, dtmf } = this.#script;
    const wants = subscribes === 'auto' ? dtmf === 'kpml' && isOffered : subscribes === 'always';
    if (wants) void this.subscribe(ANY_KEY);
  }

  /** Presses the keys of `press` one behind the other. */
  async press({ keys, durationMs, gapMs }: Press, media: EndpointMedia): Promise<void> {
    for (const digit of keys) {
      const key = this.#begin(digit);
      const { how } = key.pressed;
      if (how === 'rtp') this.#pressInMedia(key, { durationMs, gapMs }, media);
      if (how === 'kpml') await this.#pressByKpml(key, durationMs);
      if (how === 'info') await this.#pressByInfo(key.pressed, durationMs);
      if (how === 'none') key.pressed.problem = 'this end sends no keys';
      if (how === 'rtp') await sleep(durationMs);
      await sleep(gapMs);
    }
  }

  /** A key has left as a telephone-event. */
  sentInMedia(keyId: string): void {
    const key = this.#byId.get(keyId);
    if (key !== undefined) key.atMs = nowMs();
  }

  hear(digit: string, how: KeyMethod): void {
    this.heard.push({ digit, how, atMs: nowMs() });
  }

  /** Asks the other side for its keys. */
  async subscribe(pattern: string): Promise<void> {
    const body = formatKpmlRequest({
      ...KPML_REQUEST_DEFAULTS,
      persist: 'persist',
      interDigitTimerMs: (SUBSCRIBE_SECONDS + 60) * 1000,
      regexes: [{ parts: [{ type: 'text', text: pattern }], tag: 'keys' }],
    });
    const headers = {
      Event: KPML_PACKAGE,
      Expires: String(SUBSCRIBE_SECONDS),
      Accept: KPML_RESPONSE_TYPE,
      'Content-Type': KPML_REQUEST_TYPE,
    };
    const response = await this.#dialog?.request('SUBSCRIBE', { headers, body });
    const { status = 481, reason = '' } = response ?? {};
    if (status >= 300) this.notes.push(`its SUBSCRIBE for kpml got ${status} ${reason}`);
  }

  /** A SUBSCRIBE for kpml in the dialog of the call. */
  receiveSubscribe(request: ReceivedRequest, dialog: SipDialog): void {
    const { kpml } = this.#script;
    if (kpml === 'silent') return;
    if (kpml === 'refuses') dialog.respond(request, 489);
    else this.#notifierIn(dialog, dialog).receiveSubscribe(request);
  }

  /** The same in a dialog of its own. */
  receiveSeparate(subscription: IncomingSubscription): void {
    const { kpml } = this.#script;
    const dialog = this.#dialog;
    if (kpml === 'silent') return;
    if (kpml === 'refuses' || dialog === undefined) {
      subscription.reject(489);
      return;
    }
    const notifier = this.#notifierIn(subscription, dialog);
    subscription.serve({
      onRequest: (request) => notifier.receiveSubscribe(request),
      onEnd: () => notifier.end(),
      onTrace: () => undefined,
    });
    notifier.receiveSubscribe(subscription.received);
  }

  receiveNotify(request: ReceivedRequest, dialog: SipDialog): void {
    const { message } = request;
    dialog.respond(request, 200);
    if (message.body.length === 0) return;
    try {
      const { digits = '' } = parseKpmlResponse(message.body, getHeader(message, 'Content-Type'));
      for (const digit of kpmlKeysOf(digits).keys) this.hear(digit, 'kpml');
    } catch (error) {
      this.notes.push(`a NOTIFY for kpml could not be read: ${String(error)}`);
    }
  }

  receiveInfo(request: ReceivedRequest, dialog: SipDialog): void {
    dialog.respond(request, 200);
    try {
      this.hear(parseDtmfInfo(request.message.body).key, 'info');
    } catch {
      // An INFO about something else.
    }
  }

  end(): void {
    this.#notifier?.end();
    this.#notifier = undefined;
  }

  get #way(): KeyMethod {
    const { dtmf } = this.#script;
    if (dtmf !== 'auto') return dtmf;
    return (this.#notifier?.subscriptions.length ?? 0) > 0 ? 'kpml' : 'rtp';
  }

  #begin(digit: string): { readonly keyId: string; readonly pressed: PressedKey } {
    const how = this.#way;
    const pressed: PressedKey = { digit, how, atMs: nowMs(), problem: undefined };
    const keyId = `key-${this.pressed.length + 1}`;
    this.pressed.push(pressed);
    this.#byId.set(keyId, pressed);
    return { keyId, pressed };
  }

  #pressInMedia(
    { keyId, pressed }: { readonly keyId: string; readonly pressed: PressedKey },
    times: { readonly durationMs: number; readonly gapMs: number },
    media: EndpointMedia,
  ): void {
    const digit = digitOf(pressed.digit);
    pressed.problem = digit === undefined ? 'no telephone-event key' : media.obstacle;
    if (digit === undefined || pressed.problem !== undefined) return;
    media.press({ keyId, eventCode: eventOfDigit(digit), ...times });
  }

  async #pressByKpml(
    { keyId, pressed }: { readonly keyId: string; readonly pressed: PressedKey },
    durationMs: number,
  ): Promise<void> {
    const digit = kpmlKeyOf(pressed.digit);
    if (this.#notifier === undefined || digit === undefined) {
      pressed.problem = 'nobody has subscribed to the keys';
      return;
    }
    this.#notifier.press({ pressId: keyId, digit });
    await sleep(durationMs);
    this.#notifier?.release({ pressId: keyId, digit, durationMs });
  }

  async #pressByInfo(pressed: PressedKey, durationMs: number): Promise<void> {
    const key = kpmlKeyOf(pressed.digit);
    if (key === undefined || this.#dialog === undefined) {
      pressed.problem = 'no call to send it in';
      return;
    }
    const body = formatDtmfInfo({ key, durationMs }, DTMF_RELAY_TYPE);
    const headers = { 'Content-Type': DTMF_RELAY_TYPE };
    const { status, reason } = await this.#dialog.request('INFO', { headers, body });
    if (status >= 300) pressed.problem = `INFO answered ${status} ${reason}`;
  }

  #notifierIn(events: EventDialog, call: SipDialog): DialogNotifier {
    const { callId, localTag, remoteTag } = call.identity;
    this.#notifier ??= new DialogNotifier({
      machine: new KpmlNotifier({ dialog: { callId, localTag, remoteTag }, flash: true }),
      dialog: events,
      nowMs,
      listener: {
        notified: ({ pressIds, status }) => this.#notified(pressIds, status),
        dropped: (pressId, reason) => this.#failed(pressId, `not reported (${reason})`),
        changed: () => undefined,
        bug: this.#onBug,
      },
    });
    this.#notifier.setMode('active');
    return this.#notifier;
  }

  #notified(pressIds: readonly string[], status: number): void {
    if (status < 300) return;
    for (const pressId of pressIds) this.#failed(pressId, `NOTIFY answered ${status}`);
  }

  #failed(keyId: string, problem: string): void {
    const key = this.#byId.get(keyId);
    if (key !== undefined) key.problem = problem;
  }
}

function digitOf(character: string): Digit | undefined {
  const key = kpmlKeyOf(character);
  return key === 'R' ? undefined : key;
}
