/** Debian's prometheus: its own tool for rules, and the server itself. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from './free-ports.ts';
import { closeAfterTest } from './leak-check.ts';
import { sleep } from './wait-for.ts';

const SHIPPED = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));
const START_MS = 30_000;

export interface ToolResult {
  readonly code: number | null;
  readonly output: string;
}

/** Runs `promtool` to its end. */
export async function promtool(...words: readonly string[]): Promise<ToolResult> {
  const child = spawn('promtool', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code]: (number | null)[] = await once(child, 'close');
  return { code: code ?? null, output };
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'));
  closeAfterTest({ close: () => rm(folder, { recursive: true, force: true }) });
  return folder;
}

/** A Prometheus with the shipped rules that scrapes one SBC each second. */
export class PrometheusServer {
  readonly #url: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#url = `http://127.0.0.1:${port}/api/v1/`;
    this.#exited = once(child, 'close');
  }

  /** Resolves when it answers; closed after the test. */
  static async start(targetPort: number): Promise<PrometheusServer> {
    const folder = await temporaryFolder();
    const [port = 0] = await freePorts(1);
    await cp(SHIPPED, folder, { recursive: true });
    const config = `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [ alerts.yml ]
scrape_configs:
  - { job_name: tonebridge, static_configs: [ { targets: [ "127.0.0.1:${targetPort}" ] } ] }
`;
    await writeFile(join(folder, 'prometheus.yml'), config);
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    const server = closeAfterTest(new PrometheusServer(child, port));
    await server.#ready();
    return server;
  }

  /** The `data` of an answer of its API; throws when it is no success. */
  async get(path: string, parameters: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const query = new URLSearchParams(parameters).toString();
    const response = await fetch(`${this.#url}${path}?${query}`);
    const answer: unknown = await response.json();
    if (typeof answer === 'object' && answer !== null && 'data' in answer) return answer.data;
    throw new Error(`${path}: ${JSON.stringify(answer)}`);
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #ready(): Promise<void> {
    const deadlineMs = performance.now() + START_MS;
    for (;;) {
      const isUp = await this.get('status/runtimeinfo').then(
        () => true,
        () => false,
      );
      if (isUp) return;
      if (performance.now() > deadlineMs) throw new Error('prometheus does not start');
      await sleep(50);
    }
  }
}
