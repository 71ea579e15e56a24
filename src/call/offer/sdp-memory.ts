/** What must be remembered of the descriptions that passed on one leg. */

import { setOrigin } from '../../wire/sdp-topology.ts';
import { formatSdp } from '../../wire/sdp.ts';
import type { Sdp } from '../../wire/sdp.ts';
import { isTelephoneEvent } from '../../wire/sdp-media.ts';
import type { SdpMedia } from '../../wire/sdp-media.ts';

/** More clock rates per section than any peer needs; further ones are forgotten. */
const MAX_RATES = 8;

/** Lists that are replaced as a whole: they live as long as the call, and a set of one number takes ten times as much. */
interface SectionNumbers {
  /** Numbers that any other format than telephone-event holds or ever held. */
  others: readonly number[];
  /** Numbers that ever meant telephone-event, with their clock rate. */
  events: readonly ClockNumber[];
  /** The number of telephone-event in our own last description, by clock rate. */
  ours: readonly ClockNumber[];
}

type ClockNumber = readonly [clockRate: number, payloadType: number];

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
      const ours = new Map(numbers.ours);
      for (const { clockRate, payloadType } of media.telephoneEvents) {
        if (ours.size < MAX_RATES) ours.set(clockRate, payloadType);
      }
      numbers.ours = [...ours];
    }
  }

  /** Numbers that telephone-event must not take in section `index`. */
  others(index: number): ReadonlySet<number> {
    return new Set(this.#section(index).others);
  }

  /** The numbers we used for telephone-event in section `index`, by clock rate. */
  earlierEvents(index: number): ReadonlyMap<number, number> {
    return new Map(this.#section(index).ours);
  }

  /** Every number that ever meant telephone-event of that clock rate. */
  eventNumbers(index: number, clockRate: number): ReadonlySet<number> {
    const { events } = this.#section(index);
    return new Set(events.filter(([rate]) => rate === clockRate).map(([, number]) => number));
  }

  #enter(media: SdpMedia): SectionNumbers {
    const numbers = this.#section(media.index);
    const rates = new Set(numbers.events.map(([rate]) => rate));
    const eventNumbers = new Set<number>();
    const news: ClockNumber[] = [];
    for (const { payloadType, clockRate } of media.codecs.filter(isTelephoneEvent)) {
      eventNumbers.add(payloadType);
      if (rates.size < MAX_RATES) rates.add(clockRate);
      if (rates.has(clockRate)) news.push([clockRate, payloadType]);
    }
    const all = new Map([...numbers.events, ...news].map((each) => [String(each), each]));
    numbers.events = [...all.values()];
    const others = media.formats
      .map(Number)
      .filter((number) => number >= 0 && number <= 127 && !eventNumbers.has(number));
    numbers.others = [...new Set([...numbers.others, ...others])];
    return numbers;
  }

  #section(index: number): SectionNumbers {
    const section = this.#sections[index];
    if (section !== undefined) return section;
    const created: SectionNumbers = { others: [], events: [], ours: [] };
    this.#sections[index] = created;
    return created;
  }
}

interface Issue {
  readonly key: string;
  readonly version: number;
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
    if (known === undefined) this.#versions.highest += 1;
    this.#last = known ?? { key, version: this.#versions.highest };
    return setOrigin(sdp, { ...origin, version: String(this.#last.version) });
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
