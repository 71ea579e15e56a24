/** What a new configuration would do to the running SBC, without doing it. */
import type { Call } from '../call/call.ts';
import type { LoadedConfig, ValidConfig } from '../config/load.ts';
import { pathOfLoaded } from '../config/load-file.ts';
import { planConfig, type ConfigPlan } from '../config/plan.ts';
import { type AffectedCalls, affectedCalls, type CallPlaces } from '../config/plan-calls.ts';
import type { ProblemView } from './backend.ts';
import type { ValidConfig as ReadConfig } from './reload-part.ts';
import { restartProblems } from './restart-problems.ts';

export interface ConfigPlanView {
  /**
   * `unchanged`: it means the same; `live`: a reload takes it over for new calls; `restart`: a reload would refuse it, a
   * restart takes it over; `refused`: it is not valid.
   */
  readonly verdict: 'unchanged' | 'live' | 'restart' | 'refused';
  /** Why it needs a restart or is refused. */
  readonly problems: readonly ProblemView[];
  /** SHA-256 of the text in use, and the file it came from, with its whole path. */
  readonly current: { readonly hash: string; readonly file?: string };
  /** Of the new one; absent of one that is refused. */
  readonly hash?: string;
  readonly plan?: ConfigPlan;
  /** Absent where no running SBC was asked. They keep the configuration they began with until their end. */
  readonly calls?: { readonly active: number; readonly affected: readonly AffectedCalls[] };
}

/** A new configuration, of which agents, groups and policies may be missing, and what it would change. */
export type PlannedConfig =
  | (Pick<ReadConfig, 'config' | 'lineOf'> & {
      readonly type: 'planned';
      readonly plan: ConfigPlan;
    })
  | { readonly type: 'invalid'; readonly problems: readonly ProblemView[] };

/** `calls` is `undefined` where no running SBC is asked. */
export function configPlanView(
  current: ValidConfig,
  next: LoadedConfig,
  calls: readonly CallPlaces[] | undefined,
): ConfigPlanView {
  if (next.type === 'invalid') return planView(current, next, calls);
  const { config, lineOf } = next;
  const planned: PlannedConfig = {
    type: 'planned',
    config,
    lineOf,
    plan: planConfig(current, next),
  };
  return planView(current, planned, calls);
}

/** The same of a comparison that has been made. */
export function planView(
  current: Pick<ValidConfig, 'config' | 'file'>,
  next: PlannedConfig,
  calls: readonly CallPlaces[] | undefined,
): ConfigPlanView {
  const { hash } = current.config;
  const file = pathOfLoaded(current);
  const inUse = { hash, ...(file === undefined ? {} : { file }) };
  if (next.type === 'invalid') {
    const active = calls === undefined ? {} : { calls: { active: calls.length, affected: [] } };
    return { verdict: 'refused', problems: next.problems, current: inUse, ...active };
  }
  const { config, lineOf, plan } = next;
  const problems = restartProblems(current.config, { type: 'config', config, lineOf });
  const affected = affectedCalls(plan.elements, calls ?? []);
  return {
    verdict: verdictOf(plan, problems),
    problems,
    current: inUse,
    hash: next.config.hash,
    plan,
    ...(calls === undefined ? {} : { calls: { active: calls.length, affected } }),
  };
}

function verdictOf(plan: ConfigPlan, problems: readonly ProblemView[]): ConfigPlanView['verdict'] {
  if (problems.length > 0) return 'restart';
  return plan.isChanged ? 'live' : 'unchanged';
}

/** Where the legs of running calls are. */
export function placesOf(calls: readonly Call[]): CallPlaces[] {
  return calls.map(({ caller, session }) =>
    [caller, ...(session === undefined ? [] : [session.legs.callee])].map(
      ({ sipInterface, agent }) => ({ sipInterface: sipInterface.name, agent: agent?.name }),
    ),
  );
}
