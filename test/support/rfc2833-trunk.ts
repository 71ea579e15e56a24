/** A carrier trunk that sends and hears keys as telephone-events in RTP, and knows no KPML. */

import { eventProblems, receivedDigits, receivedEvents } from './rtp-analysis.ts';
import type { EventExpectation, ReceivedEvent } from './rtp-analysis.ts';
import { RtpPeer } from './rtp-peer.ts';
import type { PressOptions, RtpPeerOptions } from './rtp-peer.ts';
import { buildSdp, readSdp } from './sdp-text.ts';
import type { IncomingCall } from './sip-calls.ts';
import { SipPeer } from './sip-peer.ts';
import type { SipPeerOptions } from './sip-peer.ts';
import type { Header } from './sip-text.ts';
import { VoiceCall } from './voice-call.ts';
import type { PlaceCallOptions } from './voice-call.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

export interface TrunkOptions extends SipPeerOptions {
  /** Own number for telephone-event: offered, and used in answers too when given. Default 101 or the offer's. */
  readonly eventPayloadType?: number;
  /** False: neither offers nor accepts telephone-event. */
  readonly knowsEvents?: boolean;
}

export class TrunkCall extends VoiceCall {
  /** Sends keys as telephone-events; resolves after the last packet. */
  async press(digits: string, options: PressOptions = {}): Promise<void> {
    const payloadType = this.remote.eventPayloadType;
    if (payloadType === undefined) throw new Error('the other end takes no telephone-event');
    await this.rtp.press(digits, { payloadType, ...options });
  }

  /** Keys received, in order. */
  get digits(): string {
    return receivedDigits(this.rtp.received, this.#localPayloadType());
  }

  /** Key presses received, in order. */
  get events(): ReceivedEvent[] {
    return receivedEvents(this.rtp.received, this.#localPayloadType());
  }

  /** Everything irregular in the key presses received so far. */
  eventProblems(expected: EventExpectation = {}): string[] {
    return this.events.flatMap((event) => eventProblems(event, expected));
  }

  /** Resolves with all keys once `count` presses have come with all their end packets. */
  async waitForDigits(count: number, timeoutMs = PATIENCE_MS): Promise<string> {
    await waitFor(
      `${count} whole telephone-events`,
      () => this.events.filter(isWhole).length >= count,
      {
        timeoutMs,
        details: () => `received: ${this.digits}`,
      },
    );
    return this.digits;
  }

  #localPayloadType(): number {
    return this.localEventPayloadType ?? -1;
  }
}

export class Rfc2833Trunk {
  readonly sip: SipPeer;
  readonly #options: TrunkOptions;
  readonly #media: RtpPeer[] = [];

  private constructor(sip: SipPeer, options: TrunkOptions) {
    this.sip = sip;
    this.#options = options;
  }

  static async open(options: TrunkOptions = {}): Promise<Rfc2833Trunk> {
    return new Rfc2833Trunk(await SipPeer.open({ user: 'trunk', ...options }), options);
  }

  /** Calls and waits for the answer. */
  async call(options: PlaceCallOptions): Promise<TrunkCall> {
    const rtp = await this.#openMedia(options.rtp);
    const eventPayloadType = this.#knowsEvents()
      ? (this.#options.eventPayloadType ?? 101)
      : undefined;
    const outgoing = this.sip.invite({
      ...options,
      headers: [ALLOW, ...(options.headers ?? [])],
      body: buildSdp({ address: rtp.address, rtpPort: rtp.rtpPort, eventPayloadType }),
    });
    const dialog = await outgoing.answered();
    const remoteMessage = outgoing.final ?? outgoing.invite;
    const remote = readSdp(remoteMessage.body);
    return new TrunkCall({
      dialog,
      rtp,
      localEventPayloadType: eventPayloadType,
      remote,
      remoteMessage,
    });
  }

  /** Answers the next call: 180, then 200. */
  async answer(options: { rtp?: RtpPeerOptions; timeoutMs?: number } = {}): Promise<TrunkCall> {
    const incoming = await this.sip.nextCall(options.timeoutMs);
    return this.accept(incoming, options.rtp);
  }

  /** Answers a call already taken from the queue; telephone-event is accepted when it is offered. */
  async accept(incoming: IncomingCall, rtpOptions?: RtpPeerOptions): Promise<TrunkCall> {
    const rtp = await this.#openMedia(rtpOptions);
    const { dialog, invite } = incoming;
    incoming.ring({ headers: [ALLOW] });
    const localEventPayloadType = this.#answeredPayloadType(invite.body);
    const { address, rtpPort } = rtp;
    const body = buildSdp({ address, rtpPort, eventPayloadType: localEventPayloadType });
    await incoming.answer({ headers: [ALLOW], body });
    const offer = invite.body === '' ? (dialog.acks[0]?.body ?? '') : invite.body;
    return new TrunkCall({
      dialog,
      rtp,
      localEventPayloadType,
      remote: readSdp(offer),
      remoteMessage: invite,
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.sip.close(), ...this.#media.map((rtp) => rtp.close())]);
  }

  #answeredPayloadType(offer: string): number | undefined {
    if (!this.#knowsEvents()) return undefined;
    if (offer === '') return this.#options.eventPayloadType ?? 101;
    const offered = readSdp(offer).eventPayloadType;
    return offered === undefined ? undefined : (this.#options.eventPayloadType ?? offered);
  }

  #knowsEvents(): boolean {
    return this.#options.knowsEvents !== false;
  }

  async #openMedia(options: RtpPeerOptions | undefined): Promise<RtpPeer> {
    const rtp = await RtpPeer.open({ address: this.sip.address, ...options });
    this.#media.push(rtp);
    return rtp;
  }
}

const ALLOW: Header = ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO'];

function isWhole(event: ReceivedEvent): boolean {
  return event.reports.filter((report) => report.isEnd).length >= 3;
}
