/** Plan, apply and rollback against an API that keeps a configuration in memory, and files in a folder of the test. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ApiBackend } from '../../../src/api/backend.ts';
import { configPlanView } from '../../../src/api/config-plan.ts';
import { type Api, startApi } from '../../../src/api/server.ts';
import { ApiClient } from '../../../src/cli/api-client.ts';
import { apply, type Consent, rollback } from '../../../src/cli/apply.ts';
import { planOffline } from '../../../src/cli/plan.ts';
import type { ValidConfig } from '../../../src/config/load.ts';
import { loadConfigFile } from '../../../src/config/load-file.ts';
import { createLog } from '../../../src/observe/log.ts';
import { fakeBackend } from '../api/fake-backend.ts';
import { edited, load, SAMPLE, validOf } from '../config/sample.ts';

const AGENT = 'address: 127.0.0.1:6080';
const MOVED = edited([AGENT, 'address: 127.0.0.1:6081']);
const yes: Consent = async () => 'yes';

let folder = '';
let inUse = '';
let next = '';
let api: Api | undefined;
let current: ValidConfig = validOf(SAMPLE);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sbc-apply-'));
  [inUse, next] = [join(folder, 'sbc.yaml'), join(folder, 'new.yaml')];
  await writeFile(inUse, SAMPLE);
});

afterEach(async () => {
  await api?.close();
  api = undefined;
  await rm(folder, { recursive: true });
});

/** An API that runs on `inUse`. */
async function openApi(changes: Partial<ApiBackend> = {}): Promise<ApiClient> {
  const read = (): ValidConfig => {
    const loaded = loadConfigFile(inUse, {});
    if (loaded.type !== 'config') throw new Error(JSON.stringify(loaded.problems));
    return loaded;
  };
  current = read();
  const backend = fakeBackend({
    planConfig: async (text) => configPlanView(current, load(text ?? ''), []),
    reload: async () => {
      current = read();
      return { type: 'applied', hash: current.config.hash, isChanged: true };
    },
    ...changes,
  });
  const status = backend.status();
  const { hash } = current.config;
  const config = { ...status.config, hash, file: inUse };
  const whole = { ...backend, status: () => ({ ...status, config }) };
  const listen = { address: '127.0.0.1', port: 0 };
  api = await startApi({ listen, token: '', backend: whole, log: createLog('silent') });
  return new ApiClient(`http://127.0.0.1:${api.port}`);
}

async function textsNow(): Promise<readonly (string | undefined)[]> {
  const texts = [inUse, `${inUse}.previous`].map((file) =>
    readFile(file, 'utf8').catch(() => undefined),
  );
  return await Promise.all(texts);
}

describe('apply', () => {
  test('takes the new file into use and keeps the old one; rollback goes back, and forth', async () => {
    const client = await openApi();
    await writeFile(next, MOVED);

    const applied = await apply(client, next, yes);
    expect(applied).toMatchObject({ exitCode: 0, json: { type: 'applied', file: inUse } });
    expect(applied.text).toContain('verdict: applies live');
    expect(await textsNow()).toEqual([MOVED, SAMPLE]);

    expect(await rollback(client, yes)).toMatchObject({ exitCode: 0 });
    expect(await textsNow()).toEqual([SAMPLE, MOVED]);
    expect(await rollback(client, yes)).toMatchObject({ exitCode: 0 });
    expect(await textsNow()).toEqual([MOVED, SAMPLE]);
  });

  test('what only reads otherwise does not take the place of what can be rolled back to', async () => {
    const client = await openApi();
    await writeFile(next, MOVED);
    await apply(client, next, yes);
    const commented = `# moved\n${MOVED}`;
    await writeFile(next, commented);

    const result = await apply(client, next, yes);
    expect(result).toMatchObject({ exitCode: 0, json: { type: 'applied' } });
    expect(result.text).toContain('it means the same');
    expect(await textsNow()).toEqual([commented, SAMPLE]);

    expect(await rollback(client, yes)).toMatchObject({ exitCode: 0 });
    expect(await textsNow()).toEqual([SAMPLE, commented]);
  });

  test('shows the plan and does nothing without consent', async () => {
    const client = await openApi();
    await writeFile(next, MOVED);
    const shown: string[] = [];
    const answer =
      (word: Awaited<ReturnType<Consent>>): Consent =>
      async (plan) => {
        shown.push(plan);
        return word;
      };

    const refused = await apply(client, next, answer('no'));
    const alone = await apply(client, next, answer('nobody-to-ask'));

    expect([refused.exitCode, alone.exitCode]).toEqual([1, 2]);
    expect(alone.errorText).toContain('--yes');
    expect(shown[0]).toContain('address: 127.0.0.1:6080 -> 127.0.0.1:6081');
    expect(await textsNow()).toEqual([SAMPLE, undefined]);
  });

  test('puts the old file back when the reload is refused', async () => {
    const problems = [{ line: 6, column: 1, path: 'sip-interfaces[1]', message: 'cannot listen' }];
    const client = await openApi({ reload: async () => ({ type: 'refused', problems }) });
    await writeFile(next, MOVED);

    const result = await apply(client, next, yes);

    expect(result).toMatchObject({ exitCode: 1, json: { type: 'refused' } });
    expect(result.errorText).toMatch(
      /new\.yaml:6:1: sip-interfaces\[1\]: cannot listen\nrefused, the old file is back/,
    );
    expect(await textsNow()).toEqual([SAMPLE, undefined]);
  });

  test('puts the old file back when the SBC has read another one', async () => {
    const client = await openApi({
      reload: async () => ({ type: 'applied', hash: 'other', isChanged: false }),
    });
    await writeFile(next, MOVED);
    expect(await apply(client, next, yes)).toMatchObject({
      exitCode: 1,
      errorText: 'the SBC has read another file, the old file is back\n',
    });
    expect(await textsNow()).toEqual([SAMPLE, undefined]);
  });

  test('puts the old file back when nobody answers any more', async () => {
    const client = await openApi({
      reload: async () => {
        throw new Error('seeded');
      },
    });
    await writeFile(next, MOVED);
    const result = await apply(client, next, yes);
    expect(result.exitCode).toBe(1);
    expect(result.errorText).toContain('the old file is back');
    expect(await textsNow()).toEqual([SAMPLE, undefined]);
  });

  test.each([
    ['an invalid file', `${SAMPLE}colour: red\n`, 'refused: 1 problem'],
    ['a file that needs a restart', `${SAMPLE}media: { workers: 1 }\n`, 'needs restart: media'],
  ])('does not touch anything for %s', async (_, text, verdict) => {
    const client = await openApi();
    await writeFile(next, text);
    const result = await apply(client, next, yes);
    expect(result).toMatchObject({ exitCode: 1, errorText: 'not applied\n' });
    expect(result.text).toContain(verdict);
    expect(await textsNow()).toEqual([SAMPLE, undefined]);
  });

  test('has nothing to do for what is in use already', async () => {
    const client = await openApi();
    expect(await apply(client, inUse, yes)).toMatchObject({ exitCode: 0 });
    expect(await textsNow()).toEqual([SAMPLE, undefined]);
  });

  test('refuses where the file was changed behind the back of the SBC', async () => {
    const client = await openApi();
    await writeFile(next, MOVED);
    await writeFile(inUse, `${SAMPLE}# by hand\n`);
    const result = await apply(client, next, yes);
    expect(result).toMatchObject({ exitCode: 1 });
    expect(result.errorText).toContain('is not what the SBC has in use');
    expect(await textsNow()).toEqual([`${SAMPLE}# by hand\n`, undefined]);
  });

  test('without a previous file there is nothing to roll back to', async () => {
    const client = await openApi();
    expect(await rollback(client, yes)).toMatchObject({
      exitCode: 1,
      errorText: expect.stringContaining('.previous cannot be read'),
    });
  });

  test('where no SBC answers the exit status says so', async () => {
    await writeFile(next, MOVED);
    const nobody = new ApiClient('http://127.0.0.1:1');
    expect(await apply(nobody, next, yes)).toMatchObject({ exitCode: 3 });
    expect(await rollback(nobody, yes)).toMatchObject({ exitCode: 3 });
  });
});

describe('plan without an SBC', () => {
  test('says so, and compares two files', async () => {
    await writeFile(next, MOVED);
    const result = planOffline(next, inUse);
    expect(result).toMatchObject({ exitCode: 0, json: { isOffline: true, verdict: 'live' } });
    expect(result.text).toMatch(/^compared with the file .*sbc\.yaml, no running SBC was asked\n/);
  });

  test('a new warning is a finding, an old one is none', async () => {
    const kpml = edited(['admit: anyone', 'admit: anyone, kpml-interworking: enabled']);
    await writeFile(next, kpml);
    const fresh = planOffline(next, inUse);
    expect(fresh.exitCode).toBe(1);
    expect(fresh.text).toMatch(
      /findings of the linter\n {2}.*new\.yaml:5:\d+: warning kpml-without/,
    );
    await writeFile(inUse, kpml);
    expect(planOffline(next, inUse).exitCode).toBe(0);
  });

  test('a bad file to compare with is named', async () => {
    await writeFile(next, MOVED);
    await writeFile(inUse, 'realms: no\n');
    expect(planOffline(next, inUse)).toMatchObject({
      exitCode: 1,
      errorText: expect.stringContaining('is no configuration to compare with'),
    });
  });
});
