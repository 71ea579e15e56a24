/** State of accounts in PostgreSQL: in tables of ours, or behind statements of the operator. Values are only bound. */

import type { Feature } from '../../wire/feature-event.ts';
import type { PostgresResult, PostgresRow, PostgresSession } from '../postgres-client.ts';
import type {
  AccountState,
  FeatureChange,
  FeatureFlags,
  FeatureState,
  HistoryValue,
  Presentity,
  SetResult,
} from '../feature-state.ts';
import {
  NEVER_CHANGED,
  accountFrom,
  accountOf,
  featureValues,
  historyValue,
  isSameState,
  sameValue,
} from './account-shape.ts';
import { type ForeignState, parseForeignState, parseSetResult } from './foreign-state.ts';

export interface AccountSet {
  readonly presentity: Presentity;
  readonly feature: Feature;
  readonly change: FeatureChange;
  /** RFC 3339. */
  readonly at: string;
}

/** What a set did, and which value it replaced. */
export interface AccountSetDone {
  readonly result: SetResult;
  readonly old: HistoryValue;
}

export interface PostgresAccounts {
  /** @returns `undefined`: nothing of the account is stored. */
  read(session: PostgresSession, presentity: Presentity): Promise<AccountState | undefined>;
  /** Inside the transaction that holds the lock of the account. */
  set(session: PostgresSession, set: AccountSet): Promise<AccountSetDone>;
}

const SELECT_STATES = 'SELECT * FROM feature_state WHERE presentity = $1';

const UPSERT_STATE = `INSERT INTO feature_state
  (presentity, feature, status, forward_to, ring_count, assigned, locked, version, updated_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (presentity, feature) DO UPDATE SET
    status = excluded.status, forward_to = excluded.forward_to, ring_count = excluded.ring_count,
    assigned = excluded.assigned, locked = excluded.locked, version = excluded.version,
    updated_at = excluded.updated_at`;

/** The table `feature_state`. */
export class TableAccounts implements PostgresAccounts {
  async read(session: PostgresSession, presentity: Presentity): Promise<AccountState | undefined> {
    const { rows } = await session.query(SELECT_STATES, [presentity]);
    if (rows.length === 0) return undefined;
    const states = new Map(rows.map((row) => [row['feature'], parseRow(row)]));
    return accountOf((feature) => counted(states.get(feature)));
  }

  async set(session: PostgresSession, set: AccountSet): Promise<AccountSetDone> {
    const { presentity, feature, change, at } = set;
    const stored = (await this.read(session, presentity))?.[feature] ?? NEVER_CHANGED;
    if (!isSameState(stored, change.current)) return staleSet(stored);
    const { status, values } = change.proposed;
    const old = historyValue(stored);
    const { assigned } = stored;
    if (sameValue(old, historyValue(change.proposed))) {
      const { version } = stored;
      return {
        old,
        result: { outcome: 'unchanged', status, values, assigned, notify: true, version },
      };
    }
    const version = stored.version + 1;
    await write(session, set, { ...stored, status, values, version, updatedAt: at });
    return { old, result: { outcome: 'applied', status, values, assigned, notify: true, version } };
  }

  /** Inside the transaction that holds the lock of the account. */
  async configure(
    session: PostgresSession,
    place: { readonly presentity: Presentity; readonly feature: Feature },
    flags: FeatureFlags,
  ): Promise<FeatureState> {
    const account = await this.read(session, place.presentity);
    const stored = account?.[place.feature] ?? NEVER_CHANGED;
    const { assigned = stored.assigned, locked = stored.locked } = flags;
    const state: FeatureState = { ...stored, assigned, locked };
    await write(session, place, state);
    return state;
  }
}

async function write(
  session: PostgresSession,
  place: { readonly presentity: Presentity; readonly feature: Feature },
  state: FeatureState,
): Promise<void> {
  const { status, values, assigned, locked, version, updatedAt } = state;
  await session.query(UPSERT_STATE, [
    place.presentity,
    place.feature,
    status,
    values.forwardTo ?? null,
    values.ringCount ?? null,
    assigned,
    locked,
    version,
    updatedAt === '' ? null : updatedAt,
  ]);
}

export interface OwnStatements {
  /** $1 presentity, $2 feature; at most one row. */
  readonly getSql: string;
  /** $1 presentity, $2 feature, $3 status, $4 forward_to, $5 ring_count. */
  readonly setSql: string;
}

const SELECT_VERSIONS = `SELECT feature, max(version) AS version, max(at) AS updated_at
  FROM feature_history WHERE presentity = $1 AND outcome = 'applied' GROUP BY feature`;

/** Statements of the operator. Where they give no version, the history has counted one. */
export class StatementAccounts implements PostgresAccounts {
  readonly #statements: OwnStatements;

  constructor(statements: OwnStatements) {
    this.#statements = statements;
  }

  async read(session: PostgresSession, presentity: Presentity): Promise<AccountState | undefined> {
    const { getSql } = this.#statements;
    const found = await accountFrom(async (feature) => {
      const { rows } = await session.query(getSql, [presentity, feature]);
      return rows[0] === undefined ? undefined : parseRow(rows[0]);
    });
    if (Object.values(found).every((state) => state === undefined)) return undefined;
    const versions = await readVersions(session, presentity, Object.values(found));
    return accountOf((feature) => counted(found[feature], versions.get(feature)));
  }

  async set(session: PostgresSession, set: AccountSet): Promise<AccountSetDone> {
    const { presentity, feature, change } = set;
    const stored = await this.#readOne(session, presentity, feature);
    if (!isSameState(stored, change.current)) return staleSet(stored);
    const { status, values } = change.proposed;
    const { forwardTo = null, ringCount = null } = values;
    const done = await session.query(this.#statements.setSql, [
      presentity,
      feature,
      status,
      forwardTo,
      ringCount,
    ]);
    if (done.count === 0) throw new Error('set-sql stored nothing');
    const answer = returned(done, change) ?? (await this.#written(session, set));
    const result = parseSetResult(answer, change);
    const old = historyValue(stored);
    if (sameValue(old, historyValue(result))) {
      const { version } = stored;
      return { old, result: { ...result, outcome: 'unchanged', version } };
    }
    return { old, result: { ...result, version: result.version ?? stored.version + 1 } };
  }

  async #readOne(
    session: PostgresSession,
    presentity: Presentity,
    feature: Feature,
  ): Promise<FeatureState> {
    const { rows } = await session.query(this.#statements.getSql, [presentity, feature]);
    if (rows[0] === undefined) return NEVER_CHANGED;
    const state = parseRow(rows[0]);
    const versions = await readVersions(session, presentity, [state]);
    return counted(state, versions.get(feature));
  }

  /** What set-sql made of the values: a trigger may have written others. */
  async #written(session: PostgresSession, { presentity, feature }: AccountSet): Promise<object> {
    const { rows } = await session.query(this.#statements.getSql, [presentity, feature]);
    if (rows[0] === undefined) return {};
    const { status, values, version } = parseRow(rows[0]);
    return { status, values, version };
  }
}

/** Another node was quicker, or somebody who writes the tables himself: nothing is done. */
function staleSet(stored: FeatureState): AccountSetDone {
  const { status, values, assigned, version } = stored;
  return {
    old: historyValue(stored),
    result: { outcome: 'stale', status, values, assigned, notify: true, version },
  };
}

async function readVersions(
  session: PostgresSession,
  presentity: Presentity,
  states: readonly (ForeignState | undefined)[],
): Promise<ReadonlyMap<unknown, ForeignState>> {
  if (states.every((state) => state?.version !== undefined)) return new Map();
  const { rows } = await session.query(SELECT_VERSIONS, [presentity]);
  return new Map(rows.map((row) => [row['feature'], parseRow(row)]));
}

/** The row that set-sql returns, where it does: only the columns it has. */
function returned({ rows }: PostgresResult, change: FeatureChange): object | undefined {
  const [row] = rows;
  if (row === undefined || !('status' in row || 'forward_to' in row || 'ring_count' in row)) {
    return undefined;
  }
  const { status, values, version } = parseRow({
    status: change.proposed.status,
    forward_to: change.proposed.values.forwardTo,
    ring_count: change.proposed.values.ringCount,
    ...row,
  });
  return { status, values, version };
}

/**
 * A row by the names of our columns; those that are missing or null take their defaults.
 *
 * @throws AnswerError
 */
function parseRow(row: PostgresRow): ForeignState {
  const updatedAt = row['updated_at'];
  return parseForeignState({
    status: truth(row['status']),
    values: { forwardTo: row['forward_to'], ringCount: wholeNumber(row['ring_count']) },
    assigned: truth(row['assigned']),
    notify: truth(row['notify']),
    locked: truth(row['locked']),
    version: wholeNumber(row['version']),
    updatedAt: updatedAt instanceof Date ? updatedAt.toISOString() : updatedAt,
  });
}

/** Many tables keep truth as 0 and 1. */
function truth(value: unknown): unknown {
  if (value === 0 || value === 1) return value === 1;
  return value;
}

/** The driver gives bigint and numeric as text. */
function wholeNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
}

function counted(state: ForeignState | undefined, seen?: ForeignState): FeatureState {
  if (state === undefined) return NEVER_CHANGED;
  const { version = seen?.version ?? 0, updatedAt = seen?.updatedAt ?? '' } = state;
  const { forwardTo, ringCount } = state.values;
  return { ...state, values: featureValues(forwardTo, ringCount), version, updatedAt };
}
