/**
 * A network that spoils one RTP stream in every way a keypad has to survive: packets lost, doubled, late by
 * up to five places, without marker, and presses of which a single end packet is left.
 */

/** One packet of a keypad's stream. */
export interface StreamPacket {
  readonly atMs: number;
  /** Which press it reports; `undefined` for audio. */
  readonly press: number | undefined;
  readonly isEnd: boolean;
  readonly marker: boolean;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly payload: Buffer;
}

export interface Faults {
  /** Share of packets lost and doubled, 0 to 0.3. */
  readonly loss: number;
  readonly duplication: number;
  /** Share of packets that come late, and by how many packet intervals at most, 0 to 5. */
  readonly lateness: number;
  readonly reach: number;
  readonly intervalMs: number;
  /** Share of packets that lose their marker. */
  readonly unmarked: number;
  /** Share of presses of which one end packet alone is let through. */
  readonly singleEnd: number;
}

/** What arrived, and what that leaves to be expected of the receiver. */
export interface Arrivals {
  readonly packets: readonly StreamPacket[];
  /** Presses without any packet: nobody can know of them. */
  readonly vanished: ReadonlySet<number>;
  /** Presses whose first packet came behind one of a later press: too late to be reported in order. */
  readonly overtaken: ReadonlySet<number>;
}

/** The worst network that is asked for, in a random mood. */
export function drawFaults(random: () => number, intervalMs: number): Faults {
  const mood = (): number => (random() < 0.2 ? 0 : random());
  return {
    loss: mood() * 0.3,
    duplication: mood() * 0.3,
    lateness: mood() * 0.3,
    reach: Math.floor(random() * 6),
    intervalMs,
    unmarked: mood(),
    singleEnd: mood() * 0.2,
  };
}

/** Sends `sent` through the network; presses are numbered from 0 to `pressCount` - 1. */
export function carry(
  sent: readonly StreamPacket[],
  pressCount: number,
  faults: Faults,
  random: () => number,
): Arrivals {
  const survivors = singleEnds(sent, pressCount, faults, random);
  const arrivals: StreamPacket[] = [];
  const arrive = (packet: StreamPacket): void => {
    const isLate = random() < faults.lateness;
    const places = isLate ? random() * faults.reach : 0;
    const atMs = packet.atMs + places * faults.intervalMs + random();
    const marker = packet.marker && random() >= faults.unmarked;
    arrivals.push({ ...packet, atMs, marker });
  };
  for (const packet of sent) {
    const survivor = packet.press === undefined ? undefined : survivors[packet.press];
    if (survivor !== undefined && survivor !== packet) continue;
    if (survivor === undefined && random() < faults.loss) continue;
    arrive(packet);
    if (random() < faults.duplication) arrive(packet);
  }
  arrivals.sort((a, b) => a.atMs - b.atMs);
  return { packets: arrivals, ...judge(arrivals, pressCount) };
}

/** For the presses that shall be reduced to one end packet: that packet. */
function singleEnds(
  sent: readonly StreamPacket[],
  pressCount: number,
  faults: Faults,
  random: () => number,
): (StreamPacket | undefined)[] {
  return Array.from({ length: pressCount }, (_, press) => {
    if (random() >= faults.singleEnd) return undefined;
    const ends = sent.filter((packet) => packet.press === press && packet.isEnd);
    return ends[Math.floor(random() * ends.length)];
  });
}

function judge(
  arrivals: readonly StreamPacket[],
  pressCount: number,
): Pick<Arrivals, 'vanished' | 'overtaken'> {
  const inTurn = new Set<number>();
  const seen = new Set<number>();
  let newest = -1;
  for (const { press } of arrivals) {
    if (press === undefined) continue;
    seen.add(press);
    newest = Math.max(newest, press);
    if (press === newest) inTurn.add(press);
  }
  const presses = Array.from({ length: pressCount }, (_, press) => press);
  return {
    vanished: new Set(presses.filter((press) => !seen.has(press))),
    overtaken: new Set(presses.filter((press) => seen.has(press) && !inTurn.has(press))),
  };
}
