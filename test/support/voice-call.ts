/** What every answered call of a test endpoint has: the dialog, the media, and the SDP of both ends. */

import type { RtpPeer, RtpPeerOptions } from './rtp-peer.ts';
import { isStall, streamProblems } from './rtp-analysis.ts';
import { buildSdp, readSdp } from './sdp-text.ts';
import type { AudioDescription, Direction } from './sdp-text.ts';
import type { Reply, SipDialog } from './sip-dialog.ts';
import { headerTokens, statusOf } from './sip-text.ts';
import type { Header, SipText } from './sip-text.ts';
import type { SipTarget } from './sip-peer.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

export interface PlaceCallOptions {
  /** User part dialled. */
  readonly to: string;
  /** The box the INVITE is sent to. */
  readonly via: SipTarget;
  readonly headers?: readonly Header[];
  readonly from?: string;
  readonly rtp?: RtpPeerOptions;
}

export interface VoiceCallParts {
  readonly dialog: SipDialog;
  readonly rtp: RtpPeer;
  /** Payload type the own SDP names for telephone-event. */
  readonly localEventPayloadType: number | undefined;
  readonly remote: AudioDescription;
  /** The message that carried the other end's capabilities: its INVITE, or its 200. */
  readonly remoteMessage: SipText;
}

export class VoiceCall {
  readonly dialog: SipDialog;
  readonly rtp: RtpPeer;
  readonly localEventPayloadType: number | undefined;
  readonly remoteMessage: SipText;
  remote: AudioDescription;
  #version = 1;

  constructor(parts: VoiceCallParts) {
    this.dialog = parts.dialog;
    this.rtp = parts.rtp;
    this.localEventPayloadType = parts.localEventPayloadType;
    this.remoteMessage = parts.remoteMessage;
    this.remote = parts.remote;
    this.#follow(parts.remote);
    this.dialog.handle('INVITE', (request) => this.#receiveReinvite(request));
    this.rtp.startAudio();
  }

  /** The other end listed kpml in the Allow-Events of its INVITE or 200. */
  get isKpmlAllowed(): boolean {
    return headerTokens(this.remoteMessage, 'Allow-Events').includes('kpml');
  }

  /** Resolves when RTP of the other end has arrived. */
  async waitForAudio(): Promise<void> {
    await waitFor('audio', () => this.rtp.received.length > 2);
  }

  /** Everything irregular in the RTP received so far, beside what a machine that stalls does. */
  audioProblems(): string[] {
    const { localEventPayloadType } = this;
    const expected =
      localEventPayloadType === undefined ? {} : { eventPayloadType: localEventPayloadType };
    return streamProblems(this.rtp.received, expected).filter((problem) => !isStall(problem));
  }

  /** Changes the direction by re-INVITE; gives the final answer. */
  async reinvite(direction: Direction): Promise<SipText> {
    const response = await this.dialog.request('INVITE', { body: this.#nextSdp(direction) });
    if ((statusOf(response) ?? 0) < 300) this.#follow(readSdp(response.body));
    return response;
  }

  /** Sends BYE and gives up the media. */
  async hangUp(): Promise<SipText> {
    const response = await this.dialog.bye();
    await this.rtp.close();
    return response;
  }

  /** Waits for the other end's BYE and gives up the media. */
  async waitForEnd(timeoutMs = PATIENCE_MS): Promise<void> {
    await this.dialog.waitForEnd(timeoutMs);
    await this.rtp.close();
  }

  #follow(remote: AudioDescription): void {
    this.remote = remote;
    const isSilent = remote.rtpPort === 0 || remote.address === '0.0.0.0';
    const maySend = remote.direction === 'sendrecv' || remote.direction === 'recvonly';
    this.rtp.setRemote(isSilent || !maySend ? undefined : remote);
  }

  #receiveReinvite(request: SipText): Reply {
    if (request.body === '') return { status: 200, body: this.#nextSdp('sendrecv') };
    const offer = readSdp(request.body);
    this.#follow(offer);
    return { status: 200, body: this.#nextSdp(mirrored(offer.direction)) };
  }

  #nextSdp(direction: Direction): string {
    this.#version += 1;
    return buildSdp({
      address: this.rtp.address,
      rtpPort: this.rtp.rtpPort,
      eventPayloadType: this.localEventPayloadType,
      direction,
      version: this.#version,
    });
  }
}

function mirrored(direction: Direction): Direction {
  if (direction === 'sendonly') return 'recvonly';
  if (direction === 'recvonly') return 'sendonly';
  return direction;
}
