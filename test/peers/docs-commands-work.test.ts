/**
 * Every `sh` block of README.md and docs/*.md, run as written beside a running SBC. Lines of docker, kubectl, systemctl and
 * what else changes a machine are compared with what the files of the project hold; everything else really runs.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { runDocsBlock } from '../support/docs-shell.ts';
import { allPages, fencesOf } from '../support/markdown.ts';

const PROJECT = new URL('../../', import.meta.url);
const LIMIT_MS = 110_000;
/** Runs until it is told to stop: it is, after a moment. */
const SERVES = /^npx tonebridge (?:engine|run|trace)\b.*$/gm;
/** Streams until the reader goes. */
const STREAMS = /^curl .*\/events.*$/gm;
/** The page says that this line fails, and how. */
const FAILS = /^(.*?) +# exit code (\d):.*$/gm;

const UNTIL_IT_SPEAKS = 'for _ in $(seq 300); do [ -s served ] && break; sleep 0.1; done';

const blocks = allPages().flatMap((page) =>
  fencesOf(page)
    .filter(({ language }) => language === 'sh')
    .map(({ text, line }) => ({ name: `${page.path}:${line}`, text })),
);

test('there are commands to run', () => {
  expect(blocks.length).toBeGreaterThan(8);
});

describe('commands of the documentation', () => {
  test.each(blocks)(
    '$name',
    async ({ text }) => {
      const { code, output, recorded } = await runDocsBlock(bounded(text), LIMIT_MS - 10_000);
      expect(output).not.toMatch(
        /command not found|No such file|Unknown|unknown (?:command|option)/,
      );
      expect({ code, output }).toEqual({ code: 0, output });
      expect(recorded.filter((line) => !isKnown(line))).toEqual([]);
    },
    LIMIT_MS,
  );
});

function bounded(text: string): string {
  return text
    .replaceAll(SERVES, (line) => `${line} > served & ${UNTIL_IT_SPEAKS}; kill -TERM $!; wait $!`)
    .replaceAll(STREAMS, (line) => `timeout 2 ${line} || [ $? -eq 124 ]`)
    .replaceAll(
      FAILS,
      (_, line: string, code: string) => `rc=0; ${line} || rc=$?; [ $rc -eq ${code} ]`,
    );
}

const compose = z
  .object({
    services: z.record(z.string(), z.object({ profiles: z.array(z.string()).optional() })),
  })
  .parse(parse(read('docker-compose.yml')));
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read('package.json')));

function read(path: string): string {
  return readFileSync(new URL(path, PROJECT), 'utf8');
}

/** Whether a line that was not run says what the files of the project hold. */
function isKnown(line: string): boolean {
  const [program = '', ...words] = line.split(' ');
  switch (program) {
    case 'docker':
      return isDocker(words);
    case 'kubectl':
      return isKubectl(words);
    case 'npm':
      return (
        words[0] === 'install' || (words[0] === 'run' && Object.hasOwn(scripts, words[1] ?? ''))
      );
    case 'systemctl':
      return /^(?:daemon-reload|(?:enable --now|reload|stop|status) tonebridge)$/.test(
        words.join(' '),
      );
    case 'useradd':
      return (
        words.at(-1) === 'tonebridge' &&
        read('deploy/systemd/tonebridge.service').includes('User=tonebridge')
      );
    case 'install':
    case 'cp':
      return words
        .slice(1, -1)
        .every((word) => !isPath(word) || existsSync(new URL(word, PROJECT)));
    case 'sqlite3':
      return words[0] === 'data/features.db' && line.includes('insert into feature_state');
    default:
      return false;
  }
}

function isPath(word: string): boolean {
  return /^[a-z]+\//.test(word);
}

function isDocker(words: readonly string[]): boolean {
  const profiles = Object.values(compose.services).flatMap((service) => service.profiles ?? []);
  const text = words.join(' ');
  const profile = /^compose --profile (\S+) up(?: --detach)?$/.exec(text)?.[1];
  if (profile !== undefined) return profiles.includes(profile);
  return /^(?:compose (?:up|stop)|build --tag tonebridge:\S+ \.|run .* tonebridge:\S+)$/.test(text);
}

function isKubectl(words: readonly string[]): boolean {
  const manifest = 'deploy/kubernetes/tonebridge.yaml';
  const text = words.join(' ');
  if (text === `apply --filename ${manifest}`) return existsSync(new URL(manifest, PROJECT));
  const selector = '--namespace tonebridge get pods --selector app=tonebridge --output name';
  if (text === selector) return read(manifest).includes('labels: { app: tonebridge }');
  return (
    text === 'label node node-1 tonebridge=sbc' ||
    /^--namespace tonebridge exec pod\/\S+ -- node src\/cli\/tonebridge\.ts (?:show calls|reload)$/.test(
      text,
    )
  );
}
