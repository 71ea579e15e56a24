/**
 * The loss of a stream that the kernel forwards, but for one packet in 64: over any schedule of packets, counts and
 * returns nothing is lost that was not.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReceptionStats } from '../../../src/media/reception-stats.ts';

const SSRC = 7;
const SAMPLE = 64;
const PACKET_MS = 20;
/** Packets of before the kernel has the stream. */
const EARLIER = 20;

interface Journey {
  readonly first: number;
  /** How many are sent while the kernel has the stream, and how many then. */
  readonly away: number;
  readonly later: number;
  /** Those that do not arrive, by place. */
  readonly lost: ReadonlySet<number>;
  /** Those that are up to 60 ms late, by place. */
  readonly late: ReadonlyMap<number, number>;
  /** Between a count and the next one, and from the question to the answer. */
  readonly countMs: number;
  readonly answerMs: number;
  /** nft is killed: the last count is missing. */
  readonly isKilled: boolean;
}

const arrival = fc.integer({ min: 0, max: 1200 });

const journey = fc.record<Journey>({
  first: fc.integer({ min: 0, max: 0xffff }),
  away: fc.integer({ min: 1, max: 1000 }),
  later: fc.integer({ min: 0, max: 40 }),
  lost: fc.uniqueArray(arrival, { maxLength: 60 }).map((places) => new Set(places)),
  late: fc
    .array(fc.tuple(arrival, fc.integer({ min: 0, max: 60 })), { maxLength: 100 })
    .map((pairs) => new Map(pairs)),
  countMs: fc.integer({ min: 300, max: 3000 }),
  answerMs: fc.integer({ min: 0, max: 900 }),
  isKilled: fc.boolean(),
});

interface Outcome {
  /** The highest and the last that was said to be lost. */
  readonly most: number;
  readonly last: number;
  readonly estimated: number;
  /** What the kernel had and nobody was told. */
  readonly untold: number;
}

/** Packets arrive in order of time; counts are asked for in between, and told when they are answered. */
function travel({ first, away, later, lost, late, ...kernel }: Journey): Outcome {
  const stats = new ReceptionStats();
  const all = EARLIER + away + later;
  const packets = Array.from({ length: all }, (_, place) => ({
    place,
    atMs: PACKET_MS * place + (late.get(place) ?? 0),
  })).filter(({ place }) => !lost.has(place));
  const beginMs = PACKET_MS * EARLIER + 0.5;
  const endMs = PACKET_MS * (EARLIER + away) + 0.5;
  let most = 0;
  let untold = 0;
  let askMs = beginMs + kernel.countMs;
  const told: { readonly packets: number; readonly askedAtMs: number; readonly atMs: number }[] =
    [];
  let isAway = false;
  const note = (): void => void (most = Math.max(most, stats.lostPackets));
  const answer = (nowMs: number): void => {
    for (let next = told[0]; next !== undefined && next.atMs <= nowMs; next = told[0]) {
      told.shift();
      stats.countElsewhere(next.packets, next.askedAtMs, next.atMs);
      note();
    }
  };
  const ask = (untilMs: number): void => {
    while (askMs <= untilMs) {
      answer(askMs);
      if (untold > 0)
        told.push({ packets: untold, askedAtMs: askMs, atMs: askMs + kernel.answerMs });
      untold = 0;
      askMs += Math.max(kernel.countMs, kernel.answerMs);
    }
  };
  const goBack = (): void => {
    isAway = false;
    answer(kernel.isKilled ? endMs : Infinity);
    if (kernel.isKilled) {
      untold += told.reduce((sum, { packets: count }) => sum + count, 0);
      stats.missCount(endMs);
    } else if (untold > 0) {
      stats.countElsewhere(untold, endMs, endMs);
      untold = 0;
    }
    stats.endSampling();
    note();
  };
  let hasBegun = false;
  for (const { place, atMs } of packets.toSorted((a, b) => a.atMs - b.atMs)) {
    if (!hasBegun && atMs >= beginMs) {
      hasBegun = true;
      stats.beginSampling(beginMs);
      isAway = true;
    }
    if (isAway) ask(Math.min(atMs, endMs));
    if (isAway && atMs >= endMs) goBack();
    if (isAway) answer(atMs);
    const number = (first + place) & 0xffff;
    if (isAway && number % SAMPLE !== 0) untold += 1;
    else stats.count(SSRC, number, atMs);
    note();
  }
  if (isAway) goBack();
  const estimated = stats.takeEstimated();
  return { most, last: stats.lostPackets, estimated, untold };
}

/** Places that were never sent are not lost. */
function realLoss({ lost, away, later }: Journey): number {
  return [...lost].filter((place) => place < EARLIER + away + later).length;
}

describe('a stream that the kernel forwards', () => {
  test('has lost nothing while nothing was lost', () => {
    fc.assert(
      fc.property(journey, (drawn) => {
        // Before the kernel has it, late packets count as lost for as long as they have not come.
        const late = new Map([...drawn.late].filter(([place]) => place >= EARLIER));
        const { most } = travel({ ...drawn, late, lost: new Set(), later: 0 });
        expect(most).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test('has lost no more than was lost, in the end', () => {
    fc.assert(
      fc.property(journey, (drawn) => {
        const { last } = travel(drawn);
        expect(last).toBeLessThanOrEqual(realLoss(drawn));
      }),
      { numRuns: 500 },
    );
  });

  test('has lost exactly what was lost once its packets come here again, if all is counted', () => {
    fc.assert(
      fc.property(journey, (drawn) => {
        const whole = { ...drawn, isKilled: false, late: new Map<number, number>(), later: 40 };
        // The first and the last packet tell what came before and nothing of what does not come behind.
        const ends = new Set([0, EARLIER + whole.away + 39]);
        const lost = new Set([...whole.lost].filter((place) => !ends.has(place)));
        const { last, estimated } = travel({ ...whole, lost });
        expect([last, estimated]).toEqual([realLoss({ ...whole, lost }), 0]);
      }),
      { numRuns: 300 },
    );
  });

  test('has as many packets as were sent, though the last count is missing', () => {
    fc.assert(
      fc.property(journey, (drawn) => {
        const killed = { ...drawn, isKilled: true, late: new Map<number, number>() };
        const { estimated, untold, last } = travel({ ...killed, lost: new Set(), later: 40 });
        expect([estimated, last]).toEqual([untold, 0]);
      }),
      { numRuns: 300 },
    );
  });
});

test('a stream that begins anew while the kernel has it loses nothing by that', () => {
  const stats = new ReceptionStats();
  const comes = (ssrc: number, number: number): void => stats.count(ssrc, number, 20 * number);
  for (let number = 0; number < 10; number++) comes(SSRC, number);
  stats.beginSampling(200);
  // Other numbers of the same source, then another source, then the first one again.
  for (const number of [20_032, 20_096, 20_160]) comes(SSRC, number);
  stats.countElsewhere(190, 500_000, 500_000);
  for (const number of [1, 2, 3]) comes(9, number);
  expect(stats.unseenPackets).toBe(0);
  for (const number of [20_224, 20_288]) comes(SSRC, number);
  stats.countElsewhere(126, 600_000, 600_000);
  expect(stats.lostPackets).toBe(0);
  stats.endSampling();
  comes(SSRC, 20_289);
  expect(stats.lostPackets).toBe(0);
});
