/** Feature state in a real PostgreSQL server. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FeatureStore } from '../../src/feature-keys/providers/open-store.ts';
import { openStore } from '../support/feature-store-config.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import {
  ACCOUNT,
  OTHER,
  change,
  changeOf,
  contextOf,
  providerConformance,
} from '../support/provider-conformance.ts';
import { sleep, waitFor } from '../support/wait-for.ts';

let server: PostgresServer;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(() => server.close());

beforeEach(() => {
  server.run('DROP TABLE IF EXISTS feature_state, feature_history, feature_schema, people CASCADE');
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(part: Record<string, unknown> = {}, keepMs = 0): Promise<FeatureStore> {
  const store = await openStore({
    provider: { kind: 'postgres', url: server.url, ...part },
    keepMs,
  });
  closing.push(async () => {
    await store.provider.close();
    await store.history.close();
  });
  return store;
}

/** What a node hears of changes of others. */
function hearing({ provider }: Pick<FeatureStore, 'provider'>): string[] {
  const heard: string[] = [];
  provider.watch?.((presentity) => heard.push(presentity));
  return heard;
}

providerConformance('postgres', () => open());

describe('several nodes', () => {
  test('start at once, make the tables once and hear of each other, not of themselves', async () => {
    const [one, two, three] = await Promise.all([open(), open(), open()]);
    const heard = [one, two, three].map(hearing);
    await change(one.provider, ACCOUNT, 'DoNotDisturb', { status: true });
    await change(two.provider, OTHER, 'DoNotDisturb', { status: true });
    await waitFor('all told', () => heard[2]?.length === 2);
    await waitFor('one told', () => heard[0]?.length === 1);
    await waitFor('two told', () => heard[1]?.length === 1);
    expect(heard).toEqual([[OTHER], [ACCOUNT], [ACCOUNT, OTHER]]);
  });

  test('that set the same account at the same time leave one order of versions', async () => {
    const stores = await Promise.all([open(), open()]);
    const sets = Array.from({ length: 40 }, async (_, index) => {
      const { provider } = stores[index % 2] ?? stores[0];
      for (;;) {
        const made = await changeOf(provider, ACCOUNT, 'CallForwardingAlways', { status: true });
        const proposed = { status: true, values: { forwardTo: String(index) } };
        const wanted = { ...made, proposed };
        const set = await provider.set(ACCOUNT, 'CallForwardingAlways', wanted, contextOf());
        if (set.outcome !== 'stale') return set;
      }
    });
    const results = await Promise.all(sets);
    const versions = results.map(({ version = 0 }) => version).toSorted((a, b) => a - b);
    expect(versions).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    const rows = await stores[0].history.list(ACCOUNT, {});
    expect(rows.map(({ version }) => version)).toEqual(versions.toReversed());
    // Each row replaced what the row before it had written.
    for (const [index, row] of rows.slice(0, -1).entries()) {
      expect(row.old).toEqual(rows[index + 1]?.new);
    }
  });

  test('hear of a portal that writes the table itself and says so', async () => {
    const { provider } = await open();
    const heard = hearing({ provider });
    server.run(
      `INSERT INTO feature_state (presentity, feature, status, version, updated_at)
       VALUES ('${ACCOUNT}', 'DoNotDisturb', true, 1, now()); NOTIFY dfks_changed, '${ACCOUNT}'`,
    );
    await waitFor('a change', () => heard.length === 1);
    const account = await provider.getAll(ACCOUNT, contextOf());
    expect(account?.DoNotDisturb).toMatchObject({ status: true, version: 1 });
  });

  test('hear that anything may have changed when they could not hear', async () => {
    const { provider } = await open();
    await provider.getAll(ACCOUNT, contextOf());
    const heard: string[] = [];
    provider.watch?.((presentity) => heard.push(presentity));
    server.cut("query LIKE 'LISTEN%'");
    await waitFor('a second look', () => heard.includes('*'));
    await waitFor('a new ear', () => {
      server.run(`NOTIFY dfks_changed, '${OTHER}'`);
      return heard.includes(OTHER);
    });
    expect(heard).toContain(OTHER);
  });

  test('find that another one was quicker, and do nothing', async () => {
    const [one, two] = await Promise.all([open(), open()]);
    const forward = { status: true, forwardTo: '7' };
    const made = await changeOf(one.provider, ACCOUNT, 'CallForwardingAlways', forward);
    await two.provider.configure?.(ACCOUNT, 'CallForwardingAlways', { locked: true }, contextOf());
    const set = one.provider.set(ACCOUNT, 'CallForwardingAlways', made, contextOf());
    expect(await set).toMatchObject({ outcome: 'stale', status: false, version: 0 });
    expect(await one.history.list(ACCOUNT, {})).toEqual([]);
  });

  test('leave one row of a change that several found', async () => {
    const [one, two] = await Promise.all([open(), open()]);
    await change(one.provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const row = {
      at: new Date().toISOString(),
      presentity: ACCOUNT,
      feature: 'DoNotDisturb',
      outcome: 'applied',
      source: 'provider',
      actor: 'provider',
      origin: {},
      param: null,
      version: 1,
      dialogs: 1,
    } as const;
    // One that a node made, then one of somebody who writes the table himself.
    for (const status of [true, false]) {
      const found = { ...row, old: { status: !status }, new: { status } };
      await Promise.all([one.history.add(found), two.history.add(found)]);
    }
    expect(await one.history.list(ACCOUNT, {})).toMatchObject([
      { source: 'provider', new: { status: false } },
      { source: 'phone', new: { status: true } },
    ]);
  });

  test('assign and lock for each other', async () => {
    const [one, two] = await Promise.all([open(), open()]);
    const heard = hearing(two);
    await one.provider.configure?.(ACCOUNT, 'DoNotDisturb', { locked: true }, contextOf());
    await waitFor('a change', () => heard.length === 1);
    const account = await two.provider.getAll(ACCOUNT, contextOf());
    expect(account?.DoNotDisturb).toMatchObject({ locked: true, assigned: true, version: 0 });
  });
});

describe('own statements', () => {
  const OWN = {
    'get-sql': `SELECT dnd AS status, 'x' AS unknown FROM people
       WHERE 'sip:' || name || '@pbx.example' = $1 AND $2::text = 'DoNotDisturb'
       UNION ALL SELECT fwd, target FROM people
       WHERE 'sip:' || name || '@pbx.example' = $1 AND $2::text <> 'DoNotDisturb'`.replaceAll(
      "'x' AS unknown",
      'NULL AS forward_to',
    ),
    'set-sql': `UPDATE people SET
       dnd = CASE WHEN $2::text = 'DoNotDisturb' THEN $3::boolean::int ELSE dnd END,
       fwd = CASE WHEN $2::text <> 'DoNotDisturb' THEN $3::boolean::int ELSE fwd END,
       target = coalesce('+49' || $4::text, target), rings = $5::int
       WHERE 'sip:' || name || '@pbx.example' = $1
       RETURNING $3::boolean AS status, '+49' || $4::text AS forward_to`,
  };

  beforeEach(() => {
    server.run(
      `CREATE TABLE people (name text PRIMARY KEY, dnd int, fwd int, target text, rings int);
       INSERT INTO people VALUES ('2001', 1, 0, NULL, NULL)`,
    );
  });

  test('read and write the table of somebody else, and hold hostile text as text', async () => {
    const { provider, history } = await open({ ...OWN, 'unknown-account': 'reject' });
    const account = await provider.getAll(ACCOUNT, contextOf());
    expect(account?.DoNotDisturb).toMatchObject({ status: true, version: 0, assigned: true });
    const forwardTo = "1'; DROP TABLE people; --";
    const wanted = { status: true, forwardTo };
    const result = await change(provider, ACCOUNT, 'CallForwardingAlways', wanted);
    const values = { forwardTo: `+49${forwardTo}` };
    expect(result).toMatchObject({ outcome: 'applied', status: true, values, version: 1 });
    const after = await provider.getAll(ACCOUNT, contextOf());
    expect(after?.CallForwardingAlways).toMatchObject({ status: true, values, version: 1 });
    expect(await history.list(ACCOUNT, {})).toMatchObject([{ new: { status: true, ...values } }]);
    expect(provider).not.toHaveProperty('configure');
  });

  test('that find nothing speak of no account; that write nothing fail', async () => {
    const { provider, history } = await open({ ...OWN, 'unknown-account': 'reject' });
    expect(await provider.getAll(OTHER, contextOf())).toBeUndefined();
    const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: false });
    const current = { ...made.current, status: false };
    const set = provider.set(OTHER, 'DoNotDisturb', { ...made, current }, contextOf());
    await expect(set).rejects.toThrow('set-sql stored nothing');
    expect(await history.list(OTHER, {})).toEqual([]);
  });

  test('that return nothing have what a trigger made of the number told', async () => {
    server.run(
      `CREATE OR REPLACE FUNCTION spell() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN NEW.target := '+49' || NEW.target; RETURN NEW; END $$;
       CREATE TRIGGER spell BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION spell()`,
    );
    const setSql = `UPDATE people SET fwd = $3::boolean::int, target = $4
       WHERE 'sip:' || name || '@pbx.example' = $1 AND $2::text <> '' AND $5::int IS NULL`;
    const { provider, history } = await open({ 'get-sql': OWN['get-sql'], 'set-sql': setSql });
    const wanted = { status: true, forwardTo: '2424' };
    const result = await change(provider, ACCOUNT, 'CallForwardingAlways', wanted);
    const values = { forwardTo: '+492424' };
    expect(result).toMatchObject({ outcome: 'applied', status: true, values });
    expect(await history.list(ACCOUNT, {})).toMatchObject([{ new: values }]);
  });

  test('are not run for a change of what is not stored any more', async () => {
    const { provider } = await open(OWN);
    const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: false });
    server.run('UPDATE people SET dnd = 0');
    const set = provider.set(ACCOUNT, 'DoNotDisturb', made, contextOf());
    expect(await set).toMatchObject({ outcome: 'stale', status: false });
  });

  test('come in pairs', async () => {
    await expect(open({ 'get-sql': OWN['get-sql'] })).rejects.toThrow(/belong together/);
  });
});

describe('trouble', () => {
  test('an account whose lock somebody keeps fails, others are not held up', async () => {
    const { provider } = await open();
    const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const release = server.hold(`SELECT pg_advisory_lock(hashtextextended('${ACCOUNT}', 0))`);
    closing.push(release);
    const isHeld = (): boolean =>
      server.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") === '1';
    await waitFor('a lock', isHeld);
    const set = provider.set(ACCOUNT, 'DoNotDisturb', made, contextOf());
    const failure = set.then(String, String);
    const other = provider.set(OTHER, 'DoNotDisturb', made, contextOf());
    expect(await Promise.race([failure, other])).toMatchObject({ outcome: 'applied' });
    expect(await failure).toMatch(/statement timeout/);
    await release();
    expect(await provider.set(ACCOUNT, 'DoNotDisturb', made, contextOf())).toMatchObject({
      outcome: 'applied',
      version: 1,
    });
  });

  test('a server that is gone fails at once, and serves again when it is back', async () => {
    const { provider } = await open();
    await change(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const heard: string[] = [];
    provider.watch?.((presentity) => heard.push(presentity));
    await server.stop();
    await expect(provider.getAll(ACCOUNT, contextOf())).rejects.toThrow(
      /ECONNREFUSED|ENOENT|terminat/,
    );
    await server.start();
    await waitFor('a second look', () => heard.includes('*'));
    const account = await provider.getAll(ACCOUNT, contextOf());
    expect(account?.DoNotDisturb).toMatchObject({ status: true, version: 1 });
  });

  test('an aborted set leaves nothing behind', async () => {
    const { provider, history } = await open();
    const made = await changeOf(provider, ACCOUNT, 'DoNotDisturb', { status: true });
    const set = provider.set(
      ACCOUNT,
      'DoNotDisturb',
      made,
      contextOf({ signal: AbortSignal.abort() }),
    );
    await expect(set).rejects.toThrow(/abort/i);
    await sleep(10);
    const account = await provider.getAll(ACCOUNT, contextOf());
    expect(account?.DoNotDisturb.status).toBe(false);
    expect(await history.list(ACCOUNT, {})).toEqual([]);
  });

  test('tables of a newer program are refused', async () => {
    await open();
    server.run('UPDATE feature_schema SET version = 9');
    await expect(open()).rejects.toThrow(
      /postgres cannot be used: its tables were made by a newer/,
    );
  });

  test('an address where nobody is names no password', async () => {
    const url = 'postgres://sbc:s3cret@127.0.0.1:1/none';
    const failed = await open({ url }).catch((error: unknown) => error);
    expect(String(failed)).toMatch(/postgres cannot be used: /);
    expect(String(failed)).not.toContain('s3cret');
  });

  test('history older than it is kept is deleted', async () => {
    await open();
    server.run(
      `INSERT INTO feature_history (at, presentity, feature, outcome, source, actor, origin)
       SELECT now() - interval '90 s', '${ACCOUNT}', 'DoNotDisturb', 'refused', 'phone', 'x', '{}'
       FROM generate_series(1, 1200)`,
    );
    await open({}, 60_000);
    const left = (): number => Number(server.run('SELECT count(*) FROM feature_history'));
    await waitFor('rows pruned', () => left() === 0);
    expect(left()).toBe(0);
  });
});
