/**
 * The benchmark of the relay measures what it says: a minimal relay and ours bring every packet to the right peer, and
 * nothing of it stays behind.
 *
 *   load (both peers of all calls) ---- veth ---- relay        network namespaces of its own
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, execPath, getuid } from 'node:process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Series } from '../../bench/media/results.ts';

const BENCH = join(import.meta.dirname, '../../bench/media.bench.ts');
const LIMIT_MS = 120_000;
// On a developer's machine rights or programs may be missing; in CI that is a failure.
const programs = ['cc', 'nft', 'ip', 'taskset'];
const has = (program: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const isReady = getuid?.() === 0 && programs.every(has);
const isMissing = !isReady && env['CI'] === undefined;

function networks(): string[] {
  const listed = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  return listed.split('\n').filter((line) => line.startsWith('tbbench-'));
}

test.skipIf(isMissing)(
  'a short series finds all packets again, and leaves no network behind',
  { timeout: LIMIT_MS },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'media-bench-'));
    const before = networks();
    try {
      const file = join(folder, 'series.json');
      const subjects = ['--subjects', 'c-relay,dgram', '--calls', '1', '--limit', '20'];
      const words = [BENCH, '--quick', '--dry', ...subjects, '--record', file];
      const { stdout } = await promisify(execFile)(execPath, words);
      const series: Series = JSON.parse(await readFile(file, 'utf8'));

      expect(series.unavailable).toEqual([]);
      expect(new Set(series.capacities.map(({ kind }) => kind))).toEqual(
        new Set(['c-relay', 'dgram']),
      );
      const runs = [...series.points, ...series.floor, ...series.stalls];
      expect(runs.length).toBeGreaterThan(0);
      for (const { result } of runs) {
        expect(result.sent).toBeGreaterThanOrEqual(result.calls * 40);
        expect(result.received).toBe(result.sent);
      }
      expect(stdout).toContain('io: dgram');
      expect(networks().filter((name) => !before.includes(name))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
