/** PostgreSQL, as far as the feature store needs it: statements, transactions, notifications. The one importer of pg. */

import pg from 'pg';

export type PostgresRow = Readonly<Record<string, unknown>>;

export interface PostgresResult {
  readonly rows: readonly PostgresRow[];
  /** Rows read or written. */
  readonly count: number;
}

export type PostgresValue = string | number | boolean | null;

/** Runs statements one after the other. */
export interface PostgresSession {
  /** @throws Error of the server, of the connection, or that it took too long. */
  query(text: string, values?: readonly PostgresValue[]): Promise<PostgresResult>;
}

/** A connection that hears one channel. */
export interface PostgresListening {
  /** @throws Error when the connection is no use any more. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** How long the server works on one statement. */
export const STATEMENT_TIMEOUT_MS = 2000;
/** How long an answer is waited for, and a connection of the pool. */
const ANSWER_TIMEOUT_MS = 2500;
const POOL_SIZE = 10;
const CONNECTION = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  query_timeout: ANSWER_TIMEOUT_MS,
  connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
  keepAlive: true,
  application_name: 'tonebridge',
};

export class PostgresClient implements PostgresSession {
  readonly #url: string;
  readonly #pool: pg.Pool;

  /** Connects when first used. */
  constructor(url: string) {
    this.#url = url;
    this.#pool = new pg.Pool({
      ...CONNECTION,
      connectionString: url,
      max: POOL_SIZE,
      idle_in_transaction_session_timeout: 2 * ANSWER_TIMEOUT_MS,
    });
    // Whoever uses a lost connection hears of it from its statement; an idle one is replaced.
    this.#pool.on('error', ignore);
    this.#pool.on('connect', (client) => client.on('error', ignore));
  }

  query(text: string, values: readonly PostgresValue[] = []): Promise<PostgresResult> {
    return run(this.#pool, text, values);
  }

  /**
   * Runs `work` as one transaction, which is rolled back when it throws, or when `signal` is aborted before its end.
   *
   * @throws Error of `work` or of the server; then nothing was written, unless the connection broke during the commit.
   */
  async transaction<T>(
    work: (session: PostgresSession) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    const client = await this.#pool.connect();
    const session: PostgresSession = {
      query: (text, values = []) => run(client, text, values),
    };
    let isBroken = false;
    try {
      await session.query('BEGIN');
      const result = await work(session);
      signal?.throwIfAborted();
      await session.query('COMMIT');
      return result;
    } catch (error) {
      // A connection whose state is unknown is not given to anybody else.
      await session.query('ROLLBACK').catch(() => {
        isBroken = true;
      });
      throw error;
    } finally {
      client.release(isBroken);
    }
  }

  /**
   * Hears `channel` over a connection of its own.
   *
   * @param heard called with the payload of each notification.
   * @param ended called once when the connection is lost, not when it is closed.
   */
  async listen(
    channel: string,
    heard: (payload: string) => void,
    ended: () => void,
  ): Promise<PostgresListening> {
    const client = new pg.Client({ ...CONNECTION, connectionString: this.#url });
    let isClosed = false;
    client.on('error', ignore);
    client.on('notification', ({ payload = '' }) => heard(payload));
    await client.connect();
    client.on('end', () => {
      if (!isClosed) ended();
    });
    const close = async (): Promise<void> => {
      isClosed = true;
      await client.end().catch(ignore);
    };
    try {
      await client.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await close();
      throw error;
    }
    const ping = async (): Promise<void> => {
      await client.query('SELECT 1');
    };
    return { ping, close };
  }

  /** Waits for the statements that run. */
  async close(): Promise<void> {
    await this.#pool.end();
  }
}

async function run(
  target: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly PostgresValue[],
): Promise<PostgresResult> {
  const { rows, rowCount } = await target.query<Record<string, unknown>>(text, [...values]);
  return { rows, count: rowCount ?? 0 };
}

function ignore(): void {
  // Told elsewhere, or of no consequence.
}
