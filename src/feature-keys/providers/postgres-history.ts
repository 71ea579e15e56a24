/** The table `feature_history` in PostgreSQL. */

import type {
  FeatureHistory,
  HistoryQuery,
  HistoryRow,
  HistoryValue,
  Presentity,
  StoredHistoryRow,
} from '../feature-state.ts';
import type { PostgresClient, PostgresRow, PostgresSession } from '../postgres-client.ts';
import type { HistoryPruning } from './history-pruning.ts';
import {
  historyBounds,
  isFinding,
  originColumn,
  readHistoryRow,
  tellsSame,
} from './history-shape.ts';
import { membersOf } from './foreign-state.ts';
import { PRUNE_ROWS } from './prune-step.ts';

const INSERT = `INSERT INTO feature_history
  (at, presentity, feature, outcome, reason, old_value, new_value, source, actor, origin, version)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;

const SELECT = `SELECT * FROM feature_history
  WHERE presentity = $1 AND at >= $2 AND at < $3 AND id < $4 AND ($5::text IS NULL OR feature = $5)
  ORDER BY id DESC LIMIT $6`;

// The ids grow with time, so the oldest rows are found without reading the others.
const PRUNE = `DELETE FROM feature_history WHERE at < $1 AND id IN
  (SELECT id FROM feature_history ORDER BY id LIMIT ${PRUNE_ROWS})`;

const SELECT_SAME_VERSION = `SELECT * FROM feature_history
  WHERE presentity = $1 AND feature = $2 AND version = $3 AND outcome = 'applied'
  ORDER BY id DESC LIMIT 1`;

/** Until the transaction ends, no other one of this account, on whatever node, goes on beside it. */
export async function lockAccount(session: PostgresSession, presentity: Presentity): Promise<void> {
  await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [presentity]);
}

export async function addHistoryRow(session: PostgresSession, row: HistoryRow): Promise<void> {
  await session.query(INSERT, [
    row.at,
    row.presentity,
    row.feature,
    row.outcome,
    row.reason ?? null,
    row.old === undefined ? null : JSON.stringify(row.old),
    row.new === undefined ? null : JSON.stringify(row.new),
    row.source,
    row.actor,
    originColumn(row),
    row.version ?? null,
  ]);
}

/** Deletes rows of before `before`; fewer than PRUNE_ROWS: none is left. */
export async function pruneHistory(session: PostgresSession, before: string): Promise<number> {
  const { count } = await session.query(PRUNE, [before]);
  return count;
}

export class PostgresHistory implements FeatureHistory {
  readonly #client: PostgresClient;
  readonly #pruning: HistoryPruning;
  readonly #closed: () => Promise<void>;
  #isClosed = false;

  constructor(client: PostgresClient, pruning: HistoryPruning, closed: () => Promise<void>) {
    this.#client = client;
    this.#pruning = pruning;
    this.#closed = closed;
  }

  /** A change that was found in the store has one row, whichever node finds it, and none if it was made by one. */
  async add(row: HistoryRow): Promise<void> {
    if (!isFinding(row)) {
      await addHistoryRow(this.#client, row);
      return;
    }
    await this.#client.transaction(async (session) => {
      await lockAccount(session, row.presentity);
      const values = [row.presentity, row.feature, row.version ?? 0];
      const { rows } = await session.query(SELECT_SAME_VERSION, values);
      const [last] = rows.flatMap((found) => readRow(found) ?? []);
      if (!tellsSame(last, row)) await addHistoryRow(session, row);
    });
  }

  async list(presentity: Presentity, query: HistoryQuery): Promise<readonly StoredHistoryRow[]> {
    const { fromAt, toAt, beforeId, limit } = historyBounds(query);
    const feature = query.feature ?? null;
    const values = [presentity, fromAt, toAt, beforeId, feature, limit];
    const { rows } = await this.#client.query(SELECT, values);
    return rows.flatMap((row) => readRow(row) ?? []);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#pruning.close();
    await this.#closed();
  }
}

function readRow(row: PostgresRow): StoredHistoryRow | undefined {
  const { at, reason, version } = row;
  const read = readHistoryRow({
    at: at instanceof Date ? at.toISOString() : String(at),
    presentity: String(row['presentity']),
    feature: String(row['feature']),
    outcome: String(row['outcome']),
    reason: typeof reason === 'string' ? reason : null,
    old: readValue(row['old_value']),
    new: readValue(row['new_value']),
    source: String(row['source']),
    actor: String(row['actor']),
    origin: membersOf(row['origin'], 'origin'),
    version: typeof version === 'number' ? version : null,
  });
  // The driver gives bigint as text.
  return read === undefined ? undefined : { ...read, id: Number(row['id']) };
}

function readValue(column: unknown): HistoryValue | null {
  if (column === null) return null;
  const { status, forwardTo, ringCount } = membersOf(column, 'value');
  return {
    status: status === true,
    ...(typeof forwardTo === 'string' ? { forwardTo } : {}),
    ...(typeof ringCount === 'number' ? { ringCount } : {}),
  };
}
