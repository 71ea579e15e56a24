/** Debian's rtpengine-daemon on loopback, without its kernel module: a real media engine for the tests of the peers. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { env } from 'node:process';
import { createSocket } from 'node:dgram';
import { freePortRange, freePorts, type PortRange } from './free-ports.ts';
import { PATIENCE_MS, waitFor } from './wait-for.ts';

/** False on a developer's machine without it; tests then skip, except in CI. */
export const hasRtpengine = spawnSync('rtpengine', ['--version']).status === 0;

/** Whether tests go on: in CI a missing program is a failure. */
export const canRunRtpengine = hasRtpengine || env['CI'] !== undefined;

const HOST = '127.0.0.1';
const MEDIA_PORTS = 64;
const PING_MS = 50;
const KEPT_LOG_CHARS = 200_000;

export interface RtpengineOptions {
  /** Where media goes; default a free range of 64 ports. */
  readonly mediaRange?: PortRange;
  /** `address:port` that each digit is reported to over UDP (`--dtmf-log-dest`). */
  readonly dtmfLogTo?: string;
  /** Further options of the command line, as `--max-sessions=1`. */
  readonly options?: readonly string[];
}

export class RtpengineDaemon {
  readonly host = HOST;
  /** Of the ng protocol. */
  readonly port: number;
  readonly mediaRange: PortRange;
  readonly #arguments: readonly string[];
  #child: ChildProcess | undefined;
  #log = '';

  private constructor(port: number, mediaRange: PortRange, options: RtpengineOptions) {
    this.port = port;
    this.mediaRange = mediaRange;
    this.#arguments = [
      '--config-file=none',
      '--foreground',
      '--log-stderr',
      '--log-level=7',
      '--table=-1',
      '--num-threads=2',
      '--media-num-threads=1',
      '--delete-delay=0',
      `--interface=${HOST}`,
      `--listen-ng=${HOST}:${port}`,
      `--port-min=${mediaRange.first}`,
      `--port-max=${mediaRange.last}`,
      ...(options.dtmfLogTo === undefined ? [] : [`--dtmf-log-dest=${options.dtmfLogTo}`]),
      ...(options.options ?? []),
    ];
  }

  /** Resolves when it answers a ping. */
  static async start(options: RtpengineOptions = {}): Promise<RtpengineDaemon> {
    const [port = 0] = await freePorts(1);
    const mediaRange = options.mediaRange ?? (await freePortRange(MEDIA_PORTS, { avoid: [port] }));
    const daemon = new RtpengineDaemon(port, mediaRange, options);
    await daemon.startAgain();
    return daemon;
  }

  /** What it wrote since the first start, the end of it. */
  get log(): string {
    return this.#log;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** On the same ports as before, with nothing of the calls it had. */
  async startAgain(): Promise<void> {
    await this.kill();
    const child = spawn('rtpengine', this.#arguments, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    // A test that fails on its way out leaves nobody to end it.
    const endWithRunner = (): void => void child.kill('SIGKILL');
    process.once('exit', endWithRunner);
    child.once('exit', () => process.removeListener('exit', endWithRunner));
    child.stderr.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-KEPT_LOG_CHARS);
    });
    await this.#answersPings(child);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** It is there but does nothing until `resume`: what it is sent waits in its socket. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async close(): Promise<void> {
    await this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'close');
    child.kill(signal);
    await exited;
  }

  async #answersPings(child: ChildProcess): Promise<void> {
    const socket = createSocket('udp4');
    let isAnswered = false;
    socket.on('message', () => {
      isAnswered = true;
    });
    const ping = (): void => {
      socket.send('start d7:command4:pinge', this.port, HOST, () => {});
    };
    const timer = setInterval(ping, PING_MS);
    try {
      await waitFor('rtpengine', () => isAnswered || child.exitCode !== null, {
        timeoutMs: PATIENCE_MS,
        details: () => this.#log,
      });
      if (!isAnswered) throw new Error(`rtpengine ended at once\n${this.#log}`);
    } finally {
      clearInterval(timer);
      await new Promise<void>((resolve) => {
        socket.close(() => resolve());
      });
    }
  }
}
