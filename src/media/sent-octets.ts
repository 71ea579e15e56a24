/**
 * How far the payload octets of an outgoing stream differ from those its sender counts (RFC 3550 §6.4.1).
 *
 *   digit put in       + octets of its packets
 *   audio it replaces  - octets of the audio; so are events that are taken out
 *   stream of our own  + what was in it before the packets of the source that is carried now
 *
 * Unlike the numbers the difference does not return to 0 behind a digit: its packets are shorter than audio.
 */

import type { OwnStream } from './own-stream.ts';
import type { SequenceOffset } from './sequence-offset.ts';

export class SentOctets {
  readonly #numbers: SequenceOffset;
  readonly #own: OwnStream;
  #epoch = 0;
  /** Octets sent since our own stream began; not counted where there is none. */
  #sent = 0;
  #shift = 0;

  constructor(numbers: SequenceOffset, own: OwnStream) {
    this.#numbers = numbers;
    this.#own = own;
  }

  /** What has to be added to the octet count in sender reports. */
  get shift(): number {
    this.#follow();
    return this.#shift;
  }

  /** A packet of the sender went out. */
  forwarded(octets: number): void {
    this.#follow();
    this.#sent += octets;
  }

  /** A packet of our own went out. */
  injected(octets: number): void {
    this.#follow();
    this.#sent += octets;
    this.#shift += octets;
  }

  /** A packet of the sender was taken out. */
  removed(octets: number): void {
    this.#follow();
    this.#shift -= octets;
  }

  /** A sender that starts anew counts from 0, whatever went out before. */
  #follow(): void {
    const { epoch } = this.#numbers;
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    if (!this.#own.hasBegun) this.#sent = 0;
    this.#shift = this.#sent;
  }
}
