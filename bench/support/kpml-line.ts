/**
 * One call of a KPML phone in a load: it calls, lets itself be subscribed to, subscribes, and then its keys go out as
 * NOTIFY and come in as NOTIFY.
 */

import type { SipTarget } from '../../test/support/sip-peer.ts';
import { buildSdp, readSdp } from '../../test/support/sdp-text.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { bodyOf, headerOf, newToken, uriOf } from '../../test/support/light-sip.ts';
import type { LightReply, LightSip } from '../../test/support/light-sip.ts';
import { RtpLine, type KeyHandler, type LineMedia } from './rtp-line.ts';

const EXPIRES_SECONDS = 3600;
const REQUEST_TYPE = 'Content-Type: application/kpml-request+xml';
const RESPONSE_TYPE = 'Content-Type: application/kpml-response+xml';
const PATTERN =
  '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
  '<kpml-request xmlns="urn:ietf:params:xml:ns:kpml-request" version="1.0">' +
  '<pattern persist="persist"><regex tag="dtmf">[x*#ABCD]</regex></pattern></kpml-request>\r\n';

export class KpmlLine<Media extends LineMedia = RtpLine> {
  readonly rtp: Media;
  /** Called for each key of a NOTIFY. */
  onKey: KeyHandler = () => {};
  /** NOTIFYs of ours that were not answered 200. */
  refused = 0;

  readonly #sip: LightSip;
  readonly #to: SipTarget;
  readonly #callId: string;
  readonly #localTag = newToken();
  /** Keys whose NOTIFY is not answered yet; only the first is under way. */
  readonly #waiting: string[] = [];
  #remote = '';
  #remoteTarget = '';
  #cseq = 1;
  #event = '';
  #tag = '';
  #isKeypadReady = false;
  #isListening = false;

  private constructor(sip: LightSip, to: SipTarget, rtp: Media) {
    this.#sip = sip;
    this.#to = to;
    this.rtp = rtp;
    this.#callId = `${newToken()}@${sip.address}`;
  }

  /** Calls `number` and resolves when keys can cross in both directions. */
  static async call(sip: LightSip, to: SipTarget, number: string): Promise<KpmlLine> {
    return KpmlLine.callWith(await RtpLine.open(sip.address), { sip, to, number });
  }

  /** The same with media of somebody else. */
  static async callWith<Media extends LineMedia>(
    media: Media,
    { sip, to, number }: { sip: LightSip; to: SipTarget; number: string },
  ): Promise<KpmlLine<Media>> {
    const line = new KpmlLine(sip, to, media);
    await line.#dial(number);
    await line.#listen();
    await waitFor('subscriptions', () => line.#isKeypadReady && line.#isListening);
    return line;
  }

  /** Presses a key; its NOTIFY leaves at once, or after the answer to the one before. Gives when it was pressed. */
  press(key: string): number {
    const atMs = performance.now();
    this.#waiting.push(key);
    if (this.#waiting.length === 1) void this.#report();
    return atMs;
  }

  async hangUp(): Promise<void> {
    this.rtp.stopAudio();
    await this.#request('BYE', []);
    this.rtp.close();
  }

  async #dial(number: string): Promise<void> {
    const { address, port } = this.#to;
    this.#sip.handle(this.#callId, (request, atMs) => this.#receive(request, atMs));
    this.#remoteTarget = `sip:${number}@${address}:${port}`;
    this.#remote = `<${this.#remoteTarget}>`;
    const sdp = buildSdp({ address: this.rtp.address, rtpPort: this.rtp.port });
    const head = ['Allow-Events: kpml', 'Content-Type: application/sdp'];
    const answer = await this.#request('INVITE', head, sdp);
    if (!answer.startsWith('SIP/2.0 200')) throw new Error(`the call failed\n${answer}`);
    this.#remote = headerOf(answer, 'To');
    this.#remoteTarget = uriOf(headerOf(answer, 'Contact'));
    const ack = { uri: this.#remoteTarget, to: this.#to, head: this.#head('ACK', 1) };
    this.#sip.acknowledge(this.#callId, ack);
    const remote = readSdp(bodyOf(answer));
    this.rtp.connect({ address: remote.address, port: remote.rtpPort });
  }

  async #listen(): Promise<void> {
    const head = ['Event: kpml', `Expires: ${EXPIRES_SECONDS}`, REQUEST_TYPE];
    const answer = await this.#request('SUBSCRIBE', head, PATTERN);
    if (!answer.startsWith('SIP/2.0 200')) throw new Error(`not subscribed\n${answer}`);
  }

  async #report(): Promise<void> {
    for (let [key] = this.#waiting; key !== undefined; [key] = this.#waiting) {
      const body =
        '<?xml version="1.0" encoding="UTF-8"?>\r\n' +
        '<kpml-response xmlns="urn:ietf:params:xml:ns:kpml-response" version="1.0" code="200" text="OK"' +
        ` digits="${key}" tag="${this.#tag}" suppressed="false" forced_flush="false"/>\r\n`;
      await this.#expectOk(this.#notify([RESPONSE_TYPE], body));
      this.#waiting.shift();
    }
  }

  /** The NOTIFY that follows each SUBSCRIBE. */
  async #introduce(): Promise<void> {
    await this.#expectOk(this.#notify([], ''));
    this.#isKeypadReady = true;
  }

  async #expectOk(answer: Promise<string>): Promise<void> {
    const isOk = await answer.then(
      (text) => text.startsWith('SIP/2.0 200'),
      () => false,
    );
    if (!isOk) this.refused += 1;
  }

  #receive(request: string, atMs: number): LightReply {
    if (request.startsWith('NOTIFY ')) {
      this.#isListening = true;
      for (const key of /\bdigits="([^"]*)"/.exec(request)?.[1] ?? '') this.onKey(key, atMs);
      return this.#ok();
    }
    if (!request.startsWith('SUBSCRIBE '))
      return { status: request.startsWith('BYE ') ? 200 : 405 };
    this.#event = headerOf(request, 'Event');
    this.#tag = /<regex[^>]*\stag="([^"]*)"/.exec(request)?.[1] ?? '';
    // The 200 leaves first.
    setImmediate(() => {
      void this.#introduce();
    });
    return { ...this.#ok(), head: [this.#contact(), `Expires: ${EXPIRES_SECONDS}`] };
  }

  #ok(): LightReply {
    return { status: 200, head: [this.#contact()] };
  }

  #notify(head: readonly string[], body: string): Promise<string> {
    const state = `Subscription-State: active;expires=${EXPIRES_SECONDS}`;
    return this.#request('NOTIFY', [`Event: ${this.#event}`, state, ...head], body);
  }

  #request(method: string, head: readonly string[], body = ''): Promise<string> {
    const lines = [...this.#head(method, this.#cseq), this.#contact(), ...head];
    this.#cseq += 1;
    const uri = this.#remoteTarget;
    return this.#sip.request({ method, uri, to: this.#to, head: lines, body });
  }

  #head(method: string, cseq: number): string[] {
    const { address, port } = this.#sip;
    return [
      `From: <sip:phone@${address}:${port}>;tag=${this.#localTag}`,
      `To: ${this.#remote}`,
      `Call-ID: ${this.#callId}`,
      `CSeq: ${cseq} ${method}`,
    ];
  }

  #contact(): string {
    return `Contact: <sip:phone@${this.#sip.address}:${this.#sip.port}>`;
  }
}
