/** What the main thread and a simulation thread say to each other. */
import type { Config } from '../config/config.ts';
import { playScenario } from './play.ts';
import type { SimulationReport } from './report.ts';
import type { Scenario } from './scenario.ts';
import { ScenarioError } from './simulated-ends.ts';
import type { VirtualThread } from './virtual-thread.ts';

/** One scenario to play; both are plain data. */
export interface SimulationJob {
  readonly config: Config;
  readonly scenario: Scenario;
}

export type JobAnswer =
  | { readonly type: 'report'; readonly report: SimulationReport }
  /** The scenario does not fit the configuration. */
  | { readonly type: 'unfit'; readonly message: string }
  /** The simulation itself is at fault. */
  | { readonly type: 'broken'; readonly message: string };

export async function answerJob(
  { config, scenario }: SimulationJob,
  thread: VirtualThread,
): Promise<JobAnswer> {
  try {
    const play = (): Promise<SimulationReport> => playScenario(config, scenario);
    return { type: 'report', report: await thread.run(scenario.startMs, play) };
  } catch (error) {
    if (error instanceof ScenarioError) return { type: 'unfit', message: error.message };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { type: 'broken', message };
  }
}
