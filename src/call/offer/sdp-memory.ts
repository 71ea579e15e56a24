/** What must be remembered of the descriptions that passed on one leg. */

import { setOrigin } from '../../wire/sdp-topology.ts';
import { formatSdp } from '../../wire/sdp.ts';
import type { Sdp } from '../../wire/sdp.ts';
import { isTelephoneEvent } from '../../wire/sdp-media.ts';
import type { SdpMedia } from '../../wire/sdp-media.ts';

/** More clock rates per section than any peer needs; further ones are forgotten. */
const MAX_RATES = 8;

interface SectionNumbers {
  /** Numbers that any other format than telephone-event holds or ever held. */
  readonly others: Set<number>;
  /** Numbers that ever meant telephone-event, by clock rate. */
  readonly events: Map<number, Set<number>>;
  /** The number of telephone-event in our own last description, by clock rate. */
  readonly ours: Map<number, number>;
}

/**
 * The payload types of one leg over the life of the session. A number, once used, keeps its
 * meaning in later offers (RFC 3264 §8.3.2), so those seen in failed offers count too.
 */
export class FormatMemory {
  readonly #sections: SectionNumbers[] = [];

  /** Enters every format of a description received from the leg. */
  seen(sdp: Sdp): void {
    for (const media of sdp.media) this.#enter(media);
  }

  /** Enters every format of a description we send to the leg. */
  sent(sdp: Sdp): void {
    for (const media of sdp.media) {
      const numbers = this.#enter(media);
      for (const { clockRate, payloadType } of media.telephoneEvents) {
        if (numbers.ours.size < MAX_RATES) numbers.ours.set(clockRate, payloadType);
      }
    }
  }

  /** Numbers that telephone-event must not take in section `index`. */
  others(index: number): ReadonlySet<number> {
    return this.#section(index).others;
  }

  /** The numbers we used for telephone-event in section `index`, by clock rate. */
  earlierEvents(index: number): ReadonlyMap<number, number> {
    return this.#section(index).ours;
  }

  /** Every number that ever meant telephone-event of that clock rate. */
  eventNumbers(index: number, clockRate: number): ReadonlySet<number> {
    return this.#section(index).events.get(clockRate) ?? new Set();
  }

  #enter(media: SdpMedia): SectionNumbers {
    const numbers = this.#section(media.index);
    const eventNumbers = new Set<number>();
    for (const codec of media.codecs.filter(isTelephoneEvent)) {
      eventNumbers.add(codec.payloadType);
      const known = numbers.events.get(codec.clockRate);
      if (known !== undefined) known.add(codec.payloadType);
      else if (numbers.events.size < MAX_RATES) {
        numbers.events.set(codec.clockRate, new Set([codec.payloadType]));
      }
    }
    for (const format of media.formats) {
      const number = Number(format);
      if (number >= 0 && number <= 127 && !eventNumbers.has(number)) numbers.others.add(number);
    }
    return numbers;
  }

  #section(index: number): SectionNumbers {
    const section = this.#sections[index];
    if (section !== undefined) return section;
    const created = { others: new Set<number>(), events: new Map(), ours: new Map() };
    this.#sections[index] = created;
    return created;
  }
}

interface Issue {
  readonly key: string;
  readonly version: number;
  readonly sdp: Sdp;
}

/**
 * Gives our descriptions towards one leg their o= line: one session id, and a version that rises
 * only when the text changes (RFC 3264 §8).
 */
export class IssuedDescriptions {
  readonly #sessionId: string;
  readonly #versions: { highest: number };
  #last: Issue | undefined;
  #agreed: Issue | undefined;

  constructor(sessionId: string, versions = { highest: 0 }) {
    this.#sessionId = sessionId;
    this.#versions = versions;
  }

  /** For the same reader in another call: versions go on, nothing is agreed. */
  forAnotherCall(): IssuedDescriptions {
    return new IssuedDescriptions(this.#sessionId, this.#versions);
  }

  /** The description with our o= line. */
  issue(sdp: Sdp, address: string): Sdp {
    const origin = { username: '-', sessionId: this.#sessionId, address };
    const key = formatSdp(setOrigin(sdp, { ...origin, version: '0' }));
    const known = [this.#agreed, this.#last].find((issue) => issue?.key === key);
    if (known !== undefined) {
      this.#last = known;
      return known.sdp;
    }
    this.#versions.highest += 1;
    const version = this.#versions.highest;
    const issued = setOrigin(sdp, { ...origin, version: String(version) });
    this.#last = { key, version, sdp: issued };
    return issued;
  }

  /** The last description became part of the session. */
  agree(): void {
    this.#agreed = this.#last;
  }

  /** The reader has accepted one that is void for us: the next one differs from it by its version in any case. */
  renew(): void {
    this.#last = undefined;
    this.#agreed = undefined;
  }

  /** The last description became void; the agreed one stays in force. */
  abandon(): void {
    this.#last = this.#agreed;
  }
}
