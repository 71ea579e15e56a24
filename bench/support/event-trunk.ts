/** A trunk that answers every call of a load at once, with telephone-event, and forgets it at its BYE. */

import { buildSdp, readSdp } from '../../test/support/sdp-text.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import {
  bodyOf,
  headerOf,
  LightSip,
  newToken,
  uriOf,
  type LightReply,
} from '../../test/support/light-sip.ts';
import { type LineMedia, RtpLine } from './rtp-line.ts';

/** Of all its packets, whatever is asked of it. */
const EVENT_PAYLOAD_TYPE = 101;

export class EventTrunk {
  readonly sip: LightSip;
  /** By called number. */
  readonly #lines = new Map<string, LineMedia>();
  /** Lines that stand ready for calls to their number, since an INVITE is answered in the turn in which it comes. */
  readonly #ready = new Map<string, LineMedia>();

  private constructor(sip: LightSip) {
    this.sip = sip;
  }

  static async open(address: string): Promise<EventTrunk> {
    const sip = await LightSip.open(address, (request) => trunk.#receive(request));
    const trunk = new EventTrunk(sip);
    return trunk;
  }

  /** Stands ready for one more call to `number`, which is made by `place`; gives both ends. */
  async during<T>(
    number: string,
    place: () => Promise<T>,
  ): Promise<{ caller: T; callee: RtpLine }> {
    return this.duringWith(await RtpLine.open(this.sip.address), number, place);
  }

  /** The same with media of somebody else. */
  async duringWith<T, Media extends LineMedia>(
    media: Media,
    number: string,
    place: () => Promise<T>,
  ): Promise<{ caller: T; callee: Media }> {
    this.#ready.set(number, media);
    const caller = await place();
    await waitFor(`call to ${number}`, () => this.#lines.has(number));
    return { caller, callee: media };
  }

  close(): void {
    this.sip.close();
    for (const line of [...this.#lines.values(), ...this.#ready.values()]) line.close();
  }

  #receive(request: string): LightReply | undefined {
    if (request.startsWith('ACK ')) return undefined;
    const number = /^INVITE sip:([^@]+)@/.exec(request)?.[1];
    const line = number === undefined ? undefined : this.#ready.get(number);
    if (number === undefined || line === undefined) return { status: 481 };
    this.#ready.delete(number);
    const offer = readSdp(bodyOf(request));
    line.connect({ address: offer.address, port: offer.rtpPort }, EVENT_PAYLOAD_TYPE);
    this.#lines.set(number, line);
    this.sip.handle(headerOf(request, 'Call-ID'), (later) => this.#hear(later, number));
    const { address, port } = this.sip;
    return {
      status: 200,
      head: [
        `To: <${uriOf(headerOf(request, 'To'))}>;tag=${newToken()}`,
        `Contact: <sip:trunk@${address}:${port}>`,
        'Content-Type: application/sdp',
      ],
      body: buildSdp({
        address: line.address,
        rtpPort: line.port,
        eventPayloadType: EVENT_PAYLOAD_TYPE,
      }),
    };
  }

  #hear(request: string, number: string): LightReply | undefined {
    if (request.startsWith('ACK ')) return undefined;
    if (!request.startsWith('BYE ')) return { status: 405 };
    this.#lines.get(number)?.close();
    this.#lines.delete(number);
    return { status: 200 };
  }
}
