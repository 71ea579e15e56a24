/**
 * The scripts of `tonebridge completion`, asked by the shells themselves. Needs Debian's `bash` and `zsh`.
 *
 *   line up to the cursor -> words as the shell breaks them -> what it would offer
 */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AGENT, CALL, ENDED } from '../unit/api/fake-backend.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../../src/cli/tonebridge.ts', import.meta.url));

/** Words as readline breaks them at blanks, "@", "=" and ":"; then what _tonebridge offers. */
const ASK_BASH = `
PATH=$3:$PATH
source "$1"
COMP_LINE=$2 COMP_POINT=\${#2} COMP_WORDS=() COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:'
rest=$2
while [[ $rest =~ ^[[:space:]]*([@=:]+|[^[:space:]@=:]+)(.*)$ ]]; do
  COMP_WORDS+=("\${BASH_REMATCH[1]}")
  rest=\${BASH_REMATCH[2]}
done
[[ $2 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_tonebridge
printf '%s\\n' "\${COMPREPLY[@]}"
`;

/** The functions of the completion system print what they are asked to offer. */
const ASK_ZSH = `
PATH=$3:$PATH
compdef() { : }
compset() { : }
compadd() { print -rl -- "\${(@P)2}" }
_describe() { local name="\${@[-1]}"; print -rl -- "\${(@P)name}" }
_files() { print -r -- '(files)' }
source "$1"
words=(\${(z)2})
[[ $2 == *' ' ]] && words+=('')
CURRENT=$#words
_tonebridge
`;

const PATIENCE_MS = 40_000;

/** What the API says of the phones, as far as completion asks. */
const PHONE = {
  event: 'as-feature-event',
  account: '2001@pbx.example',
  id: 's1',
  callId: 'a@phone',
  userAgent: '',
  remote: '127.0.0.1:5090',
  transport: 'udp',
  expiresInSeconds: 60,
  due: [],
};
const ANSWERS: Readonly<Record<string, unknown>> = {
  '/api/v1/agents': [AGENT],
  '/api/v1/calls': [CALL, ENDED],
  '/api/v1/subscriptions': [PHONE],
};

const stage = { folder: '', url: '' };
const api = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://api').pathname;
  response.setHeader('content-type', 'application/json').end(JSON.stringify(ANSWERS[path]));
});

beforeAll(async () => {
  await new Promise<void>((done) => {
    api.listen(0, '127.0.0.1', done);
  });
  const address = api.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  stage.url = `http://127.0.0.1:${address.port}`;
  stage.folder = await mkdtemp(join(tmpdir(), 'completion-'));
  const wrapper = join(stage.folder, 'tonebridge');
  await writeFile(wrapper, `#!/bin/sh\nexec '${process.execPath}' '${SCRIPT}' "$@"\n`);
  await chmod(wrapper, 0o755);
  for (const shell of ['bash', 'zsh']) {
    const { stdout } = await run(process.execPath, [SCRIPT, 'completion', shell]);
    await writeFile(join(stage.folder, `script.${shell}`), stdout);
  }
});

afterAll(async () => {
  api.closeAllConnections();
  await new Promise((done) => api.close(done));
  await rm(stage.folder, { recursive: true, force: true });
});

async function ask(shell: 'bash' | 'zsh', line: string): Promise<string[]> {
  const code = shell === 'bash' ? ['--norc', '-c', ASK_BASH] : ['-f', '-c', ASK_ZSH];
  const script = join(stage.folder, `script.${shell}`);
  const words = [...code, 'ask', script, line.replace('API', stage.url), stage.folder];
  const { stdout } = await run(shell, words);
  return stdout.split('\n').filter((word) => word !== '');
}

/** The command gives up early for the sake of whoever waits; a busy machine may need it several times. */
async function askLive(shell: 'bash' | 'zsh', line: string): Promise<string[]> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  let offered: string[] = [];
  while (offered.length === 0 && performance.now() < deadlineMs) offered = await ask(shell, line);
  return offered;
}

describe('bash', () => {
  test('where no SBC answers there is nothing to offer', async () => {
    const line = 'tonebridge agents lock --api http://127.0.0.1:9 ';
    expect(await ask('bash', line)).toEqual([]);
    expect(await ask('zsh', line)).toEqual([]);
  });

  test.each<[string, string[]]>([
    ['tonebridge sh', ['show']],
    ['tonebridge show ca', ['calls', 'call']],
    ['tonebridge --json --config config/sbc.yaml show su', ['subscriptions']],
    ['tonebridge features set 2001@pbx.example ', ['dnd', 'cfa', 'cfb', 'cfna']],
    ['tonebridge features set 2001@pbx.example dnd o', ['on', 'off']],
    ['tonebridge engine --verify ', ['required', 'none']],
    ['tonebridge engine --verify=n', ['none']],
    ['tonebridge check config/sbc.ex', ['config/sbc.example.yaml']],
    ['tonebridge check --config=config/sbc.ex', ['config/sbc.example.yaml']],
    ['tonebridge show calls --en', ['--ended']],
    ['tonebridge run ', []],
  ])('%s', async (line, offered) => {
    expect(await ask('bash', line)).toEqual(offered);
  });

  test.each<[string, string[]]>([
    ['tonebridge agents lock --api API ', ['carrier']],
    ['tonebridge agents lock --api API car', ['carrier']],
    ['tonebridge show digits --api API --call ', ['c1', 'c0']],
  ])('%s, with names of the running SBC', async (line, offered) => {
    expect(await askLive('bash', line)).toEqual(offered);
  });

  test('only the part behind a character that breaks words is replaced', async () => {
    const line = 'tonebridge features get --api API';
    expect(await askLive('bash', `${line} `)).toEqual([PHONE.account]);
    expect(await askLive('bash', `${line} 2001@p`)).toEqual(['pbx.example']);
  });
});

describe('zsh', () => {
  test.each<[string, string[]]>([
    ['tonebridge engine --verify ', ['required', 'none']],
    ['tonebridge features set 2001@pbx.example dnd ', ['on', 'off']],
    ['tonebridge check ', ['(files)']],
  ])('%s', async (line, offered) => {
    expect(await ask('zsh', line)).toEqual(offered);
  });

  test('names of the running SBC', async () => {
    expect(await askLive('zsh', 'tonebridge agents lock --api API ')).toEqual(['carrier']);
  });

  test('commands and options come with what they do', async () => {
    expect(await ask('zsh', 'tonebridge agents ')).toEqual([
      'lock:send no new calls to a session agent; those that are up go on',
      'unlock:send new calls to a session agent again',
    ]);
    expect(await ask('zsh', 'tonebridge show digits --')).toContain('--call:digits of one call');
  });
});
