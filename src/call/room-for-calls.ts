/** What the admission of a call says to the caller, and what it leaves behind in metrics. */
import type { Metrics } from '../observe/metrics.ts';
import type { CallAdmission, Passage, Session, SessionRefusal } from '../trunk/admission.ts';
import type { SkippedAgent } from '../trunk/policy.ts';
import type { EndCause } from './end-cause.ts';

/** How long a caller should wait after a 503, seconds. */
const RETRY_AFTER_SECONDS = 10;
const RETRY_AFTER_DRAIN_SECONDS = 60;

/** An attempt that ends before there is a call. */
export interface Refusal {
  readonly type: 'refused';
  readonly cause: EndCause;
  readonly headers: Record<string, string>;
  /** Reason phrase in place of the usual one. */
  readonly phrase?: string | undefined;
  /** The local policy that was for the attempt, where it came that far. */
  readonly policy?: string | undefined;
  /** Agents of the policy that could take no call. */
  readonly skipped?: readonly SkippedAgent[];
}

export function refused(
  name: EndCause['name'],
  headers: Record<string, string> = {},
  detail: { status?: number; text?: string } = {},
): Refusal {
  return { type: 'refused', cause: { name, by: 'sbc', ...detail }, headers };
}

export function retryAfter(status: number): Record<string, string> {
  return status === 503 ? { 'Retry-After': String(RETRY_AFTER_SECONDS) } : {};
}

/** What stands against new calls of any kind. */
export interface LoadLimits {
  readonly admission: Pick<CallAdmission, 'obstacle'>;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  /** The SIP engine keeps the pace of new calls. */
  readonly isPaced?: boolean;
}

/** Why a call is not taken now, whatever it is. */
export function refusalOfAll(isDraining: boolean, limits: LoadLimits): Refusal | undefined {
  const { admission, metrics, nowMs, isPaced = false } = limits;
  if (isDraining) {
    metrics.admission.rejected('draining');
    return refused('draining', { 'Retry-After': String(RETRY_AFTER_DRAIN_SECONDS) });
  }
  const reason = admission.obstacle(isPaced, nowMs());
  if (reason === undefined) return undefined;
  metrics.admission.rejected('overload');
  return refused('overloaded', retryAfter(503), { text: `overloaded: ${reason}` });
}

/** What is said of an agent whose calls are too many. */
const CONSTRAINED = /^constrained \(([a-z-]+)\)$/;

/** Counts the agents that a call passed over since one of their constraints stands against them. */
export function countConstrained(
  skipped: readonly SkippedAgent[],
  metrics: Pick<Metrics, 'admission'>,
): void {
  for (const { agent, reason } of skipped) {
    const constraint = CONSTRAINED.exec(reason)?.[1];
    if (constraint !== undefined) metrics.admission.agentConstrained(agent, constraint);
  }
}

/** Takes room for one leg of a call; a constraint that stands against it is counted. */
export function takeRoom(
  admission: CallAdmission,
  passage: Passage,
  context: { readonly metrics: Metrics; readonly nowMs: () => number },
): Session | SessionRefusal {
  const outcome = admission.open(passage, context.nowMs());
  if (outcome.type === 'session') return outcome;
  const { scope, name, constraint } = outcome;
  context.metrics.admission.rejected(`${scope}-constraint`);
  if (scope === 'agent') context.metrics.admission.agentConstrained(name, constraint);
  return outcome;
}
