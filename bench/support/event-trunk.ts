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
import { RtpLine } from './rtp-line.ts';

/** Of all its packets, whatever is asked of it. */
const EVENT_PAYLOAD_TYPE = 101;

export class EventTrunk {
  readonly sip: LightSip;
  /** By called number. */
  readonly #lines = new Map<string, RtpLine>();
  /** Lines that stand ready for calls, since an INVITE is answered in the turn in which it comes. */
  readonly #spare: RtpLine[] = [];

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
    this.#spare.push(await RtpLine.open(this.sip.address));
    const caller = await place();
    const callee = await waitFor(`call to ${number}`, () => this.#lines.get(number));
    return { caller, callee };
  }

  close(): void {
    this.sip.close();
    for (const line of [...this.#lines.values(), ...this.#spare]) line.close();
  }

  #receive(request: string): LightReply | undefined {
    if (request.startsWith('ACK ')) return undefined;
    const number = /^INVITE sip:([^@]+)@/.exec(request)?.[1];
    const line = number === undefined ? undefined : this.#spare.pop();
    if (number === undefined || line === undefined) return { status: 481 };
    const offer = readSdp(bodyOf(request));
    line.connect({ address: offer.address, port: offer.rtpPort }, EVENT_PAYLOAD_TYPE);
    this.#lines.set(number, line);
    this.sip.handle(headerOf(request, 'Call-ID'), (later) => this.#hear(later, number));
    const { address, port } = this.sip;
    const rtpPort = line.port;
    return {
      status: 200,
      head: [
        `To: <${uriOf(headerOf(request, 'To'))}>;tag=${newToken()}`,
        `Contact: <sip:trunk@${address}:${port}>`,
        'Content-Type: application/sdp',
      ],
      body: buildSdp({ address, rtpPort, eventPayloadType: EVENT_PAYLOAD_TYPE }),
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
