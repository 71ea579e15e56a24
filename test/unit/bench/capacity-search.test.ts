import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CapacitySearch, NEAR_STEP } from '../../../bench/media/capacity-search.ts';

/** Searches a relay that carries exactly `truth` calls; gives the probes. */
function searched(
  truth: number,
  guess: number,
  ...[limit, step]: [number, number?]
): [CapacitySearch, number[]] {
  const search = new CapacitySearch(guess, limit, step);
  const probes: number[] = [];
  for (let calls = search.next(); calls !== undefined; calls = search.next()) {
    probes.push(calls);
    search.report(calls <= truth);
  }
  return [search, probes];
}

describe('search for the most calls', () => {
  it('goes up from a guess that is carried, and halves the gap', () => {
    const [search, probes] = searched(1100, 900, 4500);
    expect(probes).toEqual([900, 1125, 1013, 1069, 1097]);
    expect(search.best).toBe(1097);
  });

  it('goes down from a guess that is not', () => {
    const [search, probes] = searched(500, 900, 4500);
    expect(probes).toEqual([900, 720, 576, 461, 519, 490, 505, 498]);
    expect(search.best).toBe(498);
  });

  it('stays near what another round found', () => {
    expect(searched(1100, 1097, 4500, NEAR_STEP)[1]).toEqual([1097, 1185, 1141, 1119]);
  });

  it('stops at the limit and says so', () => {
    const [search, probes] = searched(9000, 900, 1200);
    expect(probes).toEqual([900, 1125, 1200]);
    expect(search.isAtLimit).toBe(true);
  });

  it('gives up when not even a few calls are carried', () => {
    const [search] = searched(0, 900, 4500);
    expect(search.best).toBe(0);
    expect(search.isAtLimit).toBe(false);
  });

  it('comes within 3 % of the truth from any guess, and never above it', () => {
    const calls = fc.integer({ min: 50, max: 4400 });
    fc.assert(
      fc.property(calls, calls, (truth, guess) => {
        const [search, probes] = searched(truth, guess, 4500);
        expect(search.best).toBeLessThanOrEqual(truth);
        expect(truth - search.best).toBeLessThanOrEqual(Math.max(1, search.best * 0.03));
        expect(probes.length).toBeLessThan(30);
      }),
    );
  });
});
