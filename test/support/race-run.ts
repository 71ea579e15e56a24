/** Runs races, those that wait for 64·T1 beside the others. */

import type { Post } from './race-datagrams.ts';
import { RaceStage } from './race-stage.ts';
import type { RaceReport } from './race-stage.ts';
import { RACES } from './races.ts';
import type { Race } from './races.ts';

export interface RaceRun {
  /** Calls of all races together. */
  readonly calls: number;
  /** False: without those that wait for 64·T1. */
  readonly withSlow: boolean;
  readonly onReport?: (report: RaceReport) => void;
}

/** The reports of all races, in the order in which they ended. */
export async function runRaces({ calls, withSlow, onReport }: RaceRun): Promise<RaceReport[]> {
  const reports: RaceReport[] = [];
  const run = async (race: Race): Promise<void> => {
    const report = await runRace(race, Math.max(1, Math.round((calls * race.percent) / 100)));
    reports.push(report);
    onReport?.(report);
  };
  const slow = withSlow
    ? RACES.filter(({ isSlow }) => isSlow === true).map((race) => run(race))
    : [];
  for (const race of RACES) if (race.isSlow !== true) await run(race);
  await Promise.all(slow);
  return reports;
}

async function runRace(race: Race, count: number): Promise<RaceReport> {
  let stage: RaceStage | undefined;
  const postFrom =
    (end: 'alice' | 'bob'): Post =>
    (message, delayMs) =>
      stage?.post(end, message, delayMs);
  stage = await RaceStage.open({
    concurrency: Math.min(race.concurrency, count),
    alice: race.alice?.(postFrom('alice')) ?? {},
    bob: race.bob?.(postFrom('bob')) ?? {},
  });
  if (race.isTimed === true) await stage.warmUp();
  await stage.run(count, race.scripts(stage));
  return stage.report(race.name, race.allowed);
}
