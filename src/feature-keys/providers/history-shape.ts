/** Rows of the history between what the service hands over and what a table holds. */

import { FEATURES } from '../../wire/feature-event.ts';
import type {
  HistoryOrigin,
  HistoryQuery,
  HistoryRow,
  HistoryValue,
  ProviderContext,
} from '../feature-state.ts';
import { sameValue } from './account-shape.ts';

/** What a provider knows of who changes, as far as a row of the history keeps it. */
export type Trace = Pick<ProviderContext, 'source' | 'actor' | 'param' | 'origin'> & {
  readonly dialogs: number;
};

export function traceOf(context: ProviderContext): Trace {
  const { source, actor, param, origin, dialogs = 0 } = context;
  return { source, actor, param, origin, dialogs };
}

/** The column `origin`: it holds `param` and the number of dialogs as well. */
export function originColumn(trace: Pick<Trace, 'origin' | 'param' | 'dialogs'>): string {
  return JSON.stringify({ ...trace.origin, param: trace.param, dialogs: trace.dialogs });
}

export function readOrigin(column: Readonly<Record<string, unknown>>): {
  readonly origin: HistoryOrigin;
  readonly param: string | null;
  readonly dialogs: number;
} {
  const origin: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(column)) {
    if (name === 'param' || name === 'dialogs') continue;
    if (typeof value === 'string' || typeof value === 'number') origin[name] = value;
  }
  const { param, dialogs } = column;
  return {
    origin,
    param: typeof param === 'string' ? param : null,
    dialogs: typeof dialogs === 'number' ? dialogs : 0,
  };
}

/** Columns of a stored row; JSON columns parsed. */
export interface HistoryColumns {
  readonly at: string;
  readonly presentity: string;
  readonly feature: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly old: HistoryValue | null;
  readonly new: HistoryValue | null;
  readonly source: string;
  readonly actor: string;
  readonly origin: Readonly<Record<string, unknown>>;
  readonly version: number | null;
}

/** @returns `undefined` for a row that no program of ours wrote. */
export function readHistoryRow(columns: HistoryColumns): HistoryRow | undefined {
  const { at, presentity, actor, reason, version } = columns;
  const feature = FEATURES.find((known) => known === columns.feature);
  const outcome = OUTCOMES.find((known) => known === columns.outcome);
  const source = SOURCES.find((known) => known === columns.source);
  if (feature === undefined || outcome === undefined || source === undefined) return undefined;
  const { origin, param, dialogs } = readOrigin(columns.origin);
  return {
    at,
    presentity,
    feature,
    outcome,
    ...(reason === null ? {} : { reason }),
    ...(columns.old === null ? {} : { old: columns.old }),
    ...(columns.new === null ? {} : { new: columns.new }),
    source,
    actor,
    origin,
    param,
    ...(version === null ? {} : { version }),
    dialogs,
  };
}

/** A change that was found in the store; whoever made it may have left a row, and others may find it too. */
export function isFinding({ outcome, source }: HistoryRow): boolean {
  return outcome === 'applied' && source === 'provider';
}

/** @param last the newest row of an applied change with the version of `finding`. */
export function tellsSame(last: HistoryRow | undefined, finding: HistoryRow): boolean {
  if (last?.new === undefined || finding.new === undefined) return false;
  return sameValue(last.new, finding.new);
}

/** A query with every bound filled in: from `fromAt` on, before `toAt`, ids below `beforeId`. */
export interface HistoryBounds {
  readonly fromAt: string;
  readonly toAt: string;
  readonly beforeId: number;
  readonly limit: number;
}

/** @throws RangeError when a time is none. */
export function historyBounds(query: HistoryQuery): HistoryBounds {
  const { from, to, limit = DEFAULT_LIMIT, before = Number.MAX_SAFE_INTEGER } = query;
  return {
    fromAt: from === undefined ? '0001-01-01T00:00:00.000Z' : new Date(from).toISOString(),
    toAt: to === undefined ? '9999-12-31T23:59:59.999Z' : new Date(to).toISOString(),
    beforeId: before,
    limit: Math.min(Math.max(limit, 0), MOST_ROWS),
  };
}

const DEFAULT_LIMIT = 100;
const MOST_ROWS = 1000;
const OUTCOMES = ['applied', 'refused', 'failed'] as const;
const SOURCES = ['phone', 'api', 'cli', 'portal', 'provider', 'call'] as const;
