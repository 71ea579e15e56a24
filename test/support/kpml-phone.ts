/** A phone that knows no telephone-event: its keys travel as KPML only, and it hears keys only by subscribing itself. */

import { KpmlKeypad, KpmlListener } from './kpml-sides.ts';
import type { KeypadOptions } from './kpml-sides.ts';
import { RtpPeer } from './rtp-peer.ts';
import type { RtpPeerOptions } from './rtp-peer.ts';
import { buildSdp, readSdp } from './sdp-text.ts';
import type { IncomingCall } from './sip-calls.ts';
import type { SipDialog } from './sip-dialog.ts';
import { SipPeer } from './sip-peer.ts';
import type { SipPeerOptions } from './sip-peer.ts';
import type { Header } from './sip-text.ts';
import { VoiceCall } from './voice-call.ts';
import type { PlaceCallOptions, VoiceCallParts } from './voice-call.ts';

export interface KpmlPhoneOptions extends SipPeerOptions {
  readonly keypad?: KeypadOptions;
  /** Value of Allow-Events, default `kpml`; empty sends none. */
  readonly allowEvents?: string;
}

interface KpmlRoles {
  readonly keypad: KpmlKeypad;
  readonly listener: KpmlListener;
}

export class KpmlPhoneCall extends VoiceCall {
  readonly keypad: KpmlKeypad;
  readonly listener: KpmlListener;

  constructor(parts: VoiceCallParts, roles: KpmlRoles) {
    super(parts);
    this.keypad = roles.keypad;
    this.listener = roles.listener;
  }

  /** Waits to be subscribed to, then reports the keys one by one. */
  async press(digits: string, gapMs = 60): Promise<void> {
    await this.keypad.waitForSubscription();
    await this.keypad.press(digits, gapMs);
  }

  /** Subscribes to the other end, which must have allowed it. */
  async listen(): Promise<void> {
    if (!this.isKpmlAllowed) throw new Error('the other end does not list kpml in Allow-Events');
    await this.listener.listen();
  }

  /** Faults seen in either role and in the dialog. */
  problems(): string[] {
    return [...this.keypad.problems, ...this.listener.problems, ...this.dialog.problems];
  }
}

export class KpmlPhone {
  readonly sip: SipPeer;
  readonly #options: KpmlPhoneOptions;
  readonly #media: RtpPeer[] = [];

  private constructor(sip: SipPeer, options: KpmlPhoneOptions) {
    this.sip = sip;
    this.#options = options;
  }

  static async open(options: KpmlPhoneOptions = {}): Promise<KpmlPhone> {
    return new KpmlPhone(await SipPeer.open({ user: 'phone', ...options }), options);
  }

  /** Calls and waits for the answer. */
  async call(options: PlaceCallOptions): Promise<KpmlPhoneCall> {
    const rtp = await this.#openMedia(options.rtp);
    const outgoing = this.sip.invite({
      ...options,
      headers: [...this.#headers(), ...(options.headers ?? [])],
      body: buildSdp({ address: rtp.address, rtpPort: rtp.rtpPort }),
    });
    // The roles stand ready before the answer, since a SUBSCRIBE may follow the ACK at once.
    const roles = this.#roles(outgoing.dialog);
    await outgoing.answered();
    const remoteMessage = outgoing.final ?? outgoing.invite;
    const remote = readSdp(remoteMessage.body);
    const { dialog } = outgoing;
    return new KpmlPhoneCall(
      { dialog, rtp, localEventPayloadType: undefined, remote, remoteMessage },
      roles,
    );
  }

  /** Answers the next call: 180, then 200. */
  async answer(options: { rtp?: RtpPeerOptions; timeoutMs?: number } = {}): Promise<KpmlPhoneCall> {
    const incoming = await this.sip.nextCall(options.timeoutMs);
    return this.accept(incoming, options.rtp);
  }

  /** Answers a call already taken from the queue. */
  async accept(incoming: IncomingCall, rtpOptions?: RtpPeerOptions): Promise<KpmlPhoneCall> {
    const rtp = await this.#openMedia(rtpOptions);
    const { dialog, invite } = incoming;
    const roles = this.#roles(dialog);
    const headers = this.#headers();
    incoming.ring({ headers });
    const body = buildSdp({ address: rtp.address, rtpPort: rtp.rtpPort });
    await incoming.answer({ headers, body });
    const offer = invite.body === '' ? (dialog.acks[0]?.body ?? '') : invite.body;
    return new KpmlPhoneCall(
      {
        dialog,
        rtp,
        localEventPayloadType: undefined,
        remote: readSdp(offer),
        remoteMessage: invite,
      },
      roles,
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.sip.close(), ...this.#media.map((rtp) => rtp.close())]);
  }

  #headers(): Header[] {
    const allowEvents = this.#options.allowEvents ?? 'kpml';
    const allow: Header = ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, SUBSCRIBE, NOTIFY'];
    return allowEvents === '' ? [allow] : [allow, ['Allow-Events', allowEvents]];
  }

  #roles(dialog: SipDialog): KpmlRoles {
    const keypad = new KpmlKeypad(dialog, this.#options.keypad);
    return { keypad, listener: new KpmlListener(dialog) };
  }

  async #openMedia(options: RtpPeerOptions | undefined): Promise<RtpPeer> {
    const rtp = await RtpPeer.open({ address: this.sip.address, ...options });
    this.#media.push(rtp);
    return rtp;
  }
}
