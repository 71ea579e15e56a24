/**
 * Whether a session agent answers, from the outcomes of OPTIONS and of calls.
 *
 *                   down-after failures in a row (OPTIONS or calls)
 *   inService  ------------------------------------------------------->  outOfService
 *      ^                                                                      |
 *      '--------- up-after answers in a row, to OPTIONS alone <--------------'
 *
 *   outcome                                        OPTIONS   call
 *   final answer with a code that means failure    failure   failure
 *   any other final answer                         answer    answer
 *   silence                                        failure   failure
 *   transport error                                failure   failure
 *   our own SIP engine is gone                     nothing   nothing
 *
 * Pure: outcomes and time are arguments.
 */
export type AgentOutcome =
  | { readonly type: 'answer'; readonly by: OutcomeSource; readonly status: number }
  | { readonly type: 'silence'; readonly by: OutcomeSource }
  | { readonly type: 'transportError'; readonly by: OutcomeSource };

export type OutcomeSource = 'ping' | 'call';

export type FailureReason = 'no-answer' | 'transport-error' | 'failure-code';

export type AgentHealth =
  | {
      readonly type: 'inService';
      readonly sinceMs: number;
      /** `started`: nothing is known yet, which counts as good. */
      readonly reason: 'started' | 'answers';
      /** In a row, up to now. */
      readonly failures: number;
    }
  | {
      readonly type: 'outOfService';
      readonly sinceMs: number;
      /** Of the failure that was the last straw. */
      readonly reason: FailureReason;
      /** In a row, up to now. */
      readonly answers: number;
    };

export interface HealthRules {
  readonly downAfter: number;
  readonly upAfter: number;
  /** Final answers that count as failures. */
  readonly failureCodes: readonly number[];
}

/** What is believed of an agent nobody has asked yet. */
export function initialHealth(nowMs: number): AgentHealth {
  return { type: 'inService', sinceMs: nowMs, reason: 'started', failures: 0 };
}

/** The health after `outcome`; the same object when nothing changes. */
export function nextHealth(
  health: AgentHealth,
  outcome: AgentOutcome,
  rules: HealthRules,
  nowMs: number,
): AgentHealth {
  const failure = failureOf(outcome, rules);
  if (health.type === 'outOfService')
    return whileOut(health, outcome.by, failure, { rules, nowMs });
  if (failure === undefined) {
    const isNews = health.failures > 0 || health.reason === 'started';
    return isNews ? { ...health, reason: 'answers', failures: 0 } : health;
  }
  const failures = health.failures + 1;
  if (failures < rules.downAfter) return { ...health, failures };
  return { type: 'outOfService', sinceMs: nowMs, reason: failure, answers: 0 };
}

function whileOut(
  health: Extract<AgentHealth, { type: 'outOfService' }>,
  by: OutcomeSource,
  ...[failure, { rules, nowMs }]: [FailureReason | undefined, { rules: HealthRules; nowMs: number }]
): AgentHealth {
  if (failure !== undefined) return health.answers === 0 ? health : { ...health, answers: 0 };
  // The end of a call that began before says little about new ones.
  if (by === 'call') return health;
  const answers = health.answers + 1;
  if (answers < rules.upAfter) return { ...health, answers };
  return { type: 'inService', sinceMs: nowMs, reason: 'answers', failures: 0 };
}

function failureOf(
  outcome: AgentOutcome,
  { failureCodes }: HealthRules,
): FailureReason | undefined {
  if (outcome.type === 'silence') return 'no-answer';
  if (outcome.type === 'transportError') return 'transport-error';
  return failureCodes.includes(outcome.status) ? 'failure-code' : undefined;
}

/** Pings of many agents drift apart: each waits 0.9 to 1.1 times the interval. `random` is 0 up to but not including 1. */
export function jitteredMs(intervalMs: number, random: number): number {
  return Math.round(intervalMs * (0.9 + 0.2 * random));
}
