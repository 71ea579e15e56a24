/** Reads and writes the tables of a feature database. Each write is one transaction. Blocks. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { FEATURES, type Feature } from '../../wire/feature-event.ts';
import type {
  AccountState,
  FeatureState,
  HistoryQuery,
  HistoryRow,
  HistoryValue,
  Presentity,
  StoredHistoryRow,
} from '../feature-state.ts';
import {
  NEVER_CHANGED,
  accountOf,
  featureValues,
  historyValue,
  isSameState,
  sameValue,
} from './account-shape.ts';
import {
  historyBounds,
  isFinding,
  originColumn,
  readHistoryRow,
  tellsSame,
} from './history-shape.ts';
import { PRUNE_ROWS } from './prune-step.ts';
import type {
  SeenVersion,
  SqliteConfigure,
  SqliteResults,
  SqliteSet,
  SqliteSighting,
} from './sqlite-protocol.ts';

const UPSERT = `INSERT INTO feature_state
  (presentity, feature, status, forward_to, ring_count, assigned, locked, version, updated_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (presentity, feature) DO UPDATE SET
    status = excluded.status, forward_to = excluded.forward_to, ring_count = excluded.ring_count,
    assigned = excluded.assigned, locked = excluded.locked, version = excluded.version,
    updated_at = excluded.updated_at`;

const INSERT_HISTORY = `INSERT INTO feature_history
  (at, presentity, feature, outcome, reason, old_value, new_value, source, actor, origin, version)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const SELECT_HISTORY = `SELECT * FROM feature_history
  WHERE presentity = ? AND at >= ? AND at < ? AND id < ? AND (? IS NULL OR feature = ?)
  ORDER BY id DESC LIMIT ?`;

const SELECT_SAME_VERSION = `SELECT * FROM feature_history
  WHERE presentity = ? AND feature = ? AND version = ? AND outcome = 'applied'
  ORDER BY id DESC LIMIT 1`;

// The ids grow with time, so the oldest rows are found without reading the others.
const PRUNE = `DELETE FROM feature_history WHERE at < ? AND id IN
  (SELECT id FROM feature_history ORDER BY id LIMIT ${PRUNE_ROWS})`;

type Row = Readonly<Record<string, unknown>>;

export class SqliteTables {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #insertHistory: StatementSync;
  readonly #selectHistory: StatementSync;
  readonly #selectSameVersion: StatementSync;
  readonly #prune: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#select = database.prepare('SELECT * FROM feature_state WHERE presentity = ?');
    this.#upsert = database.prepare(UPSERT);
    this.#insertHistory = database.prepare(INSERT_HISTORY);
    this.#selectHistory = database.prepare(SELECT_HISTORY);
    this.#selectSameVersion = database.prepare(SELECT_SAME_VERSION);
    this.#prune = database.prepare(PRUNE);
  }

  get(presentity: Presentity): AccountState | undefined {
    const stored = this.#read(presentity);
    return stored.size === 0
      ? undefined
      : accountOf((feature) => stored.get(feature) ?? NEVER_CHANGED);
  }

  /** Writes the change and its row of the history; nothing where the values are the stored ones, or `current` is not. */
  set(set: SqliteSet): SqliteResults['set'] {
    const { presentity, feature, current, status, values, at, trace } = set;
    return this.#transaction(() => {
      const stored = this.#read(presentity).get(feature) ?? NEVER_CHANGED;
      if (!isSameState(stored, current)) return { outcome: 'stale', state: stored };
      const old = historyValue(stored);
      const wanted = historyValue({ status, values });
      if (sameValue(old, wanted)) return { outcome: 'unchanged', state: stored };
      const version = stored.version + 1;
      const state: FeatureState = { ...stored, status, values, version, updatedAt: at };
      this.#write(presentity, feature, state);
      const outcome = 'applied';
      this.#insert({ ...trace, at, presentity, feature, outcome, old, new: wanted, version });
      return { outcome, state };
    });
  }

  configure({ presentity, feature, flags }: SqliteConfigure): FeatureState {
    return this.#transaction(() => {
      const stored = this.#read(presentity).get(feature) ?? NEVER_CHANGED;
      const { assigned = stored.assigned, locked = stored.locked } = flags;
      const state: FeatureState = { ...stored, assigned, locked };
      this.#write(presentity, feature, state);
      return state;
    });
  }

  /** Keeps what another store holds, so that each value of a feature has a version even where that store counts none. */
  remember({ presentity, values, at }: SqliteSighting): Readonly<Record<Feature, SeenVersion>> {
    return this.#transaction(() => {
      const stored = this.#read(presentity);
      return accountOf((feature) => {
        const last = stored.get(feature) ?? NEVER_CHANGED;
        const seen = values[feature];
        if (seen === undefined || sameValue(historyValue(last), seen)) return last;
        const { status, forwardTo, ringCount } = seen;
        const version = last.version + 1;
        const changed = { ...last, status, values: featureValues(forwardTo, ringCount), version };
        const state: FeatureState = { ...changed, updatedAt: at };
        this.#write(presentity, feature, state);
        return state;
      });
    });
  }

  /** A change that was found in the store has one row, whichever process finds it, and none if it was made by one. */
  add(row: HistoryRow): undefined {
    if (!isFinding(row)) return this.#insert(row);
    return this.#transaction(() => {
      const { presentity, feature, version = 0 } = row;
      const found = this.#selectSameVersion.get(presentity, feature, version);
      const last = found === undefined ? undefined : readStored(found);
      return tellsSame(last, row) ? undefined : this.#insert(row);
    });
  }

  #insert(row: HistoryRow): undefined {
    this.#insertHistory.run(
      row.at,
      row.presentity,
      row.feature,
      row.outcome,
      row.reason ?? null,
      valueColumn(row.old),
      valueColumn(row.new),
      row.source,
      row.actor,
      originColumn(row),
      row.version ?? null,
    );
    return undefined;
  }

  list(presentity: Presentity, query: HistoryQuery): readonly StoredHistoryRow[] {
    const { fromAt, toAt, beforeId, limit } = historyBounds(query);
    const feature = query.feature ?? null;
    const rows: StoredHistoryRow[] = [];
    for (const row of this.#selectHistory.iterate(
      presentity,
      fromAt,
      toAt,
      beforeId,
      feature,
      feature,
      limit,
    )) {
      const read = readStored(row);
      if (read !== undefined) rows.push(read);
    }
    return rows;
  }

  /** Deletes rows of before `at`, as many as one step looks at; fewer than PRUNE_ROWS: none is left. */
  prune(at: string): number {
    return Number(this.#prune.run(at).changes);
  }

  /** Takes what the journal holds into the file itself. */
  close(): undefined {
    this.#database.close();
    return undefined;
  }

  #read(presentity: Presentity): ReadonlyMap<Feature, FeatureState> {
    const states = new Map<Feature, FeatureState>();
    for (const row of this.#select.all(presentity)) {
      const feature = FEATURES.find((known) => known === row['feature']);
      if (feature !== undefined) states.set(feature, readState(row));
    }
    return states;
  }

  #write(presentity: Presentity, feature: Feature, state: FeatureState): void {
    const { status, values, assigned, locked, version, updatedAt } = state;
    const { forwardTo = null, ringCount = null } = values;
    this.#upsert.run(
      presentity,
      feature,
      Number(status),
      forwardTo,
      ringCount,
      Number(assigned),
      Number(locked),
      version,
      updatedAt,
    );
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function readState(row: Row): FeatureState {
  const { forward_to: forwardTo, ring_count: ringCount, updated_at: updatedAt } = row;
  return {
    status: row['status'] !== 0,
    values: featureValues(
      typeof forwardTo === 'string' ? forwardTo : undefined,
      typeof ringCount === 'number' ? ringCount : undefined,
    ),
    assigned: row['assigned'] !== 0,
    notify: true,
    locked: row['locked'] !== 0,
    version: Number(row['version']),
    updatedAt: String(updatedAt),
  };
}

function valueColumn(value: HistoryValue | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function readStored(row: Row): StoredHistoryRow | undefined {
  const read = readHistoryRow({
    at: String(row['at']),
    presentity: String(row['presentity']),
    feature: String(row['feature']),
    outcome: String(row['outcome']),
    reason: typeof row['reason'] === 'string' ? row['reason'] : null,
    old: readValue(row['old_value']),
    new: readValue(row['new_value']),
    source: String(row['source']),
    actor: String(row['actor']),
    origin: readObject(row['origin']),
    version: row['version'] === null ? null : Number(row['version']),
  });
  return read === undefined ? undefined : { ...read, id: Number(row['id']) };
}

function readValue(column: unknown): HistoryValue | null {
  if (column === null) return null;
  const { status, forwardTo, ringCount } = readObject(column);
  return {
    status: status === true,
    ...(typeof forwardTo === 'string' ? { forwardTo } : {}),
    ...(typeof ringCount === 'number' ? { ringCount } : {}),
  };
}

function readObject(column: unknown): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(String(column));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
