/** The tables of the feature keys in PostgreSQL, made where they are missing. */

import type { PostgresClient, PostgresSession } from '../postgres-client.ts';

const VERSION = 1;

const TABLES = `
  CREATE TABLE feature_state (
    presentity text NOT NULL, feature text NOT NULL, status boolean NOT NULL DEFAULT false,
    forward_to text, ring_count integer, assigned boolean NOT NULL DEFAULT true,
    locked boolean NOT NULL DEFAULT false, version integer NOT NULL DEFAULT 0,
    updated_at timestamptz, PRIMARY KEY (presentity, feature));
  CREATE TABLE feature_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL,
    presentity text NOT NULL, feature text NOT NULL, outcome text NOT NULL, reason text,
    old_value jsonb, new_value jsonb, source text NOT NULL, actor text NOT NULL,
    origin jsonb NOT NULL, version integer);
  CREATE INDEX feature_history_by_account ON feature_history (presentity, at);
  CREATE TABLE feature_schema (version integer NOT NULL);
  INSERT INTO feature_schema VALUES (${VERSION});`;

/**
 * Of several programs that start at once, one makes the tables. Where they are there already, no right to make any is
 * needed.
 *
 * @throws Error when they are of a newer program, or the server refuses.
 */
export async function preparePostgres(client: PostgresClient): Promise<void> {
  if (await isReady(client)) return;
  await client.transaction(async (session) => {
    await session.query("SELECT pg_advisory_xact_lock(hashtextextended('feature_schema', 0))");
    if (!(await isReady(session))) await session.query(TABLES);
  });
}

async function isReady(session: PostgresSession): Promise<boolean> {
  // By snapshot: a look-up by name may still believe what it saw before another node made the table.
  const { rows } = await session.query(
    "SELECT 1 FROM pg_class WHERE relname = 'feature_schema' AND pg_table_is_visible(oid)",
  );
  if (rows.length === 0) return false;
  const stored = await session.query('SELECT max(version) AS version FROM feature_schema');
  const version = Number(stored.rows[0]?.['version']);
  if (version > VERSION) {
    throw new Error(
      `its tables were made by a newer program: their version is ${version}, this one knows ${VERSION}`,
    );
  }
  return true;
}
