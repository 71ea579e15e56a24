/** Runs SIPp (Debian package sip-tester), an endpoint by other authors, with one scenario file for one call. */

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, isTcpFree, isUdpFree } from './free-ports.ts';
import type { SipTarget } from './sip-peer.ts';
import { parseSipText } from './sip-text.ts';
import type { SipText } from './sip-text.ts';
import { PATIENCE_MS, sleep } from './wait-for.ts';

const SCENARIOS = new URL('../peers/sipp/', import.meta.url);
const KILL_AFTER_MS = 2000;
const POLL_MS = 20;
const HELD_UP_MS = 60_000;

export interface SippOptions {
  /** File name below test/peers/sipp, without `.xml`. */
  readonly scenario: string;
  /** Own address. */
  readonly address: string;
  /** Own port; default any free one. */
  readonly port?: number;
  /** Where requests are sent; a callee needs none. */
  readonly remote?: SipTarget;
  readonly transport?: 'udp' | 'tcp';
  /** Number dialled. */
  readonly service?: string;
  /** Values of `[name]` in the scenario. */
  readonly keys?: Readonly<Record<string, string | number>>;
  /** Values of `{{name}}` in the scenario, put in before SIPp reads it. */
  readonly template?: Readonly<Record<string, string | number>>;
  readonly timeoutSeconds?: number;
}

export interface SippMessage {
  readonly direction: 'sent' | 'received';
  readonly text: string;
  readonly message: SipText;
}

export interface SippResult {
  /** 0: the call went exactly as the scenario says. */
  readonly exitCode: number;
  readonly messages: readonly SippMessage[];
  /** What SIPp complained about. */
  readonly errors: string;
}

/** Whether the program can be run on this machine. */
export function hasSipp(): boolean {
  const probe = spawnSync('sipp', ['-v'], { stdio: 'ignore' });
  return probe.error === undefined;
}

export class SippRun {
  readonly address: string;
  readonly port: number;
  readonly #isTcp: boolean;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<number>;
  #hasExited = false;

  private constructor(child: ChildProcess, folder: string, options: SippOptions & SipTarget) {
    this.#process = child;
    this.#folder = folder;
    this.address = options.address;
    this.port = options.port;
    this.#isTcp = options.transport === 'tcp';
    this.#exited = new Promise((resolve) => {
      const end = (code: number): void => {
        this.#hasExited = true;
        resolve(code);
      };
      child.once('error', () => end(-1));
      child.once('exit', (code) => end(code ?? -1));
    });
  }

  static async start(options: SippOptions): Promise<SippRun> {
    const folder = await mkdtemp(join(tmpdir(), 'sipp-'));
    const scenario = join(folder, 'scenario.xml');
    const source = await readFile(new URL(`${options.scenario}.xml`, SCENARIOS), 'utf8');
    await writeFile(scenario, fillTemplate(source, options.template ?? {}));
    const ports = await freePorts(3, options.address);
    const port = options.port ?? ports[0] ?? 0;
    const files = { messages: join(folder, 'messages.log'), errors: join(folder, 'errors.log') };
    const words = [
      options.remote === undefined ? '' : inUri(options.remote),
      `-sf ${scenario} -i ${options.address} -p ${port} -bind_local`,
      `-ci ${options.address} -cp ${ports[1]} -mp ${ports[2]}`,
      `-t ${options.transport === 'tcp' ? 't1' : 'u1'} -s ${options.service ?? 'callee'}`,
      `-m 1 -nostdin -recv_timeout 20000 -timeout ${options.timeoutSeconds ?? 40}s -timeout_error`,
      // It would call it an error that it was held up itself.
      `-watchdog_minor_threshold ${HELD_UP_MS} -watchdog_major_threshold ${HELD_UP_MS}`,
      `-trace_msg -message_file ${files.messages} -message_overwrite true`,
      `-trace_err -error_file ${files.errors} -error_overwrite true`,
    ];
    const args = words.flatMap((line) => line.split(' ')).filter((word) => word !== '');
    for (const [name, value] of Object.entries(options.keys ?? {})) {
      args.push('-key', name, String(value));
    }
    const child = spawn('sipp', args, { cwd: folder, stdio: 'ignore' });
    return new SippRun(child, folder, { ...options, port });
  }

  /** Resolves when the own port is bound. */
  async listening(timeoutMs = PATIENCE_MS): Promise<void> {
    const isFree = this.#isTcp ? isTcpFree : isUdpFree;
    const deadlineMs = performance.now() + timeoutMs;
    while (await isFree(this.port, this.address)) {
      if (performance.now() > deadlineMs) throw new Error(`SIPp did not bind port ${this.port}`);
      await sleep(POLL_MS);
    }
  }

  /** The `count`-th received message (default the first) that matches, once it is in the trace. */
  async received(
    what: string,
    pattern: RegExp,
    count = 1,
    timeoutMs = PATIENCE_MS,
  ): Promise<SipText> {
    const deadlineMs = performance.now() + timeoutMs;
    for (;;) {
      const messages = parseTrace(await this.#read('messages.log'));
      const matching = messages.filter(
        ({ direction, text }) => direction === 'received' && pattern.test(text),
      );
      const found = matching[count - 1];
      if (found !== undefined) return found.message;
      if (performance.now() > deadlineMs || this.#hasExited) {
        const lines = messages.map((entry) => `${entry.direction} ${entry.message.startLine}`);
        const errors = await this.#read('errors.log');
        throw new Error(`SIPp never received ${what}\n${lines.join('\n')}\n${errors}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Waits for the end; SIPp ends itself after its own timeout. */
  async finished(): Promise<SippResult> {
    const exitCode = await this.#exited;
    const messages = parseTrace(await this.#read('messages.log'));
    return { exitCode, messages, errors: await this.#read('errors.log') };
  }

  /** Ends the process if it still runs, and removes its files. */
  async close(): Promise<void> {
    if (!this.#hasExited) {
      this.#process.kill('SIGTERM');
      const kill = setTimeout(() => this.#process.kill('SIGKILL'), KILL_AFTER_MS);
      await this.#exited;
      clearTimeout(kill);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #read(name: string): Promise<string> {
    return readFile(join(this.#folder, name), 'utf8').catch(() => '');
  }
}

/** The messages of SIPp's trace: blocks headed by a ruler with the time and a line with direction and length. */
export function parseTrace(trace: string): SippMessage[] {
  const blocks = trace.split(/^-{20,}[^\n]*\n/m);
  return blocks.flatMap((block) => {
    const head = /^(?:UDP|TCP) message (sent|received) [^\n]*\n\n/.exec(block);
    if (head === null) return [];
    const raw = block.slice(head[0].length);
    const text = raw.replaceAll(/\r?\n/g, '\r\n');
    const message = parseSipText(text.trimStart());
    return [{ direction: head[1] === 'sent' ? 'sent' : 'received', text, message }];
  });
}

function fillTemplate(source: string, values: Readonly<Record<string, string | number>>): string {
  return source.replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  );
}

function inUri(at: SipTarget): string {
  return at.address.includes(':') ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
}
