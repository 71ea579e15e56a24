import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serviceManager } from '../../../src/cli/service-manager.ts';

let folder = '';
let warnings: string[] = [];
const log = { warn: (_fields: unknown, text: string) => void warnings.push(text) };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'notify-'));
  warnings = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** In the place of the real program: writes its arguments and the socket it was given; the first one slowly. */
async function standIn(exitCode = 0): Promise<void> {
  const program = join(folder, 'systemd-notify');
  const first = `[ -e "${folder}/told" ] || sleep 0.2`;
  const line = `echo "$NOTIFY_SOCKET $*" >> "${folder}/told"`;
  await writeFile(program, `#!/bin/sh\n${first}\n${line}\nexit ${exitCode}\n`);
  await chmod(program, 0o755);
}

function environment(socket: string | undefined): Record<string, string | undefined> {
  return { PATH: `${folder}:/usr/bin:/bin`, NOTIFY_SOCKET: socket };
}

async function told(): Promise<string[]> {
  const text = await readFile(join(folder, 'told'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

describe('a service manager that listens', () => {
  test('is told each state in turn, also when they follow each other at once', async () => {
    await standIn();
    const tell = serviceManager(environment('/run/notify'), log);
    await Promise.all([tell('ready'), tell('reloading'), tell('ready'), tell('stopping')]);
    expect(await told()).toEqual([
      '/run/notify READY=1',
      '/run/notify RELOADING=1',
      '/run/notify READY=1',
      '/run/notify STOPPING=1',
    ]);
    expect(warnings).toEqual([]);
  });

  test('that cannot be told costs a warning each time and nothing else', async () => {
    await standIn(1);
    const tell = serviceManager(environment('/run/notify'), log);
    await Promise.all([tell('ready'), tell('stopping')]);
    expect(warnings).toEqual(['service manager not told', 'service manager not told']);
  });

  test('is not told without the program, which costs a warning', async () => {
    const tell = serviceManager({ PATH: folder, NOTIFY_SOCKET: '/run/notify' }, log);
    await tell('ready');
    expect(warnings).toEqual(['service manager not told']);
  });
});

test.each([undefined, ''])('without a socket (%s) nobody is told', async (socket) => {
  await standIn();
  await serviceManager(environment(socket), log)('ready');
  expect(await told()).toEqual([]);
  expect(warnings).toEqual([]);
});
