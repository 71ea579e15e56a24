/** The SIP engine as a process of its own, in the role of a drachtio-server that can be killed and started again. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePorts } from './free-ports.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/tonebridge.ts', import.meta.url));
const SECRET = 'process-secret';
const EMBEDDED = 'sip: { engine: embedded }';

export class EngineProcess {
  /** Where applications connect. */
  readonly adminPort: number;
  readonly #arguments: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(listenPoints: readonly string[], adminPort: number) {
    this.adminPort = adminPort;
    this.#arguments = [
      ...listenPoints.flatMap((point) => ['--sip', point]),
      '--admin',
      `127.0.0.1:${adminPort}`,
      '--secret',
      SECRET,
    ];
  }

  /** Starts one with the `sip-ports` of all interfaces of the configuration `yaml`. */
  static async for(yaml: string): Promise<EngineProcess> {
    const ports = yaml.split('\n').filter((line) => line.includes('sip-ports:'));
    const points = ports.flatMap((line) => line.match(/(udp|tcp)\/[\d.]+:\d+/g) ?? []);
    const [adminPort = 0] = await freePorts(1);
    const engine = new EngineProcess(points, adminPort);
    await engine.start();
    return engine;
  }

  /** The configuration with this process in place of the embedded engine, and further keys below `sip`. */
  configure(yaml: string, more = ''): string {
    const server = `{ host: 127.0.0.1, port: ${this.adminPort}, secret: ${SECRET} }`;
    return yaml.replace(EMBEDDED, `sip: { engine: drachtio, drachtio: ${server}${more} }`);
  }

  /** Resolves when it is ready, on the same ports as before. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [PROGRAM, 'engine', ...this.#arguments], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    await waitFor('the engine process', () => output.includes('engine ready'), {
      timeoutMs: PATIENCE_MS,
      details: () => output,
    });
  }

  /** Ends it as a crash would: nothing is said to anybody. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'close');
    child.kill('SIGKILL');
    await exited;
  }

  async close(): Promise<void> {
    await this.kill();
  }
}
